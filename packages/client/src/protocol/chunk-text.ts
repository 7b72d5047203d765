/**
 * Text out of the chunk that is being read. What is known of the chunk as a whole is found out when it is first needed.
 *
 * Its text: a slice of a long string costs a quarter of a call into the runtime; below SHORT, V8 copies what it
 * slices, so that nothing pins the chunk. Whether all of it is ASCII: then no value in it needs a look of its own.
 */
import { isAscii } from 'node:buffer';
import { latin1, utf8 } from './text.js';

let chunkText: string | undefined;
let chunkAscii: boolean | undefined;
const SHORT = 12;
/** Bytes of a chunk below which its values are looked at one by one: that costs less than the call. */
const WORTH_A_LOOK = 256;

/** Another chunk is read from now on. */
export function forgetChunk(): void {
  chunkText = chunkAscii = undefined;
}

/** latin1 is the fastest way from bytes to a string and is exact for ASCII. */
export function decodeText(buf: Buffer, from: number, to: number, end: number): string {
  chunkAscii ??= end >= WORTH_A_LOOK && isAscii(buf.subarray(0, end));
  if (!chunkAscii && !isAsciiText(buf, from, to)) return utf8(buf, from, to);
  if (to - from > SHORT) return latin1(buf, from, to);
  chunkText ??= latin1(buf, 0, end);
  return chunkText.slice(from, to);
}

function isAsciiText(buf: Buffer, from: number, to: number): boolean {
  if (to - from > 64) return isAscii(buf.subarray(from, to));
  for (let i = from; i < to; i++) if (buf[i]! > 127) return false;
  return true;
}
