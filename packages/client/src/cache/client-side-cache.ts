/**
 * Replies kept on the client until the server invalidates them (CLIENT TRACKING, RESP3, Redis 6.0).
 *
 *     read -> entry? -> hit: a copy of the value
 *                    -> loading: the same load answers all who ask meanwhile (single flight)
 *                    -> miss: load; kept unless it was invalidated meanwhile
 *
 * A lost connection loses invalidations, so it empties the cache.
 */

import { EventEmitter } from 'node:events';
import { emitSafely } from '../client/emit-safely.js';
import { performance } from '../clock.js';
import { cacheEviction, cacheRequest } from '../node-redis/channels.js';
import { checkOptions, flag, milliseconds, oneOf, type Schema, whole } from '../options/rules.js';
import type { RedisArgument } from '../protocol/types.js';
import { CacheStats } from './cache-stats.js';

export interface ClientSideCacheConfig {
  /** Milliseconds that a reply is used at most; 0 (default) = until the server invalidates it. */
  ttl?: number;
  /** Replies kept at most; default 10 000. 0 = unbounded. */
  maxEntries?: number;
  /** At the bound, forget what was least recently used (default) or what came first. */
  evictPolicy?: 'LRU' | 'FIFO';
  /** Default true. */
  recordStats?: boolean;
}

export const CACHE_SCHEMA = {
  ttl: milliseconds,
  maxEntries: whole(0),
  evictPolicy: oneOf('LRU', 'FIFO'),
  recordStats: flag,
} satisfies Schema & Record<keyof ClientSideCacheConfig, unknown>;

/** What is to be cached: its key in the cache, the server's keys it depends on, and how to get it. */
export interface CacheRequest {
  readonly cacheKey: string;
  readonly keys: readonly string[];
  /** Milliseconds; default the cache's. */
  readonly ttl?: number;
  /** Whose request it is, in diagnostics. */
  readonly clientId?: string;
  load(): Promise<unknown>;
}

/** The contract between a client and its cache. */
export abstract class ClientSideCacheProvider extends EventEmitter {
  abstract read(request: CacheRequest): Promise<unknown>;
  /** A server-side key changed; null = all of them. */
  abstract invalidate(key: RedisArgument | null): void;
  abstract clear(resetStats?: boolean): void;
  abstract stats(): CacheStats;
  abstract size(): number;
  /** The connection was lost: nothing is known to be true any more. */
  abstract onError(): void;
  abstract onClose(): void;
}

interface Entry {
  /** The value, once loaded. */
  value: unknown;
  /** The load under way. */
  load: Promise<unknown> | undefined;
  /** Milliseconds of the monotonic clock; 0 = none. */
  readonly expires: number;
  readonly keys: readonly string[];
  valid: boolean;
}

const DEFAULT_MAX_ENTRIES = 10_000;

/**
 * A cache for one client.
 * @example
 * const cache = new BasicClientSideCache({ ttl: 60_000, maxEntries: 1000 });
 * const client = createClient({ clientSideCache: cache });
 */
export class BasicClientSideCache extends ClientSideCacheProvider {
  readonly ttl: number;
  readonly maxEntries: number;
  readonly lru: boolean;
  readonly #recordStats: boolean;
  /** In order of use (LRU) or of arrival (FIFO): the first is the next to go. */
  readonly #entries = new Map<string, Entry>();
  readonly #byKey = new Map<string, Set<string>>();
  #counts = { hit: 0, miss: 0, loaded: 0, failed: 0, loadTime: 0, evicted: 0 };

  /** @throws InvalidOptionError */
  constructor(config: ClientSideCacheConfig = {}) {
    super();
    checkOptions(config, CACHE_SCHEMA);
    this.ttl = config.ttl ?? 0;
    this.maxEntries = config.maxEntries ?? DEFAULT_MAX_ENTRIES;
    this.lru = config.evictPolicy !== 'FIFO';
    this.#recordStats = config.recordStats !== false;
  }

  override async read({ cacheKey, keys, ttl = this.ttl, clientId, load }: CacheRequest): Promise<unknown> {
    const known = this.#find(cacheKey);
    const isHit = known !== undefined && known.load === undefined;
    if (cacheRequest.hasSubscribers) cacheRequest.publish({ result: isHit ? 'hit' : 'miss', clientId });
    if (isHit) {
      this.#counts.hit++;
      return copy(known.value);
    }
    this.#counts.miss++;
    if (known !== undefined) return copy(await known.load);
    const started = performance.now();
    const promise = load();
    const entry: Entry = {
      value: undefined,
      load: promise,
      expires: ttl > 0 ? started + ttl : 0,
      keys,
      valid: true,
    };
    this.#put(cacheKey, entry);
    try {
      const value = await promise;
      this.#counts.loaded++;
      entry.value = value;
      entry.load = undefined;
      if (entry.valid) emitSafely(this, 'cached-key', cacheKey);
      return copy(value);
    } catch (error) {
      this.#counts.failed++;
      if (entry.valid) this.#drop(cacheKey, entry);
      throw error;
    } finally {
      this.#counts.loadTime += performance.now() - started;
    }
  }

  #find(cacheKey: string): Entry | undefined {
    const entry = this.#entries.get(cacheKey);
    if (entry === undefined) return undefined;
    if (entry.expires !== 0 && performance.now() >= entry.expires) {
      this.#drop(cacheKey, entry);
      this.#counts.evicted++;
      published('ttl', 1);
      emitSafely(this, 'cache-evict', cacheKey);
      return undefined;
    }
    if (this.lru) {
      this.#entries.delete(cacheKey);
      this.#entries.set(cacheKey, entry);
    }
    return entry;
  }

  #put(cacheKey: string, entry: Entry): void {
    if (this.maxEntries > 0 && this.#entries.size >= this.maxEntries) {
      const [oldest] = this.#entries;
      if (oldest !== undefined) {
        this.#drop(oldest[0], oldest[1]);
        this.#counts.evicted++;
        published('full', 1);
        emitSafely(this, 'cache-evict', oldest[0]);
      }
    }
    this.#entries.set(cacheKey, entry);
    for (const key of entry.keys) {
      const dependents = this.#byKey.get(key);
      if (dependents === undefined) this.#byKey.set(key, new Set([cacheKey]));
      else dependents.add(cacheKey);
    }
  }

  #drop(cacheKey: string, entry: Entry): void {
    entry.valid = false;
    this.#entries.delete(cacheKey);
    for (const key of entry.keys) {
      const dependents = this.#byKey.get(key);
      dependents?.delete(cacheKey);
      if (dependents?.size === 0) this.#byKey.delete(key);
    }
  }

  override invalidate(key: RedisArgument | null): void {
    const before = this.#entries.size;
    if (key === null) {
      this.clear(false);
    } else {
      for (const cacheKey of this.#byKey.get(String(key)) ?? []) {
        const entry = this.#entries.get(cacheKey);
        if (entry !== undefined) this.#drop(cacheKey, entry);
      }
    }
    published('invalidation', before - this.#entries.size);
    emitSafely(this, 'invalidate', key);
  }

  override clear(resetStats = true): void {
    const { size } = this.#entries;
    for (const entry of this.#entries.values()) entry.valid = false;
    this.#entries.clear();
    this.#byKey.clear();
    if (resetStats) this.#counts = { hit: 0, miss: 0, loaded: 0, failed: 0, loadTime: 0, evicted: 0 };
    else this.#counts.evicted += size;
  }

  override size(): number {
    return this.#entries.size;
  }
  has(cacheKey: string): boolean {
    return this.#entries.has(cacheKey);
  }

  override stats(): CacheStats {
    if (!this.#recordStats) return CacheStats.empty();
    const { hit, miss, loaded, failed, loadTime, evicted } = this.#counts;
    return CacheStats.of(hit, miss, loaded, failed, loadTime, evicted);
  }

  override onError(): void {
    this.clear();
  }
  override onClose(): void {
    this.clear();
  }
}

/**
 * A cache shared by the connections of a pool, cluster or sentinel: the server invalidates what each connection has read,
 * so losing one of them empties the whole.
 */
export class BasicPooledClientSideCache extends BasicClientSideCache {
  /** One connection of many: what was counted stays. */
  override onError(): void {
    this.clear(false);
  }
  override onClose(): void {
    this.clear(false);
  }
}

function published(reason: 'full' | 'invalidation' | 'ttl', count: number): void {
  if (count > 0 && cacheEviction.hasSubscribers) cacheEviction.publish({ reason, count });
}

/** Callers may change what they get; the cached value stays. */
function copy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Buffer.isBuffer(value)) return Buffer.from(value);
  if (Array.isArray(value)) return value.map(copy);
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [copy(key), copy(item)]));
  if (value instanceof Set) return new Set([...value].map(copy));
  const clone = Object.create(Object.getPrototypeOf(value)) as Record<string, unknown>;
  for (const [key, item] of Object.entries(value)) clone[key] = copy(item);
  return clone;
}
