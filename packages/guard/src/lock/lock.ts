import { GuardError } from '../errors.js';
import { argument, text } from '../options.js';
import type { Redis } from '../redis/redis.js';
import { Script } from '../redis/script.js';
import { Stopwatch } from './stopwatch.js';

export const RENEW = new Script(
  'lock_renew',
  `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`,
);

/** Deletes the lock if it is ours and wakes one who waits. */
export const RELEASE = new Script(
  'lock_release',
  `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('LPUSH', KEYS[2], '1')
redis.call('LTRIM', KEYS[2], 0, 0)
redis.call('PEXPIRE', KEYS[2], 1000)
return 1`,
);

/** KEYS value, fence of the value; ARGV token, value, ttl ms, fence ttl ms. */
export const GUARDED_SET = new Script(
  'lock_guarded_set',
  `
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
if last > tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[4])
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`,
);

/** A holder that was stopped for longer than this and wakes up is not refused any more. */
const FENCE_MS = 86_400_000;
/** Longest expiry of a guarded value. */
const MAX_VALUE_MS = 366 * 86_400_000;
/** Share of the life that counts: the rest is kept back for drifting clocks and for the holder to stop. */
const USABLE = 0.9;

type State = 'held' | 'released' | 'lost';

interface LockParts {
  readonly redis: Redis;
  /** Prefix of the fences of guarded values. */
  readonly fencePrefix: string;
  readonly key: string;
  readonly owner: string;
  readonly token: number;
  readonly ttlMs: number;
  /** Started when the server was asked: the lock cannot have begun earlier. */
  readonly asked: Stopwatch;
  readonly renew: boolean;
}

/** A lock that is held, until `release`, or until `signal` says that it is lost. */
export class Lock {
  /**
   * Fencing token: greater than that of every earlier holder. If Redis lost the counter with its data and its clock is
   * behind, greater than every token that this process has seen.
   */
  readonly token: number;
  readonly #parts: LockParts;
  readonly #controller = new AbortController();
  #state: State = 'held';
  #since: Stopwatch;
  #expiry: NodeJS.Timeout | undefined;
  #renewal: NodeJS.Timeout | undefined;

  constructor(parts: LockParts) {
    this.#parts = parts;
    this.token = parts.token;
    this.#since = parts.asked;
    this.#validFrom(parts.asked);
    if (parts.renew && this.isHeld) this.#renewal = setInterval(() => void this.#renew(), parts.ttlMs / 3).unref();
  }

  /**
   * Held, by this process's own clocks, read at this moment: also right after the event loop was blocked or
   * the machine was suspended. False after `release`, and from when `signal` fires.
   */
  get isHeld(): boolean {
    if (this.#state === 'held' && this.#leftMs() <= 0) this.#lose();
    return this.#state === 'held';
  }

  /** Aborts with REDKEEP_LOCK_LOST before the lock can pass to another holder. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Frees the lock. False when it was no longer ours. Errors: REDKEEP_STORE_UNAVAILABLE; it then runs out by itself. */
  async release(): Promise<boolean> {
    if (this.#state === 'released') return false;
    this.#end('released');
    const { redis, key, owner } = this.#parts;
    return (await redis.script(RELEASE, [key, `${key}:wake`], [owner])) === 1;
  }

  /**
   * Writes a value unless a later holder has written already. `ttlMs`: its expiry, 1 ms to 366 days. The ACL user of
   * the locks needs the value's key, too: name its space in `guards`.
   * Errors: REDKEEP_LOCK_FENCED, REDKEEP_STORE_UNAVAILABLE; REDKEEP_GUARD_ARGUMENT, also for a key with a `}` outside a
   * hash tag.
   */
  async guardedSet(key: string, value: string | Buffer, ttlMs: number): Promise<void> {
    argument(key, 'key', text);
    if (!(ttlMs >= 1 && ttlMs <= MAX_VALUE_MS)) throw new GuardError('REDKEEP_GUARD_ARGUMENT', 'ttlMs');
    const { fencePrefix, redis } = this.#parts;
    const args = [String(this.token), value, String(Math.floor(ttlMs)), String(Math.max(FENCE_MS, Math.floor(ttlMs)))];
    if ((await redis.script(GUARDED_SET, [key, fencePrefix + slotOf(key)], args)) !== 1)
      throw new GuardError('REDKEEP_LOCK_FENCED');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release().then(() => undefined);
  }

  async #renew(): Promise<void> {
    const { redis, key, owner, ttlMs } = this.#parts;
    const asked = new Stopwatch();
    try {
      const renewed = await redis.script(RENEW, [key], [owner, String(Math.floor(ttlMs))]);
      if (!this.isHeld) return;
      if (renewed === 1) this.#validFrom(asked);
      else this.#lose();
    } catch {
      // Tried again at the next interval; the expiry timer ends the lock in time.
    }
  }

  #leftMs(): number {
    return this.#parts.ttlMs * USABLE - this.#since.elapsedMs;
  }

  #validFrom(start: Stopwatch): void {
    clearTimeout(this.#expiry);
    this.#since = start;
    const left = this.#leftMs();
    if (left <= 0) this.#lose();
    else this.#expiry = setTimeout(() => this.#lose(), left).unref();
  }

  #lose(): void {
    if (this.#state !== 'held') return;
    this.#end('lost');
    this.#controller.abort(new GuardError('REDKEEP_LOCK_LOST'));
  }

  #end(state: State): void {
    this.#state = state;
    clearInterval(this.#renewal);
    clearTimeout(this.#expiry);
  }
}

/** A name in the cluster slot of a key. */
function slotOf(key: string): string {
  if (/^[^{]*\{[^}]+\}/.test(key)) return key;
  if (key === '' || key.includes('}'))
    throw new GuardError('REDKEEP_GUARD_ARGUMENT', 'the key has no slot for its fence');
  return `{${key}}`;
}
