import { hkdfSync, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { GuardError } from '../errors.js';
import { KEY_ID_BYTES, SALT_BYTES } from './sealed-format.js';

/** A subkey seals at most this many values: its 32-bit counter must never come round. */
const MAX_COUNTER = 0xffffffff;
const KEY_BYTES = 32;
/** Subkeys of other processes kept for reading; deriving one again costs 9 microseconds. */
const SUBKEY_CACHE = 1024;
const NO_SALT = Buffer.alloc(0);

interface SealingSubkey {
  readonly salt: Buffer;
  readonly key: Buffer;
  counter: number;
}

/** What one value is sealed with: a subkey and a nonce that no other value will ever get. */
export interface NoncePermit {
  readonly salt: Buffer;
  readonly key: Buffer;
  readonly counter: number;
}

/**
 * A 256-bit key that seals and opens values. It never encrypts anything itself: each process derives its own subkey
 * with HKDF-SHA256 (RFC 5869) from 16 random bytes, and counts nonces below it. Random 96-bit nonces under one shared
 * key would reach their safety bound of 2^32 values in twelve hours at 100,000 writes a second; here each process has
 * that budget for each subkey, takes a new subkey when it is used up, and two processes collide only if their 128-bit
 * salts do. (A virtual machine that is snapshotted and resumed twice would repeat nonces: restart after cloning.)
 *
 * The id is derived from the key, so one id can never stand for two keys.
 */
export class DataKey {
  /** 16 hex digits. */
  readonly id: string;
  readonly idBytes: Buffer;
  #secret: Buffer | undefined;
  #sealing: SealingSubkey | undefined;
  readonly #opening = new Map<string, Buffer>();

  /** `secret`: exactly 32 bytes, copied. Errors: REDKEEP_ENCRYPTION_KEY. */
  constructor(secret: Uint8Array) {
    if (!(secret instanceof Uint8Array)) throw new GuardError('REDKEEP_ENCRYPTION_KEY', 'expected 32 bytes');
    if (secret.length !== KEY_BYTES)
      throw new GuardError('REDKEEP_ENCRYPTION_KEY', `expected 32 bytes, got ${secret.length}`);
    if (secret.every((byte) => byte === secret[0]))
      throw new GuardError('REDKEEP_ENCRYPTION_KEY', 'all bytes are equal');
    this.#secret = Buffer.from(secret);
    this.idBytes = this.#derive(NO_SALT, 'key-id', KEY_ID_BYTES);
    this.id = this.idBytes.toString('hex');
  }

  /** A fresh random key. */
  static generate(): DataKey {
    return new DataKey(randomBytes(KEY_BYTES));
  }

  /** The next unused nonce of this process, with its subkey. */
  nextNonce(): NoncePermit {
    let sealing = this.#sealing;
    if (sealing === undefined || sealing.counter === MAX_COUNTER) {
      const salt = randomBytes(SALT_BYTES);
      sealing = { salt, key: this.subkey(salt.toString('latin1')), counter: 0 };
      this.#sealing = sealing;
      this.keepSubkey(salt.toString('latin1'), sealing.key);
    }
    sealing.counter += 1;
    return sealing;
  }

  /** The subkey that a salt found in a sealed value stands for. `salt`: its 16 bytes as latin1 text. */
  subkey(salt: string): Buffer {
    this.#live();
    return this.#opening.get(salt) ?? this.#derive(Buffer.from(salt, 'latin1'), 'value', KEY_BYTES);
  }

  /** Remembers a subkey that opened a value; never one that did not, or forged salts would push out real ones. */
  keepSubkey(salt: string, subkey: Buffer): void {
    if (this.#opening.has(salt)) return;
    if (this.#opening.size >= SUBKEY_CACHE) this.#opening.delete(this.#opening.keys().next().value!);
    this.#opening.set(salt, subkey);
  }

  /** A key for another purpose (indexes, pseudonyms), independent of every value's key. */
  deriveFor(purpose: string): Buffer {
    return this.#derive(NO_SALT, `purpose/${purpose}`, KEY_BYTES);
  }

  /** The raw key, for wrapping it by a key-encryption key. Keep it out of logs, files and Redis. */
  exposeSecret(): Buffer {
    return Buffer.from(this.#live());
  }

  /** Overwrites the key in memory; every later use throws REDKEEP_ENCRYPTION_KEY. */
  destroy(): void {
    this.#secret?.fill(0);
    this.#secret = undefined;
    this.#sealing?.key.fill(0);
    for (const subkey of this.#opening.values()) subkey.fill(0);
    this.#opening.clear();
    this.#sealing = undefined;
  }

  #live(): Buffer {
    if (this.#secret === undefined) throw new GuardError('REDKEEP_ENCRYPTION_KEY', 'destroyed');
    return this.#secret;
  }

  #derive(salt: Uint8Array, purpose: string, bytes: number): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#live(), salt, `redkeep/v1/${purpose}`, bytes));
  }

  toJSON(): string {
    return `[DataKey ${this.id}]`;
  }

  [inspect.custom](): string {
    return this.toJSON();
  }
}
