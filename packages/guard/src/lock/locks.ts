import { randomBytes } from 'node:crypto';
import { GuardError } from '../errors.js';
import { checkedPrefix, DEFAULT_TIMEOUT_MS, type GuardClient, listOf, Redis } from '../redis/redis.js';
import { Script } from '../redis/script.js';
import { Lock } from './lock.js';

/** Options of {@link Locks}. */
export interface LocksOptions {
  readonly client: GuardClient;
  /** Before every key; default `lock:`. */
  readonly prefix?: string;
  /** Milliseconds to wait for Redis itself; default 2000. */
  readonly timeoutMs?: number;
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

/**
 * KEYS lock, fence; ARGV owner, ttl ms. The token is the server's time in microseconds, or one more than the last:
 * it grows even if the counter was lost with the data, so the counter may expire after a week.
 */
export const ACQUIRE = new Script(
  'lock_acquire',
  `
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return { 0, redis.call('PTTL', KEYS[1]) } end
local t = redis.call('TIME')
local token = math.max(tonumber(redis.call('GET', KEYS[2]) or '0') + 1, t[1] * 1000000 + t[2])
redis.call('SET', KEYS[2], string.format('%.0f', token), 'PX', 604800000)
return { 1, token }`,
);

/** Longest a waiting caller blocks on the server at once: a wake-up that went astray costs no more than this. */
const MAX_SLICE_MS = 1000;

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

  constructor(options: LocksOptions) {
    const { timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    this.#redis = new Redis(options.client, timeoutMs);
    this.#prefix = checkedPrefix(options.prefix ?? 'lock:');
    this.#sliceMs = Math.min(MAX_SLICE_MS, timeoutMs / 2);
  }

  /** Takes a lock. Errors: REDKEEP_LOCK_TIMEOUT, REDKEEP_STORE_UNAVAILABLE, the signal's reason. */
  async acquire(name: string, options: LockOptions = {}): Promise<Lock> {
    const ttlMs = options.ttlMs ?? 10_000;
    if (name === '' || name.includes('}')) throw new GuardError('REDKEEP_GUARD_OPTION', 'name of the lock');
    if (!(ttlMs >= 100 && ttlMs <= 600_000))
      throw new GuardError('REDKEEP_GUARD_OPTION', 'ttlMs must be from 100 to 600000');
    const key = `${this.#prefix}{${name}}`;
    const owner = randomBytes(16).toString('base64url');
    const giveUpAt = performance.now() + (options.waitMs ?? 0);
    for (;;) {
      options.signal?.throwIfAborted();
      const askedAt = performance.now();
      const [taken, number] = listOf(
        await this.#redis.script(ACQUIRE, [key, `${key}:fence`], [owner, String(Math.floor(ttlMs))]),
      ) as [number, number];
      if (taken === 1) {
        const { renew = true } = options;
        const lock = new Lock({ redis: this.#redis, key, owner, token: number, ttlMs, askedAt, renew });
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

  /** Runs `work` under a lock and releases it. Rejects with REDKEEP_LOCK_LOST when the lock was lost meanwhile. */
  async using<T>(name: string, options: LockOptions, work: (lock: Lock) => Promise<T>): Promise<T> {
    const lock = await this.acquire(name, options);
    try {
      const result = await work(lock);
      lock.signal.throwIfAborted();
      return result;
    } finally {
      await lock.release().catch(() => undefined);
    }
  }

  /** Waits for a wake-up at most `ms`. The timer holds even if Redis stops answering. */
  #released(wake: string, ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, ms);
      signal?.addEventListener('abort', done, { once: true });
      function done(): void {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      }
      // BLPOP runs on a connection of its own; a failure only means that the timer decides.
      this.#redis.write(wake, 'BLPOP', (Math.max(ms, 10) / 1000).toFixed(3)).then(done, () => undefined);
    });
  }
}
