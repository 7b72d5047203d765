import { createHmac, type KeyObject, sign, verify } from 'node:crypto';
import { GuardError } from '../errors.js';
import type { GuardClient } from '../redis/redis.js';
import { DataKey } from './data-key.js';
import type { Encryption, SealContext, Sealer } from './encryption.js';
import type { KeyWrapper } from './envelope-keys.js';
import { askProvider, decodeKey, type KeyMaterial } from './key-ring.js';
import type { KeyStore } from './key-store.js';

/** Options of {@link PersonKeys}. */
export interface PersonKeysOptions {
  /** Settings and format for sealing; its own keys are not used. */
  readonly encryption: Encryption;
  readonly wrapper: KeyWrapper;
  /** Kept apart from the data, on a server whose backups do not outlive the right to erasure. */
  readonly store: KeyStore;
  /** Client of the data, to refuse keeping keys beside it. */
  readonly data: GuardClient;
  /** 32 bytes that turn a person's name into a pseudonym: the store holds no personal identifiers. */
  readonly pseudonymKey: KeyMaterial;
  /** Milliseconds a process may go on using a key after it was destroyed elsewhere; default 10,000. */
  readonly cacheMs?: number;
  /**
   * Where an erasure is announced, so that every process forgets its copy at once instead of within `cacheMs`: a
   * client, cluster or sentinel-managed client of `redkeep`. Each process calls `listen` once. Messages hold pseudonyms.
   */
  readonly announce?: ErasureChannel;
  /** Ed25519 private key that signs erasure receipts. */
  readonly signWith?: KeyObject;
  readonly dangerouslyKeepKeysWithData?: boolean;
}

/** The two calls of a client that announcing an erasure needs. */
export interface ErasureChannel {
  publish(channel: string, message: string): Promise<unknown>;
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
}

/** Proof that a person's key was destroyed. Holds a pseudonym, no name. */
export interface ErasureReceipt {
  readonly kind: 'redkeep-erasure-v1';
  readonly person: string;
  /** Ids of the keys that existed and no longer do. */
  readonly keyIds: readonly string[];
  /** ISO 8601. */
  readonly erasedAt: string;
  /** When the last process has forgotten its copy. */
  readonly effectiveAt: string;
  /** Ed25519 over the fields above, base64; absent without `signWith`. */
  readonly signature?: string;
}

interface PersonRecord {
  readonly id?: string;
  readonly wrapped?: string;
  readonly receipt?: ErasureReceipt;
}

interface CachedKey {
  readonly key: DataKey;
  readonly until: number;
}

/** Channel of announcements; give the ACL user `&redkeep:erased`. */
const CHANNEL = 'redkeep:erased';

/** People whose unwrapped keys one process holds at a time. */
const MAX_CACHED = 10_000;

/**
 * One key per person. What is sealed for a person opens with that key only, so destroying it erases the person's
 * data in Redis, in replicas, in dumps and in backups at once (GDPR article 17; Ley 1581 of 2012, supresión).
 *
 * @example
 * await client.set('profile:42', await persons.sealer('user:42').seal(json, place), { expiration });
 * const receipt = await persons.erase('user:42');
 */
export class PersonKeys {
  readonly #options: PersonKeysOptions;
  readonly #pseudonymKey: Uint8Array;
  readonly #cacheMs: number;
  readonly #cache = new Map<string, CachedKey>();
  readonly #loading = new Map<string, Promise<DataKey>>();
  /** People whose key was evicted while it was being fetched: it is fetched again. */
  readonly #overtaken = new Set<string>();

  constructor(options: PersonKeysOptions) {
    if (options.store.client === options.data && options.dangerouslyKeepKeysWithData !== true)
      throw new GuardError('REDKEEP_PERSON_KEYS_WITH_DATA');
    this.#options = options;
    this.#pseudonymKey = decodeKey(options.pseudonymKey);
    this.#cacheMs = options.cacheMs ?? 10_000;
  }

  /** What stands for a person in key stores, audit trails and receipts. */
  pseudonym(person: string): string {
    return createHmac('sha256', this.#pseudonymKey).update(person).digest('base64url');
  }

  /** Seals and opens one person's values. Errors: REDKEEP_PERSON_ERASED, and those of `Encryption`. */
  sealer(person: string): Sealer {
    const { encryption } = this.#options;
    const find = async (id: string) => {
      const key = await this.#keyOf(person);
      return key.id === id ? key : undefined;
    };
    return {
      seal: async (plaintext: string | Uint8Array, context: SealContext) =>
        encryption.sealWith(await this.#keyOf(person), plaintext, context),
      open: (sealed: Uint8Array, context: SealContext) => encryption.openFrom({ find }, sealed, context),
    };
  }

  /**
   * Destroys a person's key. Works for people who never had data, too, and again returns the first receipt when
   * called twice. Values written by requests already running cannot be read afterwards either.
   */
  async erase(person: string): Promise<ErasureReceipt> {
    const { store, signWith } = this.#options;
    const name = this.#name(person);
    for (;;) {
      const held = await store.get(name);
      const record = parse(held);
      if (record.receipt !== undefined) return record.receipt;
      const now = Date.now();
      const unsigned: ErasureReceipt = {
        kind: 'redkeep-erasure-v1',
        person: this.pseudonym(person),
        keyIds: record.id === undefined ? [] : [record.id],
        erasedAt: new Date(now).toISOString(),
        effectiveAt: new Date(now + this.#cacheMs).toISOString(),
      };
      const signature = signWith && sign(null, signedText(unsigned), signWith).toString('base64');
      const receipt = signature === undefined ? unsigned : { ...unsigned, signature };
      if (!(await store.swap(name, held, JSON.stringify({ receipt } satisfies PersonRecord)))) continue;
      this.evict(person);
      // Nobody listening, or no way to say so: `cacheMs` still holds.
      await this.#options.announce?.publish(CHANNEL, receipt.person).catch(() => undefined);
      return receipt;
    }
  }

  /** Lets an erased person have data again, under a new key. False when they were not erased. */
  async admit(person: string): Promise<boolean> {
    const held = await this.#options.store.get(this.#name(person));
    if (parse(held).receipt === undefined) return false;
    return this.#options.store.swap(this.#name(person), held, await this.#newRecord(person));
  }

  /**
   * Forgets keys whose erasure other processes announce. Errors: REDKEEP_GUARD_OPTION without `announce`, and what
   * `subscribe` rejects with.
   */
  async listen(): Promise<void> {
    const { announce } = this.#options;
    if (announce === undefined) throw new GuardError('REDKEEP_GUARD_OPTION', 'announce');
    await announce.subscribe(CHANNEL, (pseudonym) => this.#evict(pseudonym));
  }

  /** Destroys this process's copy of a person's key, as an announcement does. */
  evict(person: string): void {
    this.#evict(this.pseudonym(person));
  }

  #evict(pseudonym: string): void {
    if (this.#loading.has(pseudonym)) this.#overtaken.add(pseudonym);
    this.#cache.get(pseudonym)?.key.destroy();
    this.#cache.delete(pseudonym);
  }

  #keyOf(person: string): Promise<DataKey> {
    const pseudonym = this.pseudonym(person);
    const cached = this.#cache.get(pseudonym);
    if (cached !== undefined && cached.until > performance.now()) return Promise.resolve(cached.key);
    let loading = this.#loading.get(pseudonym);
    if (loading === undefined) {
      loading = this.#load(person, cached).finally(() => this.#loading.delete(pseudonym));
      this.#loading.set(pseudonym, loading);
    }
    return loading;
  }

  async #load(person: string, cached: CachedKey | undefined): Promise<DataKey> {
    const { store, wrapper } = this.#options;
    const until = performance.now() + this.#cacheMs;
    const pseudonym = this.pseudonym(person);
    for (;;) {
      this.#overtaken.delete(pseudonym);
      const held = await store.get(this.#name(person));
      const record = parse(held);
      if (record.receipt !== undefined) {
        this.evict(person);
        throw new GuardError('REDKEEP_PERSON_ERASED');
      }
      const { wrapped } = record;
      if (wrapped === undefined) {
        await store.swap(this.#name(person), held, await this.#newRecord(person));
        continue;
      }
      // The same key again keeps its nonce counter.
      const same = cached !== undefined && cached.key.id === record.id && this.#cache.get(pseudonym) === cached;
      const key = same
        ? cached.key
        : new DataKey(await askProvider(() => wrapper.unwrap(wrapped, `person:${pseudonym}`)));
      if (this.#overtaken.has(pseudonym)) {
        if (!same) key.destroy();
        continue;
      }
      if (this.#cache.size >= MAX_CACHED) this.#cache.delete(this.#cache.keys().next().value!);
      this.#cache.set(pseudonym, { key, until });
      return key;
    }
  }

  async #newRecord(person: string): Promise<string> {
    const key = DataKey.generate();
    const { wrapper } = this.#options;
    const wrapped = await askProvider(() => wrapper.wrap(key.exposeSecret(), `person:${this.pseudonym(person)}`));
    return JSON.stringify({ id: key.id, wrapped } satisfies PersonRecord);
  }

  #name(person: string): string {
    return `person:${this.pseudonym(person)}`;
  }
}

/** Whether a receipt was signed by the holder of this public key and is unchanged. */
export function verifyErasureReceipt(receipt: ErasureReceipt, publicKey: KeyObject): boolean {
  if (receipt.signature === undefined) return false;
  return verify(null, signedText(receipt), publicKey, Buffer.from(receipt.signature, 'base64'));
}

function signedText({ kind, person, keyIds, erasedAt, effectiveAt }: ErasureReceipt): Buffer {
  return Buffer.from(JSON.stringify([kind, person, keyIds, erasedAt, effectiveAt]));
}

function parse(held: string | undefined): PersonRecord {
  return held === undefined ? {} : (JSON.parse(held) as PersonRecord);
}
