import { createHmac } from 'node:crypto';
import { GuardError } from '../errors.js';
import { callback, checked, keys as keyList, required, type Schema, text, whole } from '../options.js';
import { wellFormed } from '../well-formed.js';
import { decodeKey, type KeyMaterial } from './key-ring.js';

/** Options of {@link BlindIndex}. */
export interface BlindIndexOptions {
  /** What is indexed ("customers.email"); two fields with equal values have unlike indexes. */
  readonly field: string;
  /** Keys of 32 bytes used for nothing else, newest first. */
  readonly keys: readonly KeyMaterial[];
  /** Brings values that mean the same to the same text; default: NFKC, trimmed, lower case. */
  readonly normalize?: (value: string) => string;
  /** Length of an index in bits, 32 to 256, default 128. Short ones collide, which hides which rows are equal. */
  readonly bits?: number;
}

const BLIND_INDEX: Schema<BlindIndexOptions> = {
  field: required(text),
  keys: required(keyList),
  normalize: callback,
  bits: whole(32, 256),
};

/**
 * Equality search over encrypted values: a keyed hash (HMAC-SHA256) stored beside the ciphertext. Anyone who reads the
 * indexes learns which rows have equal values and how often each occurs, and nothing else without the key; with the
 * key, guessable values (phone numbers) can be found by trying. Index nothing with few possible values.
 *
 * @example
 * const email = new BlindIndex({ field: 'customers.email', keys: [key] });
 * await client.set(`customer-by-email:${email.of('Ana@example.com')}`, id, { expiration });
 */
export class BlindIndex {
  readonly #keys: readonly Uint8Array[];
  readonly #field: string;
  readonly #normalize: (value: string) => string;
  readonly #bytes: number;

  constructor(given: BlindIndexOptions) {
    const options = checked(given, BLIND_INDEX);
    const bits = options.bits ?? 128;
    if (bits % 8 !== 0) throw new GuardError('REDKEEP_GUARD_OPTION', 'bits must be a multiple of 8 from 32 to 256');
    this.#keys = options.keys.map(decodeKey);
    this.#field = options.field;
    this.#normalize = options.normalize ?? ((value) => value.normalize('NFKC').trim().toLowerCase());
    this.#bytes = bits / 8;
  }

  /** Index of a value under the newest key, base64url: what to store. */
  of(value: string): string {
    return this.#index(this.#keys[0]!, value);
  }

  /** Indexes under every key, newest first: what to look for while rows under old keys remain. */
  allOf(value: string): string[] {
    return this.#keys.map((key) => this.#index(key, value));
  }

  #index(key: Uint8Array, value: string): string {
    const mac = createHmac('sha256', key).update(`${this.#field.length}:${this.#field}`);
    return mac
      .update(wellFormed(this.#normalize(value), 'value'))
      .digest()
      .subarray(0, this.#bytes)
      .toString('base64url');
  }
}
