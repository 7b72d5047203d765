import { createHmac, type KeyObject, sign, verify } from 'node:crypto';
import { GuardError, hasCode } from '../errors.js';
import {
  anObject,
  argument,
  checked,
  client,
  flag,
  having,
  key,
  keyStore,
  keyWrapper,
  number,
  publicKeyObject,
  required,
  type Schema,
  signingKey,
  whole,
} from '../options.js';
import type { GuardClient } from '../redis/redis.js';
import { checkedName } from '../well-formed.js';
import { DataKey } from './data-key.js';
import type { Encryption, SealContext, Sealer } from './encryption.js';
import type { KeyWrapper } from './envelope-keys.js';
import { askProvider, decodeKey, type KeyMaterial } from './key-ring.js';
import type { KeyStore, Replication } from './key-store.js';

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
  /** Milliseconds an erasure waits for the replicas of the key store; default 1000. */
  readonly confirmMs?: number;
  /** Replicas that must have an erasure, or `erase` rejects with REDKEEP_PERSON_UNCONFIRMED; default 0. */
  readonly requireReplicas?: number;
  readonly dangerouslyKeepKeysWithData?: boolean;
}

/** The two calls of a client that announcing an erasure needs. */
export interface ErasureChannel {
  publish(channel: string, message: string): Promise<unknown>;
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
}

/** Proof that a person's key was destroyed. Holds a pseudonym, no name. */
export interface ErasureReceipt {
  readonly kind: 'redkeep-erasure-v2';
  readonly person: string;
  /** Ids of the keys that existed and no longer do. */
  readonly keyIds: readonly string[];
  /** ISO 8601, by the clock of the key store. */
  readonly erasedAt: string;
  /** When the last process has forgotten its copy, by the longest `cacheMs` that any process has said to use. */
  readonly effectiveAt: string;
  /**
   * What is certain about copies of the key store: a replica that is not confirmed could become the primary and bring
   * the key back (see `PersonKeys.enforce`). `unknown`: the store does not say.
   */
  readonly replication: Replication | 'unknown';
  /** Ed25519 over the fields above, base64; absent without `signWith`. */
  readonly signature?: string;
}

/** What a re-wrapping did. */
export interface RewrapResult {
  readonly rewrapped: number;
  /** Records whose key does not unwrap: left as they are. */
  readonly failed: number;
}

/** What is stored of an erasure. */
type Erased = Pick<ErasureReceipt, 'keyIds' | 'erasedAt' | 'effectiveAt'>;

interface PersonRecord {
  readonly id?: string;
  readonly wrapped?: string;
  readonly erased?: Erased;
}

interface CachedKey {
  readonly key: DataKey;
  readonly until: number;
}

/** Channel of announcements; give the ACL user `&redkeep:erased`. */
const CHANNEL = 'redkeep:erased';

/** People whose unwrapped keys one process holds at a time. */
const MAX_CACHED = 10_000;
/** Longest that a process may hold a key unasked. */
const MAX_CACHE_MS = 86_400_000;
const PERSON_KEYS: Schema<PersonKeysOptions> = {
  encryption: required(having('an Encryption', 'sealWith', 'openFrom')),
  wrapper: required(keyWrapper),
  store: required(keyStore),
  data: required(client),
  pseudonymKey: required(key),
  cacheMs: number(0, MAX_CACHE_MS),
  announce: having('a client of redkeep', 'publish', 'subscribe'),
  signWith: signingKey,
  confirmMs: number(0, 600_000),
  requireReplicas: whole(0, 100),
  dangerouslyKeepKeysWithData: flag,
};
/** Record that says the longest `cacheMs` of all processes. */
const SETTINGS = 'person-settings';

/**
 * One key per person. What is sealed for a person opens with that key only, so destroying it erases the person's
 * data in Redis, in replicas, in dumps and in backups of the data, everywhere within `cacheMs` (GDPR article 17; Ley
 * 1581 of 2012, supresión). The key store's own replicas and backups can bring a key back: the receipt says what is
 * certain, and `enforce` repeats erasures.
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
  readonly #loading = new Map<string, Promise<DataKey | undefined>>();
  /** People whose key was evicted while it was being fetched: it is fetched again. */
  readonly #overtaken = new Set<string>();
  #sweep: NodeJS.Timeout | undefined;
  #ready: Promise<void> | undefined;

  constructor(given: PersonKeysOptions) {
    const options = checked(given, PERSON_KEYS);
    if (options.store.client === options.data && options.dangerouslyKeepKeysWithData !== true)
      throw new GuardError('REDKEEP_PERSON_KEYS_WITH_DATA');
    this.#options = options;
    this.#pseudonymKey = decodeKey(options.pseudonymKey);
    this.#cacheMs = options.cacheMs ?? 10_000;
  }

  /** What stands for a person in key stores, audit trails and receipts. */
  pseudonym(person: string): string {
    return createHmac('sha256', this.#pseudonymKey).update(checkedName(person, 'person')).digest('base64url');
  }

  /**
   * Id of a person's key, which every value sealed for them names; undefined for somebody who has none.
   * Errors: REDKEEP_PERSON_ERASED, REDKEEP_STORE_….
   */
  async keyIdOf(person: string): Promise<string | undefined> {
    return (await this.#keyOf(this.pseudonym(person), false))?.id;
  }

  /** Seals and opens one person's values. Errors: REDKEEP_PERSON_ERASED, and those of `Encryption`. */
  sealer(person: string): Sealer {
    return this.sealerOf(this.pseudonym(person));
  }

  /** The same by pseudonym, as audit trails keep it. */
  sealerOf(pseudonym: string): Sealer {
    const { encryption } = this.#options;
    const find = async (id: string) => {
      // Opening makes no key: what is not there cannot have sealed anything.
      const key = await this.#keyOf(pseudonym, false);
      return key?.id === id ? key : undefined;
    };
    return {
      seal: async (plaintext: string | Uint8Array, context: SealContext) =>
        encryption.sealWith((await this.#keyOf(pseudonym, true))!, plaintext, context),
      open: (sealed: Uint8Array, context: SealContext) => encryption.openFrom({ find }, sealed, context),
    };
  }

  /**
   * Destroys a person's key. Works for people who never had data, too, and again when called twice. Values written by
   * requests already running cannot be read afterwards either.
   * Errors: REDKEEP_PERSON_UNCONFIRMED when fewer than `requireReplicas` have it; REDKEEP_STORE_UNAVAILABLE.
   */
  async erase(person: string): Promise<ErasureReceipt> {
    return this.#erase(this.pseudonym(person));
  }

  /**
   * Repeats erasures whose keys came back: after a failover to a replica that had missed one, or a restored backup of
   * the key store. Keep receipts outside it. Returns the pseudonyms that had to be erased again.
   */
  async enforce(receipts: Iterable<Pick<ErasureReceipt, 'person' | 'keyIds'>>): Promise<string[]> {
    const again: string[] = [];
    for (const { person, keyIds } of receipts) {
      const { id } = parse(await this.#options.store.get(nameOf(person)));
      if (id === undefined || !keyIds.includes(id)) continue;
      await this.#erase(person);
      again.push(person);
    }
    return again;
  }

  /** Lets an erased person have data again, under a new key. False when they were not erased. */
  async reinstate(person: string): Promise<boolean> {
    const pseudonym = this.pseudonym(person);
    const held = await this.#options.store.get(nameOf(pseudonym));
    if (parse(held).erased === undefined) return false;
    return this.#options.store.swap(nameOf(pseudonym), held, await this.#newRecord(pseudonym));
  }

  /**
   * Wraps every person's key anew, beside the traffic, with what the wrapper uses now: after its key was rotated, so
   * that the old one can be dropped. When it ends with `failed: 0`, it can.
   * Errors: REDKEEP_GUARD_OPTION for a store that cannot list its names.
   */
  async rewrapAll(): Promise<RewrapResult> {
    const { store, wrapper } = this.#options;
    if (store.names === undefined) throw new GuardError('REDKEEP_GUARD_OPTION', 'the key store lists no names');
    const count = { rewrapped: 0, failed: 0 };
    const seen = new Set<string>();
    for await (const name of store.names('person:')) {
      if (seen.has(name)) continue;
      seen.add(name);
      for (;;) {
        const held = await store.get(name);
        const record = parse(held);
        const { wrapped } = record;
        if (wrapped === undefined) break;
        let again: string;
        try {
          again = await askProvider(async () => wrapper.wrap(await wrapper.unwrap(wrapped, name), name));
        } catch (error) {
          if (hasCode(error, 'REDKEEP_ENCRYPTION_PROVIDER')) throw error;
          count.failed += 1;
          break;
        }
        // Erased or re-wrapped meanwhile: look again.
        if (!(await store.swap(name, held, JSON.stringify({ ...record, wrapped: again } satisfies PersonRecord))))
          continue;
        count.rewrapped += 1;
        break;
      }
    }
    return count;
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

  async #erase(pseudonym: string): Promise<ErasureReceipt> {
    const { store } = this.#options;
    const name = nameOf(pseudonym);
    await this.#prepare();
    for (;;) {
      const held = await store.get(name);
      const record = parse(held);
      let { erased } = record;
      if (erased === undefined) {
        // Not this process's clock: where it is behind, copies would outlive `effectiveAt`.
        const now = (await store.now?.(name)) ?? Date.now();
        erased = {
          keyIds: record.id === undefined ? [] : [record.id],
          erasedAt: new Date(now).toISOString(),
          effectiveAt: new Date(now + (await this.#longestCacheMs())).toISOString(),
        };
        if (!(await store.swap(name, held, JSON.stringify({ erased } satisfies PersonRecord)))) continue;
      }
      this.#evict(pseudonym);
      // Nobody listening, or no way to announce it: `cacheMs` still holds.
      await this.#options.announce?.publish(CHANNEL, pseudonym).catch(() => undefined);
      return this.#receipt(pseudonym, erased);
    }
  }

  async #receipt(person: string, erased: Erased): Promise<ErasureReceipt> {
    const { store, signWith, confirmMs = 1000, requireReplicas = 0 } = this.#options;
    const known = await store.replicated?.(nameOf(person), confirmMs, requireReplicas).catch((error: unknown) => {
      if (hasCode(error, 'REDKEEP_STORE_DENIED', 'REDKEEP_STORE_REFUSED')) return undefined;
      throw error;
    });
    if ((known?.confirmed ?? 0) < requireReplicas)
      throw new GuardError('REDKEEP_PERSON_UNCONFIRMED', `${known?.confirmed ?? 'unknown'} of ${requireReplicas}`);
    const { keyIds, erasedAt, effectiveAt } = erased;
    const replication = known ?? 'unknown';
    const unsigned = { kind: 'redkeep-erasure-v2', person, keyIds, erasedAt, effectiveAt, replication } as const;
    if (signWith === undefined) return unsigned;
    return { ...unsigned, signature: sign(null, signedText(unsigned), signWith).toString('base64') };
  }

  /** Once: notes this process's `cacheMs`, and looks whether keys are beside the data. */
  #prepare(): Promise<void> {
    this.#ready ??= this.#prepareNow().catch((error: unknown) => {
      this.#ready = undefined;
      throw error;
    });
    return this.#ready;
  }

  async #prepareNow(): Promise<void> {
    const { store, data, dangerouslyKeepKeysWithData } = this.#options;
    if (dangerouslyKeepKeysWithData !== true) {
      const beside = await store.isBeside?.(data);
      if (beside === true) throw new GuardError('REDKEEP_PERSON_KEYS_WITH_DATA');
      if (beside === undefined) warnOfPlace();
    }
    for (;;) {
      const held = await store.get(SETTINGS);
      if (cacheMsIn(held) >= this.#cacheMs) return;
      if (await store.swap(SETTINGS, held, JSON.stringify({ cacheMs: this.#cacheMs }))) return;
    }
  }

  async #longestCacheMs(): Promise<number> {
    return Math.max(this.#cacheMs, cacheMsIn(await this.#options.store.get(SETTINGS)));
  }

  #evict(pseudonym: string): void {
    if (this.#loading.has(pseudonym)) this.#overtaken.add(pseudonym);
    this.#cache.get(pseudonym)?.key.destroy();
    this.#cache.delete(pseudonym);
  }

  async #keyOf(pseudonym: string, make: boolean): Promise<DataKey | undefined> {
    const cached = this.#cache.get(pseudonym);
    if (cached !== undefined && cached.until > performance.now()) return cached.key;
    let loading = this.#loading.get(pseudonym);
    if (loading === undefined) {
      loading = this.#load(pseudonym, make, cached).finally(() => this.#loading.delete(pseudonym));
      this.#loading.set(pseudonym, loading);
    }
    // A load for opening may have found nothing where this one has to make a key.
    return (await loading) ?? (make ? this.#keyOf(pseudonym, true) : undefined);
  }

  async #load(pseudonym: string, make: boolean, cached: CachedKey | undefined): Promise<DataKey | undefined> {
    const { store, wrapper } = this.#options;
    const name = nameOf(pseudonym);
    await this.#prepare();
    for (;;) {
      const until = performance.now() + this.#cacheMs;
      this.#overtaken.delete(pseudonym);
      const held = await store.get(name);
      const { erased, wrapped, id } = parse(held);
      if (erased !== undefined) {
        this.#evict(pseudonym);
        throw new GuardError('REDKEEP_PERSON_ERASED');
      }
      if (wrapped === undefined) {
        if (!make) return undefined;
        await store.swap(name, held, await this.#newRecord(pseudonym));
        continue;
      }
      // The same key again keeps its nonce counter.
      const same = cached !== undefined && cached.key.id === id && this.#cache.get(pseudonym) === cached;
      const key = same ? cached.key : new DataKey(await askProvider(() => wrapper.unwrap(wrapped, name)));
      if (this.#overtaken.has(pseudonym)) {
        if (!same) key.destroy();
        continue;
      }
      this.#keep(pseudonym, { key, until });
      return key;
    }
  }

  #keep(pseudonym: string, entry: CachedKey): void {
    if (this.#cache.size >= MAX_CACHED && !this.#cache.has(pseudonym)) {
      const [oldest] = this.#cache.keys();
      this.#evict(oldest!);
    }
    this.#cache.delete(pseudonym);
    this.#cache.set(pseudonym, entry);
    this.#sweepLater(entry.until);
  }

  /** Destroys copies whose time is over, also when nobody asks for them any more. */
  #sweepLater(at: number): void {
    this.#sweep ??= setTimeout(
      () => {
        this.#sweep = undefined;
        const now = performance.now();
        let next = Number.POSITIVE_INFINITY;
        for (const [pseudonym, { until }] of this.#cache) {
          if (until <= now) this.#evict(pseudonym);
          else next = Math.min(next, until);
        }
        if (next !== Number.POSITIVE_INFINITY) this.#sweepLater(next);
      },
      Math.max(1, Math.ceil(at - performance.now())),
    ).unref();
  }

  async #newRecord(pseudonym: string): Promise<string> {
    const key = DataKey.generate();
    const { wrapper } = this.#options;
    const wrapped = await askProvider(() => wrapper.wrap(key.exposeSecret(), nameOf(pseudonym)));
    const record = JSON.stringify({ id: key.id, wrapped } satisfies PersonRecord);
    key.destroy();
    return record;
  }
}

function nameOf(pseudonym: string): string {
  return `person:${pseudonym}`;
}

function cacheMsIn(held: string | undefined): number {
  return held === undefined ? -1 : (JSON.parse(held) as { cacheMs: number }).cacheMs;
}

let warnedOfPlace = false;
function warnOfPlace(): void {
  if (warnedOfPlace) return;
  warnedOfPlace = true;
  process.emitWarning(
    'Whether person keys are kept on the server of the data cannot be checked: allow INFO to both users, or look at it yourself.',
    { code: 'REDKEEP_PERSON_KEYS_PLACE' },
  );
}

/** Whether a receipt was signed by the holder of this public key and is unchanged. */
export function verifyErasureReceipt(receipt: ErasureReceipt, publicKey: KeyObject): boolean {
  argument(receipt, 'receipt', anObject);
  argument(publicKey, 'publicKey', publicKeyObject);
  if (receipt.signature === undefined) return false;
  return verify(null, signedText(receipt), publicKey, Buffer.from(receipt.signature, 'base64'));
}

function signedText({ kind, person, keyIds, erasedAt, effectiveAt, replication }: ErasureReceipt): Buffer {
  const copies = replication === 'unknown' ? replication : [replication.replicas, replication.confirmed];
  return Buffer.from(JSON.stringify([kind, person, keyIds, erasedAt, effectiveAt, copies]));
}

function parse(held: string | undefined): PersonRecord {
  return held === undefined ? {} : (JSON.parse(held) as PersonRecord);
}
