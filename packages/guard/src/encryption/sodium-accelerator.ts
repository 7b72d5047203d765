import { GuardError } from '../errors.js';
import { chacha20Poly1305 } from './aead.js';
import type { Accelerator } from './encryption.js';
import { TAG_BYTES } from './sealed-format.js';

/** The two calls of `sodium-native` that sealing needs. */
export interface SodiumNative {
  crypto_aead_chacha20poly1305_ietf_encrypt(
    ciphertext: Buffer,
    message: Buffer,
    additional: Buffer,
    unused: null,
    nonce: Buffer,
    key: Buffer,
  ): number;
  /** Throws when the ciphertext does not authenticate. */
  crypto_aead_chacha20poly1305_ietf_decrypt(
    message: Buffer,
    unused: null,
    ciphertext: Buffer,
    additional: Buffer,
    nonce: Buffer,
    key: Buffer,
  ): number;
}

/**
 * ChaCha20-Poly1305 (RFC 8439) by libsodium: about half the time that `node:crypto` takes for AES-256-GCM up to a few
 * kilobytes, and no gain from 16 kilobytes on. New values carry this cipher's number, so every process opens them, with or without the library, and values sealed with
 * AES-256-GCM stay readable. The package is the application's: `npm install sodium-native`, version 5.
 *
 * Errors: REDKEEP_GUARD_OPTION when what was passed does not agree with `node:crypto`.
 *
 * @example
 * // sodium: createRequire(import.meta.url)('sodium-native')
 * const encryption = new Encryption({ keys, environment: 'production', accelerator: sodiumAccelerator(sodium) });
 */
export function sodiumAccelerator(sodium: SodiumNative): Accelerator {
  const accelerator: Accelerator = {
    algorithm: 'chacha20-poly1305',
    seal(key, nonce, aad, plaintext, out, offset) {
      // Encrypted in place: the only copy of the plaintext is the one that is overwritten.
      const end = out.length - TAG_BYTES;
      if (typeof plaintext === 'string') out.write(plaintext, offset);
      else out.set(plaintext, offset);
      sodium.crypto_aead_chacha20poly1305_ietf_encrypt(
        out.subarray(offset),
        out.subarray(offset, end),
        aad,
        null,
        nonce,
        key,
      );
    },
    open(key, nonce, aad, sealed, offset) {
      const plaintext = Buffer.allocUnsafe(sealed.length - TAG_BYTES - offset);
      try {
        sodium.crypto_aead_chacha20poly1305_ietf_decrypt(plaintext, null, sealed.subarray(offset), aad, nonce, key);
      } catch {
        return undefined;
      }
      return plaintext;
    },
  };
  if (!agrees(accelerator)) throw new GuardError('REDKEEP_GUARD_OPTION', 'sodium does not agree with node:crypto');
  return accelerator;
}

/** A library that encrypts differently, or accepts what was forged, is noticed before it seals anything. */
function agrees(accelerator: Accelerator): boolean {
  const [key, nonce, aad] = [Buffer.alloc(32, 7), Buffer.alloc(12, 1), Buffer.from('self-test')];
  const [ours, theirs] = [Buffer.alloc(5 + TAG_BYTES), Buffer.alloc(5 + TAG_BYTES)];
  try {
    chacha20Poly1305.seal(key, nonce, aad, 'value', ours, 0);
    accelerator.seal(key, nonce, aad, 'value', theirs, 0);
    if (!ours.equals(theirs) || accelerator.open(key, nonce, aad, ours, 0)?.toString() !== 'value') return false;
    ours[0]! ^= 1;
    return accelerator.open(key, nonce, aad, ours, 0) === undefined;
  } catch {
    return false;
  }
}
