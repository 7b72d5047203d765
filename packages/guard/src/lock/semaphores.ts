import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { GuardError } from '../errors.js';
import {
  signal as abortSignal,
  checked,
  client,
  MAX_TIMER_MS,
  number,
  prefix,
  required,
  type Schema,
  timeout,
  whole,
} from '../options.js';
import { type GuardClient, listOf, Redis } from '../redis/redis.js';
import { Script } from '../redis/script.js';
import { checkedName } from '../well-formed.js';
import { Stopwatch } from './stopwatch.js';

/** Options of {@link Semaphores}. */
export interface SemaphoresOptions {
  readonly client: GuardClient;
  /** Before every key; default `sem:`. */
  readonly prefix?: string;
  /** Milliseconds to wait for Redis; default 5000. */
  readonly timeoutMs?: number;
}

/** How a place is taken. */
export interface PermitOptions {
  /** Places there are, 1 to 10,000. All callers of one name must say the same: the number is theirs, not Redis's. */
  readonly places: number;
  /** Milliseconds after which Redis frees the place unless renewed; 100 to 600,000, default 10,000. */
  readonly ttlMs?: number;
  /** Milliseconds to wait for a place; default 0. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
}

/** A place that is held, until `release` or until it is lost. */
export interface Permit extends AsyncDisposable {
  /** By this process's own clocks, at this moment. */
  readonly isHeld: boolean;
  /** Aborts with REDKEEP_LOCK_LOST when the place was lost. */
  readonly signal: AbortSignal;
  /** Frees the place. False when it was no longer ours. */
  release(): Promise<boolean>;
}

const SEMAPHORES: Schema<SemaphoresOptions> = { client: required(client), prefix, timeoutMs: timeout };
const PERMIT: Schema<PermitOptions> = {
  places: required(whole(1, 10_000)),
  ttlMs: number(100, 600_000),
  waitMs: number(0, MAX_TIMER_MS),
  signal: abortSignal,
};

/** KEYS places (sorted by end, us); ARGV owner, places, ttl ms, 1 = only renew. 1, 0 = none free or lost. */
export const TAKE_PLACE = new Script(
  'sem_take',
  `
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
local mine = redis.call('ZSCORE', KEYS[1], ARGV[1])
if ARGV[4] == '1' and not mine then return 0 end
if not mine and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[3] * 1000), ARGV[1])
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
redis.call('PEXPIRE', KEYS[1], math.max(math.ceil((last[2] - now) / 1000), 1))
return 1`,
);

/** Share of the life that counts, as for locks. */
const USABLE = 0.9;
const POLL_MS = 100;

/**
 * At most so many holders at a time over one Redis. As with locks, a failover that loses the key and a process that stops
 * longer than the ttl let more in, and there is no fencing: use it to spare a resource, not to protect data.
 *
 * @example
 * const permit = await semaphores.acquire('reports', { places: 3, waitMs: 10_000 });
 * await writeReport({ signal: permit.signal, fencing: 0 });
 * await permit.release();
 */
export class Semaphores {
  readonly #redis: Redis;
  readonly #prefix: string;

  constructor(given: SemaphoresOptions) {
    const options = checked(given, SEMAPHORES);
    this.#redis = new Redis(options.client, options.timeoutMs);
    this.#prefix = options.prefix ?? 'sem:';
  }

  /** Takes a place. Errors: REDKEEP_LOCK_TIMEOUT, REDKEEP_GUARD_ARGUMENT, REDKEEP_STORE_…, the signal's reason. */
  async acquire(name: string, options: PermitOptions): Promise<Permit> {
    const { places, ttlMs = 10_000, waitMs = 0, signal } = checked(options, PERMIT, 'REDKEEP_GUARD_ARGUMENT');
    if (checkedName(name, 'name of the semaphore').includes('}'))
      throw new GuardError('REDKEEP_GUARD_ARGUMENT', 'name of the semaphore');
    const key = `${this.#prefix}{${name}}`;
    const owner = randomBytes(16).toString('base64url');
    const args = [owner, String(places), String(Math.floor(ttlMs))];
    const giveUpAt = performance.now() + waitMs;
    for (;;) {
      signal?.throwIfAborted();
      const asked = new Stopwatch();
      const taken = await this.#redis.script(TAKE_PLACE, [key], [...args, '0']).catch((error: unknown) => {
        // The answer is unknown: the place must not stay taken.
        this.#redis.write(key, 'ZREM', owner).catch(() => undefined);
        throw error;
      });
      if (taken === 1) return new HeldPlace(this.#redis, key, args, ttlMs, asked);
      const left = giveUpAt - performance.now();
      if (left <= 0) throw new GuardError('REDKEEP_LOCK_TIMEOUT');
      await pause(Math.min(left, POLL_MS * (0.5 + Math.random())), undefined, signal && { signal }).catch(() =>
        signal?.throwIfAborted(),
      );
    }
  }

  /** How many places are taken now. */
  async count(name: string): Promise<number> {
    const now = listOf(await this.#redis.at(`${this.#prefix}{${name}}`, 'TIME')).map((part) => String(part));
    const from = `${now[0]}${now[1]!.padStart(6, '0')}`;
    return Number(await this.#redis.read(`${this.#prefix}{${name}}`, 'ZCOUNT', `(${from}`, '+inf'));
  }
}

class HeldPlace implements Permit {
  readonly #redis: Redis;
  readonly #key: string;
  readonly #args: readonly string[];
  readonly #ttlMs: number;
  readonly #controller = new AbortController();
  readonly #renewal: NodeJS.Timeout;
  #since: Stopwatch;
  #expiry: NodeJS.Timeout | undefined;
  #state: 'held' | 'released' | 'lost' = 'held';

  constructor(redis: Redis, key: string, args: readonly string[], ttlMs: number, asked: Stopwatch) {
    this.#redis = redis;
    this.#key = key;
    this.#args = args;
    this.#ttlMs = ttlMs;
    this.#since = asked;
    this.#renewal = setInterval(() => void this.#renew(), ttlMs / 3).unref();
    this.#validFrom(asked);
  }

  get isHeld(): boolean {
    if (this.#state === 'held' && this.#since.elapsedMs >= this.#ttlMs * USABLE) this.#lose();
    return this.#state === 'held';
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  async release(): Promise<boolean> {
    if (this.#state === 'released') return false;
    const held = this.isHeld;
    this.#state = 'released';
    clearInterval(this.#renewal);
    clearTimeout(this.#expiry);
    return (await this.#redis.write(this.#key, 'ZREM', this.#args[0]!)) === 1 && held;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  async #renew(): Promise<void> {
    const asked = new Stopwatch();
    const renewed = await this.#redis.script(TAKE_PLACE, [this.#key], [...this.#args, '1']).catch(() => undefined);
    if (!this.isHeld) return;
    if (renewed === 1) this.#validFrom(asked);
    else if (renewed === 0) this.#lose();
  }

  /** The signal fires by a timer of its own: a renewal that Redis does not answer may take longer than the place lives. */
  #validFrom(start: Stopwatch): void {
    clearTimeout(this.#expiry);
    this.#since = start;
    const left = this.#ttlMs * USABLE - start.elapsedMs;
    if (left <= 0) this.#lose();
    else this.#expiry = setTimeout(() => this.#lose(), left).unref();
  }

  #lose(): void {
    if (this.#state !== 'held') return;
    this.#state = 'lost';
    clearInterval(this.#renewal);
    clearTimeout(this.#expiry);
    this.#controller.abort(new GuardError('REDKEEP_LOCK_LOST'));
  }
}
