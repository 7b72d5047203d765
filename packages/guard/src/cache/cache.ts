import { setTimeout as pause } from 'node:timers/promises';
import type { Sealer } from '../encryption/encryption.js';
import { GuardError } from '../errors.js';
import { checkedPrefix, type GuardClient, Redis, textOf } from '../redis/redis.js';

/** Options of {@link Cache}. */
export interface CacheOptions {
  readonly client: GuardClient;
  /** Before every key; default `cache:`. */
  readonly prefix?: string;
  /** Milliseconds a value is fresh. */
  readonly ttlMs: number;
  /** Milliseconds after that during which the old value is served while a new one is made; default 0. */
  readonly staleMs?: number;
  /** Milliseconds "there is no such thing" (a loader that gives undefined) is remembered; default 0. */
  readonly negativeMs?: number;
  /** Share by which lifetimes are shortened at random, so that values made together do not end together; default 0.1. */
  readonly jitter?: number;
  /** Largest value in bytes; larger ones are returned and not stored. Default 1 MiB. */
  readonly maxBytes?: number;
  /** Milliseconds to wait for Redis before asking the loader; default 250. */
  readonly timeoutMs?: number;
  /** Milliseconds other processes wait for the one that loads; default 5000. */
  readonly loadMs?: number;
  readonly encryption?: Sealer;
  /** Failures of Redis and of background loads; they never reach the caller of `get`. */
  readonly onError?: (error: unknown) => void;
}

interface Entry {
  /** JSON value; absent = negative entry. */
  readonly v?: unknown;
  /** Unix ms until which it is fresh. */
  readonly f: number;
}

const MAX_TTL_MS = 31 * 86_400_000;
/** Milliseconds a process goes on with a generation that another has cleared. */
const GENERATION_MS = 1000;

/**
 * Values that can be made again. One loader runs per key and process, and as a rule one among processes; Redis being
 * slow or away costs at most `timeoutMs` and then the loader is asked. Not guaranteed: that a loader runs only once
 * (use a lock), or that a value deleted elsewhere is not served stale for `staleMs`.
 *
 * @example const user = await cache.get(`user:${id}`, () => db.users.find(id));
 */
export class Cache {
  readonly #redis: Redis;
  readonly #options: Required<Omit<CacheOptions, 'encryption' | 'client'>> & { encryption: Sealer | undefined };
  readonly #flights = new Map<string, Promise<unknown>>();
  #generation: { readonly id: string; readonly until: number } | undefined;

  constructor(options: CacheOptions) {
    const { client, encryption, ...given } = options;
    this.#redis = new Redis(client, options.timeoutMs ?? 250);
    this.#options = {
      prefix: 'cache:',
      staleMs: 0,
      negativeMs: 0,
      jitter: 0.1,
      maxBytes: 1_048_576,
      timeoutMs: 250,
      loadMs: 5000,
      onError: () => undefined,
      ...given,
      encryption,
    };
    const { prefix, ttlMs, staleMs, jitter } = this.#options;
    checkedPrefix(prefix);
    if (!(ttlMs >= 1 && ttlMs + staleMs <= MAX_TTL_MS)) throw new GuardError('REDKEEP_KEYSPACE_TTL', 'at most 31 days');
    if (!(jitter >= 0 && jitter < 1)) throw new GuardError('REDKEEP_GUARD_OPTION', 'jitter must be from 0 to below 1');
  }

  /** The cached value, or what `load` gives. Rejects only with what `load` rejects with, which is never cached. */
  async get<T>(key: string, load: () => Promise<T>): Promise<T> {
    const flight = this.#flights.get(key) as Promise<T> | undefined;
    if (flight !== undefined) return flight;
    const started = this.#find(key, load).finally(() => this.#flights.delete(key));
    this.#flights.set(key, started);
    return started;
  }

  /** Removes one value. */
  async delete(key: string): Promise<void> {
    await this.#redis.write(await this.#name(key), 'DEL');
  }

  /** Forgets everything at once, whatever its size; other processes follow within a second. */
  async clear(): Promise<void> {
    await this.#redis.write(`${this.#options.prefix}generation`, 'INCR');
    this.#generation = undefined;
  }

  async #find<T>(key: string, load: () => Promise<T>): Promise<T> {
    let name: string;
    let entry: Entry | undefined;
    try {
      name = await this.#name(key);
      entry = await this.#read(name);
    } catch (error) {
      this.#options.onError(error);
      return load();
    }
    if (entry !== undefined) {
      if (entry.f <= Date.now()) this.#refresh(name, load);
      return entry.v as T;
    }
    if (!(await this.#mayLoad(name))) {
      const theirs = await this.#awaitOther(name);
      if (theirs !== undefined) return theirs.v as T;
    }
    return this.#load(name, load);
  }

  #refresh(name: string, load: () => Promise<unknown>): void {
    const background = async () => {
      if (await this.#mayLoad(name)) await this.#load(name, load);
    };
    background().catch(this.#options.onError);
  }

  async #load<T>(name: string, load: () => Promise<T>): Promise<T> {
    try {
      const value = await load();
      await this.#write(name, value).catch(this.#options.onError);
      return value;
    } finally {
      this.#redis.write(`${name}:load`, 'DEL').catch(this.#options.onError);
    }
  }

  /** True for the one process that should load now, and for all when Redis cannot tell. */
  async #mayLoad(name: string): Promise<boolean> {
    try {
      return (await this.#redis.write(`${name}:load`, 'SET', '1', 'NX', 'PX', String(this.#options.loadMs))) !== null;
    } catch (error) {
      this.#options.onError(error);
      return true;
    }
  }

  async #awaitOther(name: string): Promise<Entry | undefined> {
    const giveUpAt = performance.now() + this.#options.loadMs;
    for (let wait = 5; performance.now() < giveUpAt; wait = Math.min(wait * 1.5, 100)) {
      await pause(wait);
      try {
        const entry = await this.#read(name);
        if (entry !== undefined) return entry;
        // The other one failed: its place is free.
        if (await this.#mayLoad(name)) return undefined;
      } catch (error) {
        this.#options.onError(error);
        return undefined;
      }
    }
    return undefined;
  }

  async #read(name: string): Promise<Entry | undefined> {
    const stored = await this.#redis.read(name, 'GET');
    if (!Buffer.isBuffer(stored)) return undefined;
    const { encryption } = this.#options;
    try {
      const opened = encryption === undefined ? stored : await encryption.open(stored, { space: 'cache', key: name });
      return JSON.parse(opened.toString()) as Entry;
    } catch (error) {
      // Tampered with, or under a key that is gone: as good as nothing, and written over.
      this.#options.onError(error);
      return undefined;
    }
  }

  async #write(name: string, value: unknown): Promise<void> {
    const { ttlMs, staleMs, negativeMs, jitter, maxBytes, encryption } = this.#options;
    const lifetime = value === undefined ? negativeMs : ttlMs;
    if (lifetime <= 0) return;
    const fresh = Math.max(1, Math.floor(lifetime * (1 - Math.random() * jitter)));
    const entry: Entry = { v: value, f: Date.now() + fresh };
    const json = JSON.stringify(entry);
    if (Buffer.byteLength(json) > maxBytes) throw new GuardError('REDKEEP_VALUE_TOO_LARGE', `limit ${maxBytes} bytes`);
    const body = encryption === undefined ? json : await encryption.seal(json, { space: 'cache', key: name });
    const kept = value === undefined ? fresh : fresh + staleMs;
    await this.#redis.write(name, 'SET', body, 'PX', String(Math.floor(kept)));
  }

  async #name(key: string): Promise<string> {
    const held = this.#generation;
    if (held !== undefined && held.until > performance.now()) return `${this.#options.prefix}${held.id}:{${key}}`;
    const id = textOf(await this.#redis.read(`${this.#options.prefix}generation`, 'GET')) ?? '0';
    this.#generation = { id, until: performance.now() + GENERATION_MS };
    return `${this.#options.prefix}${id}:{${key}}`;
  }
}
