import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** Larger files are not read: no configuration is, and a report must not wait for one that is not a configuration. */
const mostBytes = 8 * 1024 * 1024;

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOENT: 'it does not exist',
  ELOOP: 'it is a symbolic link that leads back to itself',
  ENXIO: 'it is a socket or a device',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is not a folder',
};

/** Why a file could not be read, as the end of a sentence. The message names no content. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const message = error instanceof Error ? error.message : String(error);
  return reasons[code] ?? message.split('\n')[0]!;
}

async function bytesOf(handle: FileHandle): Promise<Buffer> {
  const facts = await handle.stat();
  if (facts.isFIFO()) throw new Error('it is a named pipe');
  if (facts.isDirectory()) throw new Error('it is a folder');
  if (!facts.isFile()) throw new Error('it is a device');
  if (facts.size > mostBytes) throw new Error(`it is larger than ${mostBytes / 1024 / 1024} MiB`);
  return handle.readFile();
}

function decoded(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.subarray(2).toString('utf16le');
  if (bytes[0] === 0xfe && bytes[1] === 0xff && bytes.length % 2 === 0)
    return Buffer.from(bytes.subarray(2)).swap16().toString('utf16le');
  const text = bytes.toString('utf8');
  if (text.includes('\0')) throw new Error('it is not text');
  return text.replace(/^\uFEFF/, '');
}

/**
 * Reads a text file of somebody else: UTF-8 with or without a byte order mark, UTF-16 with one, lines ended by LF or CRLF
 * (returned as LF). Rejects, with a reason for a report, where it is something else: a pipe would be waited for without
 * end, a device has none.
 */
export async function readTextFile(path: string): Promise<string> {
  try {
    // Without O_NONBLOCK, opening a pipe waits for its other end.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return decoded(await bytesOf(handle)).replaceAll('\r\n', '\n');
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw new Error(reasonOf(error));
  }
}
