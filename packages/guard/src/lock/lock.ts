import { GuardError } from '../errors.js';
import type { Redis } from '../redis/redis.js';
import { Script } from '../redis/script.js';

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

type State = 'held' | 'released' | 'lost';

interface LockParts {
  readonly redis: Redis;
  readonly key: string;
  readonly owner: string;
  readonly token: number;
  readonly ttlMs: number;
  /** When the server was asked, on the monotonic clock: the lock cannot have started earlier. */
  readonly askedAt: number;
  readonly renew: boolean;
}

/** A lock that is held, until `release`, or until `signal` says that it is lost. */
export class Lock {
  /** Fencing token: greater than that of every earlier holder. */
  readonly token: number;
  readonly #parts: LockParts;
  readonly #controller = new AbortController();
  #state: State = 'held';
  #expiry: NodeJS.Timeout | undefined;
  #renewal: NodeJS.Timeout | undefined;

  constructor(parts: LockParts) {
    this.#parts = parts;
    this.token = parts.token;
    this.#validFrom(parts.askedAt);
    if (parts.renew && this.isHeld) this.#renewal = setInterval(() => void this.#renew(), parts.ttlMs / 3).unref();
  }

  /** Held, by this process's own clock. False after `release`, and from when `signal` fires. */
  get isHeld(): boolean {
    return this.#state === 'held';
  }

  /** Aborts with REDKEEP_LOCK_LOST before the lock can pass to somebody else. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Frees the lock. False when it was no longer ours. */
  async release(): Promise<boolean> {
    if (this.#state === 'released') return false;
    this.#end('released');
    const { redis, key, owner } = this.#parts;
    return (await redis.script(RELEASE, [key, `${key}:wake`], [owner])) === 1;
  }

  /**
   * Writes a value unless a later holder has written already. `ttlMs`: its expiry.
   * Errors: REDKEEP_LOCK_FENCED, REDKEEP_STORE_UNAVAILABLE; REDKEEP_GUARD_OPTION for a key with a `}` outside a hash tag.
   */
  async guardedSet(key: string, value: string | Buffer, ttlMs: number): Promise<void> {
    const fence = fenceOf(key);
    const args = [String(this.token), value, String(Math.floor(ttlMs)), String(Math.max(FENCE_MS, Math.floor(ttlMs)))];
    if ((await this.#parts.redis.script(GUARDED_SET, [key, fence], args)) !== 1)
      throw new GuardError('REDKEEP_LOCK_FENCED');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release().then(() => undefined);
  }

  async #renew(): Promise<void> {
    const { redis, key, owner, ttlMs } = this.#parts;
    const askedAt = performance.now();
    try {
      const renewed = await redis.script(RENEW, [key], [owner, String(Math.floor(ttlMs))]);
      if (this.#state !== 'held') return;
      if (renewed === 1) this.#validFrom(askedAt);
      else this.#lose();
    } catch {
      // Tried again at the next turn; the expiry timer ends it in time.
    }
  }

  /** A tenth of the ttl is kept back for drifting clocks and for the holder to stop. */
  #validFrom(start: number): void {
    clearTimeout(this.#expiry);
    const left = start + this.#parts.ttlMs * 0.9 - performance.now();
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

/** Name of a value's fence, in the cluster slot of the value. */
function fenceOf(key: string): string {
  if (/^[^{]*\{[^}]+\}/.test(key)) return `fence:${key}`;
  if (key === '' || key.includes('}'))
    throw new GuardError('REDKEEP_GUARD_OPTION', 'the key has no slot for its fence');
  return `fence:{${key}}`;
}
