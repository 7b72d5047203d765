/**
 * Commands to bytes. A command is `*<n>\r\n` and then each argument as `$<bytes>\r\n<argument>\r\n`, so that no
 * argument can become a second argument or a second command (RESP specification, "Sending commands").
 *
 * Output is one latin1 string per batch: ASCII text is appended as it is, other text and small buffers as their
 * bytes. One string is one write call, which is most of the client's speed. Large values are written apart, without
 * copying them into the string.
 */
import { InvalidArgumentError } from '../errors.js';
import { latin1 } from './text.js';
import type { RedisArgument } from './types.js';

/** From this many bytes a value is written on its own rather than copied into the batch. */
const LARGE = 16 * 1024;
/** Redis keys and values are bounded by `proto-max-bulk-len`, 512 MiB by default. */
export const MAX_ARGUMENT_BYTES = 512 * 1024 * 1024;

/** `*n\r\n` and `$n\r\n` for the lengths that nearly every command uses. */
const ARRAY_HEADER = Array.from({ length: 64 }, (_, n) => `*${n}\r\n`);
const BULK_HEADER = Array.from({ length: 1024 }, (_, n) => `$${n}\r\n`);

export interface Wire {
  /** Encoded text so far, one character a byte. */
  text: string;
  /** Writes `text` (latin1) and then `large`, in this order. */
  flush(text: string, large: Buffer): void;
}

/** Bulk strings of a command's fixed words, encoded once: `$3\r\nGET\r\n`. Words are ASCII by construction. */
export function encodeWords(words: readonly string[]): string {
  let out = '';
  for (const word of words) out += `$${Buffer.byteLength(word)}\r\n${word}\r\n`;
  return out;
}

/** Appends one command. Arguments must have passed {@link checkArguments}. */
export function encodeCommand(wire: Wire, words: number, head: string, args: readonly unknown[]): void {
  const count = words + args.length;
  let out = (count < 64 ? ARRAY_HEADER[count]! : `*${count}\r\n`) + head;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as RedisArgument | number | bigint;
    const text = typeof arg === 'string' ? arg : typeof arg === 'object' ? undefined : String(arg);
    if (text !== undefined) {
      if (text.length < LARGE && isAscii(text)) {
        out += (text.length < 1024 ? BULK_HEADER[text.length]! : `$${text.length}\r\n`) + text + '\r\n';
        continue;
      }
      out = appendBytes(wire, out, Buffer.from(text));
    } else {
      out = appendBytes(wire, out, arg as Buffer);
    }
  }
  wire.text += out;
}

function appendBytes(wire: Wire, out: string, bytes: Buffer): string {
  const header = `$${bytes.length}\r\n`;
  if (bytes.length < LARGE) return `${out}${header}${latin1(bytes, 0, bytes.length)}\r\n`;
  const text = wire.text + out + header;
  wire.text = '';
  wire.flush(text, bytes);
  return '\r\n';
}

function isAscii(text: string): boolean {
  if (text.length > 48) return Buffer.byteLength(text) === text.length;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}

/**
 * Refuses what cannot be sent, before anything is. Returns an estimate of the bytes that the command will hold while
 * it waits.
 *
 * @throws InvalidArgumentError naming the command and the position, never the value
 */
export function checkArguments(command: string, args: readonly unknown[]): number {
  let bytes = 0;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    switch (typeof arg) {
      case 'string':
        bytes += arg.length + 16;
        if (arg.length > MAX_ARGUMENT_BYTES) throw new InvalidArgumentError(command, i, 'is longer than 512 MiB');
        continue;
      case 'number':
        if (Number.isNaN(arg)) throw new InvalidArgumentError(command, i, 'is NaN');
        bytes += 24;
        continue;
      case 'bigint':
        bytes += 32;
        continue;
      case 'object':
        if (arg instanceof Uint8Array) {
          if (arg.length > MAX_ARGUMENT_BYTES) throw new InvalidArgumentError(command, i, 'is longer than 512 MiB');
          // A plain Uint8Array lacks Buffer's methods; the view costs nothing and copies nothing.
          if (!Buffer.isBuffer(arg)) (args as unknown[])[i] = Buffer.from(arg.buffer, arg.byteOffset, arg.byteLength);
          bytes += arg.length + 32;
          continue;
        }
        throw new InvalidArgumentError(command, i, describe(arg));
      default:
        throw new InvalidArgumentError(command, i, `is ${describe(arg)}`);
    }
  }
  return bytes;
}

function describe(arg: unknown): string {
  if (arg === null) return 'is null';
  if (Array.isArray(arg)) return 'is an array where one value belongs';
  if (typeof arg === 'object') return 'is an object; pass a string, Buffer or number';
  return typeof arg === 'undefined' ? 'undefined' : `a ${typeof arg}`;
}
