import { GuardError } from '../errors.js';
import { checked, keyStore, keyWrapper, number, required, type Schema } from '../options.js';
import { DataKey } from './data-key.js';
import { askProvider, type KeyRing } from './key-ring.js';
import type { KeyStore } from './key-store.js';

/** A key-encryption key that never leaves its home: Vault, a KMS, or a local ring. */
export interface KeyWrapper {
  /** Encrypts a data key. `context` is bound to it where the provider can. */
  wrap(key: Buffer, context: string): Promise<string>;
  unwrap(wrapped: string, context: string): Promise<Buffer>;
}

/** Options of {@link EnvelopeKeys}. */
export interface EnvelopeKeysOptions {
  readonly wrapper: KeyWrapper;
  readonly store: KeyStore;
  /** Milliseconds after which new values get a new data key; default 30 days, 1 ms to ten years. Old keys stay readable. */
  readonly rotateAfterMs?: number;
}

/** Milliseconds between looks at which key is current, so that a rotation reaches every process. */
const REFRESH_MS = 60_000;
const CURRENT = 'current';
const ENVELOPE: Schema<EnvelopeKeysOptions> = {
  wrapper: required(keyWrapper),
  store: required(keyStore),
  rotateAfterMs: number(0, 3660 * 86_400_000),
};

interface CurrentRecord {
  readonly id: string;
  readonly createdAt: number;
}

/**
 * Envelope encryption: data keys are made here, wrapped by a key that never leaves its provider, and kept wrapped in
 * a key store. The provider is asked once per data key and process, not per value; while it is away, keys already
 * unwrapped go on working. Rotating the provider's key needs no re-encryption of values: `rewrap`.
 */
export class EnvelopeKeys implements KeyRing {
  readonly #wrapper: KeyWrapper;
  readonly #store: KeyStore;
  readonly #rotateAfterMs: number;
  readonly #keys = new Map<string, DataKey>();
  readonly #loading = new Map<string, Promise<DataKey | undefined>>();
  #current: DataKey | undefined;
  #choosing: Promise<DataKey> | undefined;
  #checkedAt = Number.NEGATIVE_INFINITY;

  constructor(given: EnvelopeKeysOptions) {
    const options = checked(given, ENVELOPE);
    this.#wrapper = options.wrapper;
    this.#store = options.store;
    this.#rotateAfterMs = options.rotateAfterMs ?? 30 * 86_400_000;
  }

  current(): DataKey | Promise<DataKey> {
    const key = this.#current;
    if (key !== undefined && performance.now() - this.#checkedAt < REFRESH_MS) return key;
    const choosing = this.#choose();
    if (key === undefined) return choosing;
    choosing.catch(() => undefined);
    return key;
  }

  find(id: string): DataKey | undefined | Promise<DataKey | undefined> {
    return this.#keys.get(id) ?? this.#load(id);
  }

  /** Makes a new data key now and uses it for new values. Returns its id. */
  async rotate(): Promise<string> {
    const held = await this.#store.get(CURRENT);
    this.#current = await this.#make(held);
    this.#checkedAt = performance.now();
    return this.#current.id;
  }

  /** Wraps a data key anew after the provider's key was rotated. False when there is no such key. */
  async rewrap(id: string): Promise<boolean> {
    const held = await this.#store.get(`dek:${id}`);
    const key = await this.#load(id);
    if (held === undefined || key === undefined) return false;
    return this.#store.swap(`dek:${id}`, held, await this.#wrapper.wrap(key.exposeSecret(), id));
  }

  /** Wraps every data key anew, so that an old key of the provider can be dropped. Returns how many. */
  async rewrapAll(): Promise<number> {
    if (this.#store.names === undefined) throw new GuardError('REDKEEP_GUARD_OPTION', 'the key store lists no names');
    let count = 0;
    for await (const name of this.#store.names('dek:')) if (await this.rewrap(name.slice('dek:'.length))) count += 1;
    return count;
  }

  #choose(): Promise<DataKey> {
    this.#choosing ??= this.#chooseNow().finally(() => {
      this.#choosing = undefined;
    });
    return this.#choosing;
  }

  async #chooseNow(): Promise<DataKey> {
    const held = await this.#store.get(CURRENT);
    let key: DataKey | undefined;
    if (held !== undefined) {
      const { id, createdAt } = JSON.parse(held) as CurrentRecord;
      if (Date.now() - createdAt < this.#rotateAfterMs) {
        key = await this.find(id);
        if (key === undefined) throw new GuardError('REDKEEP_ENCRYPTION_KEY_UNKNOWN', `key id ${id}`);
      }
    }
    key ??= await this.#make(held);
    this.#current = key;
    this.#checkedAt = performance.now();
    return key;
  }

  /** A new current key; when another process was faster, that one. */
  async #make(held: string | undefined): Promise<DataKey> {
    const key = DataKey.generate();
    const wrapped = await askProvider(() => this.#wrapper.wrap(key.exposeSecret(), key.id));
    await this.#store.swap(`dek:${key.id}`, undefined, wrapped);
    const record: CurrentRecord = { id: key.id, createdAt: Date.now() };
    if (await this.#store.swap(CURRENT, held, JSON.stringify(record))) {
      this.#keys.set(key.id, key);
      return key;
    }
    const { id } = JSON.parse((await this.#store.get(CURRENT))!) as CurrentRecord;
    const theirs = await this.find(id);
    if (theirs === undefined) throw new GuardError('REDKEEP_ENCRYPTION_KEY_UNKNOWN', `key id ${id}`);
    return theirs;
  }

  #load(id: string): Promise<DataKey | undefined> {
    let loading = this.#loading.get(id);
    if (loading === undefined) {
      loading = this.#loadNow(id).finally(() => this.#loading.delete(id));
      this.#loading.set(id, loading);
    }
    return loading;
  }

  async #loadNow(id: string): Promise<DataKey | undefined> {
    const wrapped = await this.#store.get(`dek:${id}`);
    if (wrapped === undefined) return undefined;
    const key = new DataKey(await askProvider(() => this.#wrapper.unwrap(wrapped, id)));
    // A wrapped key copied under another id must not stand for it.
    if (key.id !== id) throw new GuardError('REDKEEP_ENCRYPTION_TAMPERED', 'wrapped key');
    this.#keys.set(id, key);
    return key;
  }
}
