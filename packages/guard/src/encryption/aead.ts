import { createCipheriv, createDecipheriv } from 'node:crypto';
import { ALGORITHM, type AlgorithmId, TAG_BYTES } from './sealed-format.js';

/**
 * The two ciphers behind a sealed value: AES-256-GCM (NIST SP 800-38D) and ChaCha20-Poly1305 (RFC 8439), 256-bit key,
 * 96-bit nonce, 128-bit tag. `node:crypto` provides both; an accelerator may provide one of them faster.
 */
export interface Aead {
  /** Writes ciphertext and tag into `out` at `offset`. */
  seal(key: Buffer, nonce: Buffer, aad: Buffer, plaintext: string | Uint8Array, out: Buffer, offset: number): void;
  /** Returns the plaintext of `sealed` from `offset` on, or undefined when it does not authenticate. */
  open(key: Buffer, nonce: Buffer, aad: Buffer, sealed: Buffer, offset: number): Buffer | undefined;
}

const aesOptions = { authTagLength: TAG_BYTES } as const;

function nodeAead(algorithm: AlgorithmId): Aead {
  const cipherFor = (key: Buffer, nonce: Buffer) =>
    algorithm === ALGORITHM.aes256Gcm
      ? createCipheriv('aes-256-gcm', key, nonce, aesOptions)
      : createCipheriv('chacha20-poly1305', key, nonce, aesOptions);
  const decipherFor = (key: Buffer, nonce: Buffer) =>
    algorithm === ALGORITHM.aes256Gcm
      ? createDecipheriv('aes-256-gcm', key, nonce, aesOptions)
      : createDecipheriv('chacha20-poly1305', key, nonce, aesOptions);
  return {
    seal(key, nonce, aad, plaintext, out, offset) {
      const cipher = cipherFor(key, nonce);
      // chacha20-poly1305 wants the length only in CCM-like modes; both accept plain AAD here.
      cipher.setAAD(aad, undefined as never);
      const body = typeof plaintext === 'string' ? cipher.update(plaintext, 'utf8') : cipher.update(plaintext);
      body.copy(out, offset);
      cipher.final();
      cipher.getAuthTag().copy(out, offset + body.length);
    },
    open(key, nonce, aad, sealed, offset) {
      const tagAt = sealed.length - TAG_BYTES;
      const decipher = decipherFor(key, nonce);
      decipher.setAAD(aad, undefined as never);
      decipher.setAuthTag(sealed.subarray(tagAt));
      const plaintext = decipher.update(sealed.subarray(offset, tagAt));
      try {
        decipher.final();
      } catch {
        return undefined;
      }
      return plaintext;
    },
  };
}

/** AES-256-GCM on node:crypto. */
export const aes256Gcm: Aead = nodeAead(ALGORITHM.aes256Gcm);
/** ChaCha20-Poly1305 on node:crypto. */
export const chacha20Poly1305: Aead = nodeAead(ALGORITHM.chacha20Poly1305);
