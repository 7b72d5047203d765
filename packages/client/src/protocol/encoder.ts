/**
 * Commands to bytes. A command is `*<n>\r\n` and then each argument as `$<bytes>\r\n<argument>\r\n`, so that no
 * argument can become a second argument or a second command (RESP specification, "Sending commands").
 *
 * Output is one latin1 string per batch, since one string is one write call, which is most of the client's speed. There
 * are two ways into it. `appendText` takes the characters as they are, which is right for ASCII alone; its caller
 * looks at the whole batch once with `soundBatch`, instead of at every argument. `encodeCommand` takes everything: text
 * outside ASCII and small buffers as their bytes, large values apart, without copying them into the string.
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
/** The same with the CRLF that ends what came before. */
const NEXT_HEADER = BULK_HEADER.map((header) => `\r\n${header}`);

/** What is sent before a command's arguments. */
export interface Head {
  /** Number of fixed words. */
  readonly words: number;
  /** Their bulk strings: `$3\r\nGET\r\n`. */
  readonly head: string;
  /** By number of arguments and length of the first; filled as they are used. See {@link appendText}. */
  readonly openings: string[][];
}
/** Openings are kept for keys and numbers of arguments up to these: a few kilobytes a command at most. */
const MAX_OPENING_ARGS = 16;
const MAX_OPENING_LENGTH = 96;

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

/**
 * Appends one command to a batch of text, preceded instead of followed by CRLF: one string less a command to join.
 * Undefined when it has bytes or a large value. Arguments must have passed {@link checkArguments}.
 */
export function appendText(batch: string, command: Head, args: readonly unknown[]): string | undefined {
  const count = args.length;
  if (count === 0) return `${batch}${opening(command, 0, 0)}`;
  let text = batch;
  for (let i = 0; i < count; i++) {
    let arg = args[i];
    if (typeof arg !== 'string') {
      if (typeof arg === 'object') return undefined;
      arg = String(arg);
    }
    const { length } = arg as string;
    if (length >= LARGE) return undefined;
    text += i === 0 ? opening(command, count, length) : length < 1024 ? NEXT_HEADER[length]! : `\r\n$${length}\r\n`;
    text += arg as string;
  }
  return text;
}

/** What precedes the first argument, its length included; without arguments all but the last CRLF. */
function opening(command: Head, count: number, length: number): string {
  if (count > MAX_OPENING_ARGS || length > MAX_OPENING_LENGTH) return makeOpening(command, count, length);
  command.openings[count] ??= [];
  const byLength = command.openings[count];
  byLength[length] ??= makeOpening(command, count, length);
  return byLength[length];
}

function makeOpening({ words, head }: Head, count: number, length: number): string {
  const all = `\r\n*${words + count}\r\n${head}`;
  return count === 0 ? all.slice(0, -2) : `${all}$${length}\r\n`;
}

/** A batch made by {@link appendText} as it goes to the wire; undefined when there was more than ASCII in it. */
export function soundBatch(batch: string): string | undefined {
  const text = `${batch}\r\n`;
  return Buffer.byteLength(text) === text.length ? text.slice(2) : undefined;
}

/** Appends one command. Arguments must have passed {@link checkArguments}. */
export function encodeCommand(wire: Wire, words: number, head: string, args: readonly unknown[]): void {
  const count = words + args.length;
  let out = (count < 64 ? ARRAY_HEADER[count]! : `*${count}\r\n`) + head;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as RedisArgument | number | bigint;
    if (typeof arg === 'object') {
      out = appendBytes(wire, out, arg);
      continue;
    }
    const text = typeof arg === 'string' ? arg : String(arg);
    if (text.length < LARGE && Buffer.byteLength(text) === text.length)
      out += `${text.length < 1024 ? BULK_HEADER[text.length]! : `$${text.length}\r\n`}${text}\r\n`;
    else out = appendBytes(wire, out, Buffer.from(text));
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
        if (arg.length > MAX_ARGUMENT_BYTES / 3 && Buffer.byteLength(arg) > MAX_ARGUMENT_BYTES)
          throw new InvalidArgumentError(command, i, 'is longer than 512 MiB');
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
