/**
 * Bytes to text without the encoding look-up of `toString`. Both functions exist on every Buffer of Node >= 20 but
 * not in its type definitions.
 */
interface Slices {
  latin1Slice(this: Buffer, from: number, to: number): string;
  utf8Slice(this: Buffer, from: number, to: number): string;
}
const { latin1Slice, utf8Slice } = Buffer.prototype as unknown as Slices;

/** One character a byte; exact for ASCII. */
export function latin1(buf: Buffer, from: number, to: number): string {
  return latin1Slice.call(buf, from, to);
}

/** Malformed sequences become U+FFFD, as everywhere in Node. */
export function utf8(buf: Buffer, from: number, to: number): string {
  return utf8Slice.call(buf, from, to);
}
