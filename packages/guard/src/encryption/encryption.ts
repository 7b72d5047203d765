import { GuardError } from '../errors.js';
import { checked, either, having, oneOf, required, type Schema, text, whole } from '../options.js';
import { wellFormed } from '../well-formed.js';
import { type Aead, aes256Gcm, chacha20Poly1305 } from './aead.js';
import { compress, decompress, pad, unpad } from './body.js';
import type { DataKey } from './data-key.js';
import type { Awaitable, KeyRing } from './key-ring.js';
import {
  ALGORITHM,
  type AlgorithmId,
  COUNTER_OFFSET,
  FLAG,
  HEADER_BYTES,
  isSealed,
  keyIdOf,
  SALT_BYTES,
  SALT_OFFSET,
  TAG_BYTES,
  writeHeader,
} from './sealed-format.js';

/** Where a value lives. All parts are authenticated, so a value copied elsewhere does not open. */
export interface SealContext {
  /** Name of the key space. */
  readonly space: string;
  /** Full Redis key. */
  readonly key: string;
  /** Hash field, list purpose or member; absent for plain strings. */
  readonly field?: string;
}

/** Seals and opens values; what key spaces, sessions, caches and trails are given. */
export interface Sealer {
  seal(plaintext: string | Uint8Array, context: SealContext): Awaitable<Buffer>;
  open(sealed: Uint8Array, context: SealContext): Awaitable<Buffer>;
}

/** Options of {@link Encryption}. */
export interface EncryptionOptions {
  /** Where keys come from: `keysFromFile(…)`, `envelopeKeys(…)`, … */
  readonly keys: KeyRing;
  /** Deployment this data belongs to ("production"); values of one environment do not open in another. */
  readonly environment: string;
  /**
   * Compress bodies of at least this many bytes. Off unless set: the length of a compressed value reveals something
   * about its content (CRIME), which matters when secrets and text an attacker chose share one value.
   */
  readonly compressFrom?: number;
  /** Pad bodies to a multiple of this many bytes (2 to 65,536), so that lengths reveal less. */
  readonly padTo?: number;
  /** Largest plaintext in bytes, before sealing and after opening; default 16 MiB. */
  readonly maxBytes?: number;
  /** What to do with a stored value that was never sealed; default `reject`. */
  readonly legacyPlaintext?: 'reject' | 'dangerouslyAccept';
  /** Faster cipher for new values; see `sodiumAccelerator`. Values stay readable without it. */
  readonly accelerator?: Accelerator;
}

/** A native implementation of one of the two ciphers. */
export interface Accelerator extends Aead {
  readonly algorithm: 'aes-256-gcm' | 'chacha20-poly1305';
}

const DEFAULT_MAX_BYTES = 16 * 1024 * 1024;
const ENCRYPTION: Schema<EncryptionOptions> = {
  keys: required(having('a key ring: keysFromFile(…), new EnvelopeKeys(…)', 'current', 'find')),
  environment: required(text),
  compressFrom: whole(0),
  padTo: either((value) => value === 0, whole(2, 65_536)),
  maxBytes: whole(1),
  legacyPlaintext: oneOf('reject', 'dangerouslyAccept'),
  accelerator: having('an accelerator: sodiumAccelerator(…)', 'seal', 'open'),
};

/**
 * Authenticated encryption of stored values: AES-256-GCM, one subkey per process, counter nonces, the key name as
 * additional data. 49 bytes are added to each value; a 256-byte value costs about 3 microseconds each way.
 *
 * @example
 * const encryption = new Encryption({ keys: keysFromFile('/run/secrets/redis-keys'), environment: 'production' });
 * const sealed = await encryption.seal('secret', { space: 'notes', key: 'notes:1' });
 * await client.set('notes:1', sealed, { expiration: { type: 'EX', value: 3600 } });
 */
export class Encryption implements Sealer {
  readonly #keys: KeyRing;
  readonly #environment: string;
  readonly #compressFrom: number;
  readonly #padTo: number;
  readonly #maxBytes: number;
  readonly #legacy: 'reject' | 'dangerouslyAccept';
  readonly #sealWith: AlgorithmId;
  readonly #ciphers: Record<AlgorithmId, Aead>;
  readonly #prefixes = new Map<string, Buffer>();
  readonly #nonce = Buffer.alloc(12);
  #aad = Buffer.allocUnsafe(1024);

  constructor(given: EncryptionOptions) {
    const options = checked(given, ENCRYPTION);
    const padTo = options.padTo ?? 0;
    this.#keys = options.keys;
    this.#environment = options.environment;
    this.#compressFrom = options.compressFrom ?? Number.POSITIVE_INFINITY;
    this.#padTo = padTo;
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
    this.#legacy = options.legacyPlaintext ?? 'reject';
    const accelerator = options.accelerator;
    this.#ciphers = { [ALGORITHM.aes256Gcm]: aes256Gcm, [ALGORITHM.chacha20Poly1305]: chacha20Poly1305 };
    this.#sealWith = accelerator?.algorithm === 'chacha20-poly1305' ? ALGORITHM.chacha20Poly1305 : ALGORITHM.aes256Gcm;
    if (accelerator !== undefined) this.#ciphers[this.#sealWith] = accelerator;
  }

  /**
   * Seals a text or bytes for one place. Returns a promise only while the first key is still being fetched.
   * Errors: REDKEEP_VALUE_TOO_LARGE, REDKEEP_ENCRYPTION_KEY, REDKEEP_ENCRYPTION_PROVIDER.
   */
  seal(plaintext: string | Uint8Array, context: SealContext): Awaitable<Buffer> {
    const key = this.#keys.current();
    return key instanceof Promise
      ? key.then((loaded) => this.sealWith(loaded, plaintext, context))
      : this.sealWith(key, plaintext, context);
  }

  /**
   * Opens what `seal` made for the same place. Returns a promise only while its key is being fetched.
   * Errors: REDKEEP_ENCRYPTION_TAMPERED, _FOREIGN, _VERSION, _KEY_UNKNOWN, _PROVIDER; REDKEEP_VALUE_TOO_LARGE.
   */
  open(sealed: Uint8Array, context: SealContext): Awaitable<Buffer> {
    return this.openFrom(this.#keys, sealed, context);
  }

  /** Whether a stored value should be sealed again: it is plaintext, or under a key that is no longer the newest. */
  async isStale(stored: Uint8Array): Promise<boolean> {
    const bytes = asBuffer(stored);
    return !isSealed(bytes) || keyIdOf(bytes) !== (await this.#keys.current()).id;
  }

  /** Seals with a key the caller chose (one person's, one tenant's). */
  sealWith(key: DataKey, plaintext: string | Uint8Array, context: SealContext): Buffer {
    const length = typeof plaintext === 'string' ? Buffer.byteLength(plaintext) : plaintext.length;
    if (length > this.#maxBytes)
      throw new GuardError('REDKEEP_VALUE_TOO_LARGE', `${length} bytes, limit ${this.#maxBytes}`);
    let body = plaintext;
    let bodyLength = length;
    let flags = 0;
    if (length >= this.#compressFrom || this.#padTo !== 0) {
      let bytes = typeof body === 'string' ? Buffer.from(body) : asBuffer(body);
      if (length >= this.#compressFrom) {
        const smaller = compress(bytes);
        if (smaller.length < bytes.length) {
          bytes = smaller;
          flags |= FLAG.compressed;
        }
      }
      if (this.#padTo !== 0) {
        bytes = pad(bytes, this.#padTo);
        flags |= FLAG.padded;
      }
      body = bytes;
      bodyLength = bytes.length;
    }
    const out = Buffer.allocUnsafe(HEADER_BYTES + bodyLength + TAG_BYTES);
    const permit = key.nextNonce();
    writeHeader(out, this.#sealWith, flags, key.idBytes, permit.salt, permit.counter);
    const aad = this.#aadFor(out, context);
    this.#ciphers[this.#sealWith].seal(permit.key, this.#nonceFrom(out), aad, body, out, HEADER_BYTES);
    return out;
  }

  /** Opens with keys from another ring than this encryption's own. */
  openFrom(keys: Pick<KeyRing, 'find'>, sealed: Uint8Array, context: SealContext): Awaitable<Buffer> {
    const bytes = asBuffer(sealed);
    if (this.#legacy === 'dangerouslyAccept' && !isSealed(bytes)) return bytes;
    const key = keys.find(keyIdOf(bytes));
    return key instanceof Promise
      ? key.then((found) => this.#openWith(found, bytes, context))
      : this.#openWith(key, bytes, context);
  }

  #openWith(key: DataKey | undefined, sealed: Buffer, context: SealContext): Buffer {
    if (key === undefined) throw new GuardError('REDKEEP_ENCRYPTION_KEY_UNKNOWN', `key id ${keyIdOf(sealed)}`);
    if (sealed.length - HEADER_BYTES - TAG_BYTES > this.#maxBytes + 65_536)
      throw new GuardError('REDKEEP_VALUE_TOO_LARGE', `limit ${this.#maxBytes}`);
    const salt = sealed.toString('latin1', SALT_OFFSET, SALT_OFFSET + SALT_BYTES);
    const subkey = key.subkey(salt);
    const cipher = this.#ciphers[sealed[3] as AlgorithmId];
    let body = cipher.open(subkey, this.#nonceFrom(sealed), this.#aadFor(sealed, context), sealed, HEADER_BYTES);
    if (body === undefined) throw new GuardError('REDKEEP_ENCRYPTION_TAMPERED');
    key.keepSubkey(salt, subkey);
    const flags = sealed[4]!;
    if (flags & FLAG.padded) body = unpad(body);
    if (flags & FLAG.compressed) body = decompress(body, this.#maxBytes);
    return body;
  }

  /** 12-byte nonce: eight zeros, then the counter. Unique because the subkey is this process's own. */
  #nonceFrom(sealed: Buffer): Buffer {
    sealed.copy(this.#nonce, 8, COUNTER_OFFSET, COUNTER_OFFSET + 4);
    return this.#nonce;
  }

  /** header | environment | space | key | field, each part after its length, so that no two places read alike. */
  #aadFor(sealed: Buffer, context: SealContext): Buffer {
    const prefix = this.#prefixFor(context.space);
    const field = context.field ?? '';
    const most = HEADER_BYTES + prefix.length + 8 + 3 * (context.key.length + field.length);
    if (most > this.#aad.length) this.#aad = Buffer.allocUnsafe(most * 2);
    const aad = this.#aad;
    sealed.copy(aad, 0, 0, HEADER_BYTES);
    let at = HEADER_BYTES + prefix.copy(aad, HEADER_BYTES);
    at = writePart(aad, at, context.key);
    // A string and a hash field named '' differ by the flag byte.
    aad[at++] = context.field === undefined ? 0 : 1;
    at = writePart(aad, at, field);
    return aad.subarray(0, at);
  }

  #prefixFor(space: string): Buffer {
    let prefix = this.#prefixes.get(space);
    if (prefix === undefined) {
      const parts = [this.#environment, space].map((part) => Buffer.from(wellFormed(part, 'a part of the context')));
      prefix = Buffer.concat(parts.flatMap((part) => [lengthOf(part), part]));
      this.#prefixes.set(space, prefix);
    }
    return prefix;
  }
}

function lengthOf(part: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(part.length);
  return length;
}

function writePart(target: Buffer, at: number, text: string): number {
  const written = target.write(wellFormed(text, 'a part of the context'), at + 4);
  target.writeUInt32BE(written, at);
  return at + 4 + written;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
