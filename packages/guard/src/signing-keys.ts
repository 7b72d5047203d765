import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { decodeKey, type KeyMaterial } from './encryption/key-ring.js';

const ID_BYTES = 4;
const MAC_BYTES = 32;

interface SigningKey {
  readonly id: Buffer;
  readonly bytes: Uint8Array;
}

/**
 * HMAC keys, newest first, that sign what clients hold. A signature begins with the id of its key, so that keys can be
 * rotated: the newest signs, the key that is named verifies.
 */
export class SigningKeys {
  static readonly signatureBytes = ID_BYTES + MAC_BYTES;
  readonly #keys: readonly SigningKey[];
  readonly #purpose: string;

  constructor(keys: readonly KeyMaterial[], purpose: string) {
    this.#purpose = purpose;
    this.#keys = keys.map((key) => {
      const bytes = decodeKey(key);
      return {
        bytes,
        id: createHash('sha256').update('redkeep signing key id|').update(bytes).digest().subarray(0, ID_BYTES),
      };
    });
  }

  get newest(): Uint8Array {
    return this.#keys[0]!.bytes;
  }

  get all(): readonly Uint8Array[] {
    return this.#keys.map(({ bytes }) => bytes);
  }

  sign(...parts: readonly (string | Uint8Array)[]): Buffer {
    const key = this.#keys[0]!;
    return Buffer.concat([key.id, this.#mac(key, parts)]);
  }

  /** Whether the key that a signature names is among these. */
  knows(signature: Uint8Array): boolean {
    return this.#named(signature) !== undefined;
  }

  verify(text: string | Uint8Array, signature: Uint8Array, ...more: readonly string[]): boolean {
    const key = this.#named(signature);
    if (key === undefined || signature.length !== SigningKeys.signatureBytes) return false;
    return timingSafeEqual(this.#mac(key, [text, ...more]), signature.subarray(ID_BYTES));
  }

  #named(signature: Uint8Array): SigningKey | undefined {
    return this.#keys.find(({ id }) => id.equals(signature.subarray(0, ID_BYTES)));
  }

  #mac(key: SigningKey, parts: readonly (string | Uint8Array)[]): Buffer {
    const hmac = createHmac('sha256', key.bytes).update(`${this.#purpose}|`);
    for (const part of parts) hmac.update(part);
    return hmac.digest();
  }
}
