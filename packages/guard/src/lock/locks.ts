import { randomBytes } from 'node:crypto';
import { GuardError } from '../errors.js';
import {
  signal as abortSignal,
  callback,
  checked,
  client,
  flag,
  MAX_TIMER_MS,
  number,
  prefix,
  required,
  type Schema,
  timeout,
} from '../options.js';
import { DEFAULT_TIMEOUT_MS, type GuardClient, listOf, Redis } from '../redis/redis.js';
import { Script } from '../redis/script.js';
import { checkedName } from '../well-formed.js';
import { Lock, RELEASE } from './lock.js';
import { Stopwatch } from './stopwatch.js';
import { WaitingLine } from './waiting-line.js';

/** Options of {@link Locks}. */
export interface LocksOptions {
  readonly client: GuardClient;
  /** Before every key; default `lock:`. */
  readonly prefix?: string;
  /** Milliseconds to wait for Redis itself; default 5000. */
  readonly timeoutMs?: number;
  /**
   * Called when `using` could not release its lock, which then runs out by itself. By default a warning of the process.
   */
  readonly onError?: (error: unknown) => void;
}

/** How a lock is taken. */
export interface LockOptions {
  /** Milliseconds after which Redis frees the lock unless renewed; 100 to 600,000, default 10,000. */
  readonly ttlMs?: number;
  /** Milliseconds to wait for a lock that is held; default 0. */
  readonly waitMs?: number;
  /** Renew while held; default true. */
  readonly renew?: boolean;
  /** Gives up waiting. */
  readonly signal?: AbortSignal;
}

const LOCKS: Schema<LocksOptions> = { client: required(client), prefix, timeoutMs: timeout, onError: callback };
const LOCK: Schema<LockOptions> = {
  ttlMs: number(100, 600_000),
  waitMs: number(0, MAX_TIMER_MS),
  renew: flag,
  signal: abortSignal,
};

/**
 * KEYS lock, fence; ARGV owner, ttl ms, highest token the caller knows. The token is the server's time in microseconds,
 * or one more than the last: it grows even if the counter was lost with the data, so the counter may expire after 31
 * days; where the clock is behind, too, it still grows beyond what any asking process has seen.
 */
export const ACQUIRE = new Script(
  'lock_acquire',
  `
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return { 0, redis.call('PTTL', KEYS[1]) } end
local t = redis.call('TIME')
local token = math.max(tonumber(redis.call('GET', KEYS[2]) or '0') + 1, t[1] * 1000000 + t[2], ARGV[3] + 1)
redis.call('SET', KEYS[2], string.format('%.0f', token), 'PX', 2678400000)
return { 1, token }`,
);

/** Longest a waiting caller blocks on the server at once: a wake-up that went astray costs no more than this. */
const MAX_SLICE_MS = 1000;
/** Waiters that may block on the server at once, each on a connection of its own; the others ask now and then. */
const MAX_BLOCKING = 8;
/** Milliseconds between two questions of a waiter that does not block. */
const ASK_EVERY_MS = 100;

/**
 * Mutual exclusion over one Redis. It does not survive a failover that loses the lock's key, nor a process that
 * stops longer than the ttl: then two may hold it. What protects the data in these cases is the fencing token:
 * give it to the resource, or write with `guardedSet`.
 *
 * @example
 * await locks.using('nightly-report', { ttlMs: 30_000 }, async (lock) => {
 *   await writeReport({ signal: lock.signal, fencing: lock.token });
 * });
 */
export class Locks {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #sliceMs: number;
  readonly #onError: (error: unknown) => void;
  readonly #line = new WaitingLine();
  #highest = 0;
  #blocking = 0;

  constructor(given: LocksOptions) {
    const options = checked(given, LOCKS);
    const { timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    this.#redis = new Redis(options.client, timeoutMs);
    this.#prefix = options.prefix ?? 'lock:';
    this.#sliceMs = Math.min(MAX_SLICE_MS, timeoutMs / 2);
    this.#onError = options.onError ?? warnOfRelease;
  }

  /**
   * Takes a lock. Waiters of one process are served in order and share one connection for a name.
   * Errors: REDKEEP_LOCK_TIMEOUT, REDKEEP_STORE_UNAVAILABLE, the signal's reason; REDKEEP_GUARD_ARGUMENT.
   */
  async acquire(name: string, options: LockOptions = {}): Promise<Lock> {
    const { ttlMs = 10_000, waitMs = 0, signal } = checked(options, LOCK, 'REDKEEP_GUARD_ARGUMENT');
    if (checkedName(name, 'name of the lock').includes('}'))
      throw new GuardError('REDKEEP_GUARD_ARGUMENT', 'name of the lock');
    signal?.throwIfAborted();
    const key = `${this.#prefix}{${name}}`;
    const giveUpAt = performance.now() + waitMs;
    const leave = waitMs === 0 ? () => undefined : await this.#line.enter(key, waitMs, signal);
    signal?.throwIfAborted();
    if (leave === undefined) throw new GuardError('REDKEEP_LOCK_TIMEOUT');
    try {
      return await this.#contend(key, ttlMs, giveUpAt, options);
    } finally {
      leave();
    }
  }

  /**
   * Runs `work` under a lock and releases it. Rejects with what `work` rejects with, and with REDKEEP_LOCK_LOST when
   * the lock was not held to the end: another may have worked at the same time.
   */
  async using<T>(name: string, options: LockOptions, work: (lock: Lock) => Promise<T>): Promise<T> {
    const lock = await this.acquire(name, options);
    let result: T;
    try {
      result = await work(lock);
    } catch (error) {
      await lock.release().catch(this.#onError);
      throw error;
    }
    const held = lock.isHeld;
    const released = await lock.release().catch((error: unknown) => {
      this.#onError(error);
      return true;
    });
    if (!held || !released) throw new GuardError('REDKEEP_LOCK_LOST');
    return result;
  }

  async #contend(key: string, ttlMs: number, giveUpAt: number, options: LockOptions): Promise<Lock> {
    const owner = randomBytes(16).toString('base64url');
    for (;;) {
      options.signal?.throwIfAborted();
      const asked = new Stopwatch();
      const [taken, number] = await this.#ask(key, owner, ttlMs);
      if (taken === 1) {
        this.#highest = Math.max(this.#highest, number);
        const { renew = true } = options;
        const fencePrefix = `${this.#prefix}fence:`;
        const lock = new Lock({ redis: this.#redis, fencePrefix, key, owner, token: number, ttlMs, asked, renew });
        if (lock.isHeld) return lock;
        // The answer came so late that the lock is as good as expired.
        await lock.release();
      }
      const left = giveUpAt - performance.now();
      if (left <= 0) throw new GuardError('REDKEEP_LOCK_TIMEOUT');
      // Woken by the release, or when the holder's time is up.
      const holders = taken === 1 ? 0 : Math.max(number, 1) + 1;
      await this.#released(`${key}:wake`, Math.min(left, holders, this.#sliceMs), options.signal);
    }
  }

  async #ask(key: string, owner: string, ttlMs: number): Promise<[number, number]> {
    const args = [owner, String(Math.floor(ttlMs)), String(this.#highest)];
    try {
      return listOf(await this.#redis.script(ACQUIRE, [key, `${key}:fence`], args)) as [number, number];
    } catch (error) {
      // The answer is unknown: a lock that nobody knows of would stay until it runs out.
      this.#redis.script(RELEASE, [key, `${key}:wake`], [owner]).catch(() => undefined);
      throw error;
    }
  }

  /** Waits for a wake-up at most `ms`. The timer holds even if Redis stops answering. */
  #released(wake: string, ms: number, signal: AbortSignal | undefined): Promise<void> {
    const blocks = this.#blocking < MAX_BLOCKING;
    return new Promise((resolve) => {
      const timer = setTimeout(done, blocks ? ms : Math.min(ms, ASK_EVERY_MS));
      signal?.addEventListener('abort', done, { once: true });
      function done(): void {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      }
      if (!blocks) return;
      this.#blocking += 1;
      // BLPOP runs on a connection of its own; a failure only means that the timer decides.
      this.#redis
        .write(wake, 'BLPOP', (Math.max(ms, 10) / 1000).toFixed(3))
        .then(done, () => undefined)
        .finally(() => {
          this.#blocking -= 1;
        });
    });
  }
}

function warnOfRelease(error: unknown): void {
  const { message, code } = error as GuardError;
  process.emitWarning(`A lock could not be released and runs out by itself: ${message}`, { code });
}
