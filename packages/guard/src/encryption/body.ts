import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { GuardError } from '../errors.js';

/** Raw deflate (RFC 1951). */
export function compress(body: Buffer): Buffer {
  return deflateRawSync(body);
}

/** Inflates to at most `maxBytes`: an authentic value may still have been written under a larger limit. */
export function decompress(body: Buffer, maxBytes: number): Buffer {
  try {
    return inflateRawSync(body, { maxOutputLength: maxBytes });
  } catch (cause) {
    throw new GuardError('REDKEEP_VALUE_TOO_LARGE', `inflates beyond ${maxBytes} bytes`, { cause });
  }
}

/** ISO/IEC 7816-4: a byte 0x80, then zeros up to a multiple of `block`. */
export function pad(body: Buffer, block: number): Buffer {
  const padded = Buffer.alloc(Math.ceil((body.length + 1) / block) * block);
  body.copy(padded);
  padded[body.length] = 0x80;
  return padded;
}

/** Removes what `pad` added. Runs after authentication only, so it is no padding oracle. */
export function unpad(body: Buffer): Buffer {
  const end = body.lastIndexOf(0x80);
  if (end === -1) throw new GuardError('REDKEEP_ENCRYPTION_TAMPERED', 'padding');
  return body.subarray(0, end);
}
