import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Sealer } from '../encryption/encryption.js';
import { GuardError } from '../errors.js';
import {
  client as anyClient,
  argument,
  callback,
  checked,
  coded,
  MAX_TIMER_MS,
  number,
  prefix,
  required,
  type Schema,
  sealer,
  timeout,
  whole,
} from '../options.js';
import { type GuardClient, Redis, textOf } from '../redis/redis.js';
import { wellFormed } from '../well-formed.js';
import { GENERATION, GIVE_BACK, KEEP, PUT, STORE } from './cache-scripts.js';

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
  /**
   * Milliseconds other processes wait for the one that loads before they load, too; default 5000. A loader may take
   * longer: its right to store is renewed while it runs, for twelve times as long (a minute by default), and ends
   * within `loadMs` when its process dies.
   */
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

/** One search for a value, and all callers that wait for it. What one of them changes, the others do not see. */
interface Flight {
  shared: boolean;
  /** Gives the value, to each caller its own. */
  readonly landed: Promise<() => unknown>;
}

/** Redis did not say whether another loads: load, and store nothing. */
const NO_TICKET = '';
const MAX_TTL_MS = 31 * 86_400_000;
const lifetime = (from: number) => coded('REDKEEP_KEYSPACE_TTL', number(from, MAX_TTL_MS));
const CACHE: Schema<CacheOptions> = {
  client: required(anyClient),
  prefix,
  ttlMs: required(lifetime(1)),
  staleMs: lifetime(0),
  negativeMs: lifetime(0),
  jitter: number(0, 0.99),
  maxBytes: whole(1),
  timeoutMs: timeout,
  loadMs: number(1, MAX_TIMER_MS),
  encryption: sealer,
  onError: callback,
};
/** How often a ticket is renewed while it lasts, and for how many times `loadMs` in all. */
const RENEWALS_PER_TICKET = 3;
const MOST_TICKETS = 12;
/** Milliseconds a process goes on with a generation that another has cleared. */
const GENERATION_MS = 1000;

/**
 * Values that can be made again. One loader runs per key and process, and as a rule one among processes; Redis being
 * slow or away costs at most `timeoutMs` and then the loader is asked. What was deleted, set or cleared is not
 * overwritten by a load that began before. Not guaranteed: that a loader runs only once (use a lock), and that the
 * loader reads the newest state of its source: delete after the change has been committed.
 *
 * @example const user = await cache.get(`user:${id}`, () => db.users.find(id));
 */
export class Cache {
  readonly #redis: Redis;
  readonly #options: Required<Omit<CacheOptions, 'encryption' | 'client'>> & { encryption: Sealer | undefined };
  readonly #flights = new Map<string, Flight>();
  #generation: { readonly id: string; readonly until: number } | undefined;

  constructor(options: CacheOptions) {
    const { client, encryption, ...given } = checked(options, CACHE);
    this.#redis = new Redis(client, given.timeoutMs ?? 250);
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
    const { ttlMs, staleMs } = this.#options;
    if (ttlMs + staleMs > MAX_TTL_MS) throw new GuardError('REDKEEP_KEYSPACE_TTL', 'at most 31 days');
  }

  /**
   * The cached value, or what `load` gives, as JSON keeps it: a Date comes back as a text, on the first call as on
   * every other. Rejects with what `load` rejects with, which is never cached; REDKEEP_GUARD_ARGUMENT for a key that is not
   * a text.
   */
  async get<T>(key: string, load: () => Promise<T>): Promise<T> {
    checkedKey(key);
    argument(load, 'load', callback);
    const joined = this.#flights.get(key);
    if (joined !== undefined) {
      joined.shared = true;
      return (await joined.landed)() as T;
    }
    const flight: Flight = {
      shared: false,
      landed: this.#find(key, async () => asStored(await load())).then(
        (value) => {
          this.#land(key, flight);
          return flight.shared ? copiesOf(value) : () => value;
        },
        (error: unknown) => {
          this.#land(key, flight);
          throw error;
        },
      ),
    };
    this.#flights.set(key, flight);
    return (await flight.landed)() as T;
  }

  /** Stores a value that the caller knows to be the newest. Loads under way do not overwrite it. */
  async set(key: string, value: unknown): Promise<void> {
    checkedKey(key);
    this.#flights.delete(key);
    const name = await this.#newestName(key);
    const { body, keptMs } = (await this.#encode(name, value)) ?? {};
    if (body === undefined) return this.delete(key);
    await this.#redis.script(PUT, [name, `${name}:load`], [body, String(keptMs)]);
  }

  /** Removes one value, and what loads under way would store. */
  async delete(key: string): Promise<void> {
    checkedKey(key);
    this.#flights.delete(key);
    const name = await this.#newestName(key);
    await this.#redis.write(name, 'DEL', `${name}:load`);
  }

  /** Forgets everything at once, whatever its size; other processes follow within a second. */
  async clear(): Promise<void> {
    this.#flights.clear();
    await this.#redis.write(`${this.#options.prefix}generation`, 'SET', newGeneration());
    this.#generation = undefined;
  }

  #land(key: string, flight: Flight): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
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
    const claimed = await this.#claim(name);
    if (claimed !== undefined && 'f' in claimed) return claimed.v as T;
    let ticket = claimed?.ticket;
    if (ticket === undefined) {
      const theirs = await this.#awaitOther(name);
      if (theirs !== undefined && 'f' in theirs) return theirs.v as T;
      ticket = theirs?.ticket;
      // Both loads may store while nothing was deleted, set or cleared; the first that does ends the other's right.
      if (theirs !== undefined && theirs.shared === true) return this.#load(name, load, ticket, true);
    }
    return this.#load(name, load, ticket);
  }

  #refresh(name: string, load: () => Promise<unknown>): void {
    const background = async () => {
      const ticket = await this.#takeTicket(name);
      if (ticket !== undefined) await this.#load(name, load, ticket);
    };
    background().catch(this.#options.onError);
  }

  /** Without a ticket the value is returned and not stored. */
  async #load<T>(name: string, load: () => Promise<T>, ticket: string | undefined, shared = false): Promise<T> {
    let stored = false;
    const stop = ticket === undefined || ticket === NO_TICKET ? () => undefined : this.#keep(name, ticket);
    try {
      const value = await load();
      if (ticket !== undefined && ticket !== NO_TICKET) stored = await this.#store(name, value, ticket);
      return value;
    } finally {
      stop();
      if (!stored && !shared) this.#giveBack(name, ticket);
    }
  }

  #giveBack(name: string, ticket: string | undefined): void {
    if (ticket === undefined || ticket === NO_TICKET) return;
    this.#redis.script(GIVE_BACK, [`${name}:load`], [ticket]).catch(this.#options.onError);
  }

  /** Renews a ticket, until it is gone, the returned function is called, or the time for loads is over. */
  #keep(name: string, ticket: string): () => void {
    const { loadMs, onError } = this.#options;
    let left = RENEWALS_PER_TICKET * (MOST_TICKETS - 1);
    const timer = setInterval(() => {
      left -= 1;
      if (left <= 0) clearInterval(timer);
      this.#redis.script(KEEP, [`${name}:load`], [ticket, String(loadMs)]).then((kept) => {
        if (kept !== 1) clearInterval(timer);
      }, onError);
    }, loadMs / RENEWALS_PER_TICKET).unref();
    return () => clearInterval(timer);
  }

  /**
   * The place of the one process that loads now, or what another has stored: read behind the ticket, in the same turn,
   * because the other may end between a read and a ticket. Undefined while another loads.
   */
  async #claim(name: string): Promise<Entry | { readonly ticket: string } | undefined> {
    const taken = this.#takeTicket(name);
    // What is wrong with an entry was reported when it was found.
    const entry = await this.#read(name, () => undefined).catch(() => undefined);
    const ticket = await taken;
    if (entry === undefined) return ticket === undefined ? undefined : { ticket };
    this.#giveBack(name, ticket);
    return entry;
  }

  /** A ticket for the one process that should load now; undefined for others, NO_TICKET when Redis does not answer. */
  async #takeTicket(name: string): Promise<string | undefined> {
    const ticket = randomBytes(12).toString('base64url');
    try {
      const px = String(this.#options.loadMs);
      return (await this.#redis.write(`${name}:load`, 'SET', ticket, 'NX', 'PX', px)) === null ? undefined : ticket;
    } catch (error) {
      this.#options.onError(error);
      return NO_TICKET;
    }
  }

  /** What the process that loads has stored; its place, when it failed or gave up; a share in it, when it is slow. */
  async #awaitOther(name: string): Promise<Entry | { readonly ticket: string; readonly shared?: boolean } | undefined> {
    const giveUpAt = performance.now() + this.#options.loadMs;
    for (let wait = 5; performance.now() < giveUpAt; wait = Math.min(wait * 1.5, 100)) {
      await pause(wait);
      // The other one has stored; or it failed, or its value was not wanted any more: its place is free.
      const claimed = await this.#claim(name);
      if (claimed !== undefined) return claimed;
    }
    try {
      const ticket = textOf(await this.#redis.read(`${name}:load`, 'GET'));
      return ticket === undefined ? undefined : { ticket, shared: true };
    } catch (error) {
      this.#options.onError(error);
      return undefined;
    }
  }

  async #read(name: string, onError = this.#options.onError): Promise<Entry | undefined> {
    const stored = await this.#redis.read(name, 'GET');
    if (!Buffer.isBuffer(stored)) return undefined;
    const { encryption } = this.#options;
    try {
      const opened = encryption === undefined ? stored : await encryption.open(stored, { space: 'cache', key: name });
      return entryOf(JSON.parse(opened.toString()));
    } catch (error) {
      // Tampered with, or under a key that is gone: as good as nothing, and written over.
      onError(error);
      return undefined;
    }
  }

  async #store(name: string, value: unknown, ticket: string): Promise<boolean> {
    try {
      const encoded = await this.#encode(name, value);
      if (encoded === undefined) return false;
      const args = [ticket, encoded.body, String(encoded.keptMs)];
      return (await this.#redis.script(STORE, [name, `${name}:load`], args)) === 1;
    } catch (error) {
      this.#options.onError(error);
      return false;
    }
  }

  /** What is stored for a value, and for how long; undefined for a value that is not to be kept. */
  async #encode(name: string, value: unknown): Promise<{ body: string | Buffer; keptMs: number } | undefined> {
    const { ttlMs, staleMs, negativeMs, jitter, maxBytes, encryption } = this.#options;
    const lifetime = value === undefined ? negativeMs : ttlMs;
    if (lifetime <= 0) return undefined;
    const fresh = Math.max(1, Math.floor(lifetime * (1 - Math.random() * jitter)));
    const entry: Entry = { v: value, f: Date.now() + fresh };
    const json = JSON.stringify(entry);
    if (Buffer.byteLength(json) > maxBytes) throw new GuardError('REDKEEP_VALUE_TOO_LARGE', `limit ${maxBytes} bytes`);
    const body = encryption === undefined ? json : await encryption.seal(json, { space: 'cache', key: name });
    return { body, keptMs: Math.floor(value === undefined ? fresh : fresh + staleMs) };
  }

  /** For changes: a generation that another process has cleared meanwhile would leave what is under the new one. */
  #newestName(key: string): Promise<string> {
    this.#generation = undefined;
    return this.#name(key);
  }

  async #name(key: string): Promise<string> {
    const held = this.#generation;
    if (held !== undefined && held.until > performance.now()) return this.#nameIn(held.id, key);
    const generationKey = `${this.#options.prefix}generation`;
    // Read where it is, made where it was lost: under a new id, so that no cleared value comes back.
    const id =
      textOf(await this.#redis.read(generationKey, 'GET')) ??
      textOf(await this.#redis.script(GENERATION, [generationKey], [newGeneration()]))!;
    this.#generation = { id, until: performance.now() + GENERATION_MS };
    return this.#nameIn(id, key);
  }

  /** With a hash tag that is not empty, or a value and its ticket would be in two slots of a cluster. */
  #nameIn(generation: string, key: string): string {
    return `${this.#options.prefix}${generation}:{${/^(\}|\.|$)/.test(key) ? '.' : ''}${key}}`;
  }
}

/** Anything else would become the text that stands for it: `[object Object]`, `undefined`. */
function checkedKey(key: unknown): void {
  if (typeof key !== 'string' || key.length > 65_536) throw new GuardError('REDKEEP_GUARD_ARGUMENT', 'key');
  wellFormed(key, 'key');
}

function newGeneration(): string {
  return randomBytes(9).toString('base64url');
}

/** A value as it will come back from Redis. */
function asStored<T>(value: T): T {
  return copiesOf(value)();
}

function copiesOf<T>(value: T): () => T {
  const json = JSON.stringify(value);
  return () => (json === undefined ? (undefined as T) : (JSON.parse(json) as T));
}

/** What another program stored is not an entry. */
function entryOf(value: unknown): Entry {
  const { f } = (value ?? {}) as { f?: unknown };
  if (typeof f !== 'number') throw new GuardError('REDKEEP_KEYSPACE_VALUE', 'not an entry of the cache');
  return value as Entry;
}
