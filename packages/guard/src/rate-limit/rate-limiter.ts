import { keyedHash, sha256 } from '../digest.js';
import { decodeKey, type KeyMaterial } from '../encryption/key-ring.js';
import { GuardError, hasCode } from '../errors.js';
import {
  callback,
  checked,
  client,
  fields,
  key,
  list,
  matching,
  number,
  oneOf,
  prefix,
  required,
  type Schema,
  timeout,
  whole,
} from '../options.js';
import { type GuardClient, listOf, Redis } from '../redis/redis.js';
import { checkedName } from '../well-formed.js';
import type { Decision, Limit } from './limit.js';
import { BLOCK, CHECK, CHECK_GCRA } from './limit-scripts.js';
import { LocalLimiter } from './local-limiter.js';

/** What to do when Redis does not answer in time. */
export type StoreErrorPolicy = 'local' | 'deny' | 'allow';

/** Options of {@link RateLimiter}. */
export interface RateLimiterOptions {
  readonly client: GuardClient;
  readonly limits: readonly Limit[];
  /** Before every key; default `limit:`. */
  readonly prefix?: string;
  /**
   * `local` (default): this process limits by itself meanwhile, so slowing Redis down does not switch limits off.
   * `deny`: for logins and payments. `allow`: the limit opens; who can slow Redis down can have that.
   */
  readonly onStoreError?: StoreErrorPolicy;
  /** Milliseconds to wait for Redis; default 250. */
  readonly timeoutMs?: number;
  /** 32 bytes that hash identities (HMAC): addresses and e-mails are personal data. Without it, plain SHA-256. */
  readonly identityKey?: KeyMaterial;
  /** Identities the local limiter remembers; default 10,000. When full it refuses new ones. */
  readonly maxLocal?: number;
  /** Called when Redis did not answer. By default a warning of the process, once. */
  readonly onError?: (error: unknown) => void;
}

/** Longest period and block. */
const MAX_PERIOD_MS = 31 * 86_400_000;

const LIMIT: Schema<Limit> = {
  name: required(matching(/^[\w-]{1,64}$/, 'must be 1 to 64 letters, digits, - and _')),
  limit: required(number(Number.MIN_VALUE)),
  periodMs: required(number(1, MAX_PERIOD_MS)),
  algorithm: oneOf('gcra', 'sliding-window'),
  burst: number(1),
};
const LIMITER: Schema<RateLimiterOptions> = {
  client: required(client),
  limits: required(list(fields(LIMIT), 1, 8)),
  prefix,
  onStoreError: oneOf('local', 'deny', 'allow'),
  timeoutMs: timeout,
  identityKey: key,
  maxLocal: whole(1, 10_000_000),
  onError: callback,
};

/** A limiter with nothing but one GCRA limit, which has a script of its own. */
interface SingleGcra {
  readonly limit: Limit;
  /** Microseconds one unit takes. */
  readonly stepUs: number;
  readonly burst: number;
  /** Microseconds the burst allows, as text. */
  readonly room: string;
}

function singleGcra(limit: Limit): SingleGcra {
  const stepUs = (limit.periodMs * 1000) / limit.limit;
  const burst = limit.burst ?? limit.limit;
  return { limit, stepUs, burst, room: String(burst * stepUs) };
}

const MODE = { peek: '0', check: '1', force: '2' } as const;

/**
 * Limits shared by all processes, decided in one round trip by one script.
 *
 * @example
 * const logins = new RateLimiter({
 *   client, onStoreError: 'deny', limits: [{ name: 'login', limit: 5, periodMs: 60_000 }],
 * });
 * const { allowed, retryAfterMs } = await logins.check(email);
 */
export class RateLimiter {
  readonly limits: readonly Limit[];
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #policy: StoreErrorPolicy;
  readonly #identityKey: Uint8Array | undefined;
  readonly #onError: (error: unknown) => void;
  readonly #local: LocalLimiter;
  readonly #args: readonly string[];
  readonly #single: SingleGcra | undefined;
  readonly #names: readonly string[];

  constructor(given: RateLimiterOptions) {
    const options = checked(given, LIMITER);
    const { limits } = options;
    for (const { name, limit, periodMs, algorithm, burst } of limits) {
      if ((periodMs * 1000) / limit < 1)
        throw new GuardError('REDKEEP_GUARD_OPTION', `limit ${name} is more than a million a second`);
      if (algorithm === 'sliding-window' && burst !== undefined)
        throw new GuardError('REDKEEP_GUARD_OPTION', `burst of limit ${name}: a sliding window has none`);
    }
    if (new Set(limits.map(({ name }) => name)).size !== limits.length)
      throw new GuardError('REDKEEP_GUARD_OPTION', 'two limits have one name');
    this.limits = limits;
    this.#redis = new Redis(options.client, options.timeoutMs ?? 250);
    this.#prefix = options.prefix ?? 'limit:';
    this.#policy = options.onStoreError ?? 'local';
    this.#identityKey = options.identityKey === undefined ? undefined : decodeKey(options.identityKey);
    this.#onError = options.onError ?? warnOnce();
    this.#local = new LocalLimiter(limits, options.maxLocal ?? 10_000);
    this.#args = limits.flatMap((limit) => [
      kindOf(limit),
      String(limit.limit),
      String(limit.periodMs * 1000),
      String(limit.burst ?? limit.limit),
    ]);
    this.#names = limits.map(stateName);
    this.#single = limits.length === 1 && kindOf(limits[0]!) === 'g' ? singleGcra(limits[0]!) : undefined;
  }

  /**
   * Charges `cost` units (default 1) if every limit has room for them. An outage follows the policy; everything else
   * rejects, because a limit that nobody enforces must not look like one. Errors: REDKEEP_GUARD_ARGUMENT for an identity
   * that is not a text of 1 to 4096 characters; REDKEEP_STORE_DENIED, REDKEEP_STORE_REFUSED.
   */
  async check(identity: string, cost = 1): Promise<Decision> {
    return this.#decide(checkedIdentity(identity), MODE.check, positive(cost));
  }

  /** What `check` would say, without charging. */
  async peek(identity: string, cost = 1): Promise<Decision> {
    return this.#decide(checkedIdentity(identity), MODE.peek, positive(cost));
  }

  /** Charges units whether there is room or not: a failed login may cost ten. Errors: REDKEEP_STORE_UNAVAILABLE. */
  async penalize(identity: string, units: number): Promise<void> {
    await this.#run(this.#hash(checkedIdentity(identity)), MODE.force, positive(units));
  }

  /** Gives units back. Errors: REDKEEP_STORE_UNAVAILABLE. */
  async reward(identity: string, units: number): Promise<void> {
    const hash = this.#hash(checkedIdentity(identity));
    this.#local.reward(hash, positive(units));
    await this.#run(hash, MODE.force, -units);
  }

  /**
   * Refuses everything from an identity for so many milliseconds (whole ones, rounded up, at most 31 days), in every
   * process, and in this one also while Redis is away. Errors: REDKEEP_STORE_UNAVAILABLE, REDKEEP_GUARD_ARGUMENT.
   */
  async block(identity: string, ms: number): Promise<void> {
    if (!(ms > 0 && ms <= MAX_PERIOD_MS)) throw new GuardError('REDKEEP_GUARD_ARGUMENT', 'a block is 1 ms to 31 days');
    const hash = this.#hash(checkedIdentity(identity));
    this.#local.block(hash, ms);
    await this.#block(hash, Math.ceil(ms));
  }

  /** Ends a block; what was used before it still counts. Errors: REDKEEP_STORE_UNAVAILABLE. */
  async unblock(identity: string): Promise<void> {
    const hash = this.#hash(checkedIdentity(identity));
    this.#local.block(hash, 0);
    await this.#block(hash, 0);
  }

  /** Forgets what an identity has used, and a block. Errors: REDKEEP_STORE_UNAVAILABLE. */
  async reset(identity: string): Promise<void> {
    const hash = this.#hash(checkedIdentity(identity));
    this.#local.reset(hash);
    const [first, ...others] = this.#keys(hash);
    await this.#redis.write(first!, 'DEL', ...others);
  }

  async #decide(identity: string, mode: string, cost: number): Promise<Decision> {
    const hash = this.#hash(identity);
    // What this process let through while Redis was away is not in Redis.
    const owes = this.#local.owes(hash);
    if (owes) {
      const own = this.#local.room(hash, cost, false);
      if (!own.allowed) return own;
    }
    try {
      const decision =
        this.#single !== undefined && mode === MODE.check
          ? await this.#checkGcra(this.#single, hash, cost)
          : this.#decision(await this.#run(hash, mode, cost));
      if (owes && decision.allowed && mode === MODE.check) this.#local.room(hash, cost, true);
      return decision;
    } catch (error) {
      if (!hasCode(error, 'REDKEEP_STORE_UNAVAILABLE')) throw error;
      this.#onError(error);
      if (this.#policy === 'local') return this.#local.check(hash, cost, mode === MODE.check);
      const [limit] = this.limits;
      const allowed = this.#policy === 'allow';
      const retryAfterMs = allowed ? 0 : 1000;
      return { allowed, limit: limit!, remaining: 0, retryAfterMs, resetMs: 1000, blocked: false, source: 'policy' };
    }
  }

  async #checkGcra({ limit, stepUs, burst, room }: SingleGcra, hash: string, cost: number): Promise<Decision> {
    const added = cost * stepUs;
    const reply = await this.#redis.script(CHECK_GCRA, this.#keys(hash), [String(added), room]);
    if (Array.isArray(reply)) {
      const [blockMs, fullUs] = reply as [number, number];
      this.#note(hash, [fullUs / 1000]);
      const remaining = Math.max(0, Math.floor(burst - fullUs / stepUs));
      return {
        allowed: false,
        limit,
        remaining,
        retryAfterMs: blockMs,
        resetMs: ms(fullUs),
        blocked: true,
        source: 'redis',
      };
    }
    const us = reply as number;
    if (us >= 0) {
      this.#note(hash, [us / 1000]);
      const remaining = Math.max(0, Math.floor(burst - us / stepUs + 1e-6));
      return { allowed: true, limit, remaining, retryAfterMs: 0, resetMs: ms(us), blocked: false, source: 'redis' };
    }
    // How full it is follows from what is missing: over = full + added - room.
    const fullUs = -us + burst * stepUs - added;
    this.#note(hash, [fullUs / 1000]);
    return {
      allowed: false,
      limit,
      remaining: Math.max(0, Math.floor(burst - fullUs / stepUs + 1e-6)),
      retryAfterMs: cost > burst ? Number.POSITIVE_INFINITY : ms(-us),
      resetMs: ms(fullUs),
      blocked: false,
      source: 'redis',
    };
  }

  #decision(reply: readonly number[]): Decision {
    const [blockMs, allowed] = reply as [number, number];
    let worst: Decision | undefined;
    for (const [at, limit] of this.limits.entries()) {
      const [remaining, retry, reset] = reply.slice(2 + at * 3, 5 + at * 3) as [number, number, number];
      const retryMs = retry === -1 ? Number.POSITIVE_INFINITY : Math.ceil(retry / 1000);
      const decision: Decision = {
        allowed: allowed === 1,
        limit,
        remaining,
        retryAfterMs: Math.max(retryMs, blockMs),
        resetMs: Math.ceil(reset / 1000),
        blocked: blockMs > 0,
        source: 'redis',
      };
      const worse =
        worst === undefined ||
        decision.retryAfterMs > worst.retryAfterMs ||
        (decision.retryAfterMs === worst.retryAfterMs && remaining < worst.remaining);
      if (worse) worst = decision;
    }
    return worst!;
  }

  async #run(hash: string, mode: string, cost: number): Promise<readonly number[]> {
    const reply = listOf(await this.#redis.script(CHECK, this.#keys(hash), [mode, String(cost), ...this.#args]));
    // What a forced charge leaves is not in its reply, which says how it was before.
    const charge = mode === MODE.force ? cost : 0;
    this.#note(
      hash,
      this.limits.map((limit, at) => {
        const stepMs = limit.periodMs / limit.limit;
        const usedMs = ((limit.burst ?? limit.limit) - Number(reply[2 + at * 3])) * stepMs;
        const fullMs = kindOf(limit) === 'g' ? Number(reply[4 + at * 3]) / 1000 : usedMs;
        return fullMs + charge * stepMs;
      }),
    );
    return reply as readonly number[];
  }

  /** For an outage: where this process then goes on. */
  #note(hash: string, fullMs: readonly number[]): void {
    if (this.#policy === 'local') this.#local.note(hash, fullMs);
  }

  async #block(hash: string, blockMs: number): Promise<void> {
    await this.#redis.script(BLOCK, this.#keys(hash), [String(blockMs), ...this.limits.map(kindOf)]);
  }

  #hash(identity: string): string {
    return keyedHash(this.#identityKey, identity).slice(0, 22);
  }

  #keys(hash: string): string[] {
    const base = `${this.#prefix}{${hash}}:`;
    return this.#names.map((name) => base + name);
  }
}

/** A limit's state belongs to its rule: another rule of the same name, or the same after a change, counts by itself. */
function stateName(limit: Limit): string {
  const rule = [kindOf(limit), limit.limit, limit.periodMs, limit.burst ?? limit.limit].join('/');
  return `${limit.name}.${sha256(rule).slice(0, 6)}`;
}

function checkedIdentity(identity: unknown): string {
  return checkedName(identity, 'identity', 4096);
}

function warnOnce(): (error: unknown) => void {
  let warned = false;
  return (error) => {
    if (warned) return;
    warned = true;
    const { message, code } = error as GuardError;
    process.emitWarning(`A rate limit is decided without Redis: ${message}`, { code });
  };
}

function kindOf({ algorithm }: Limit): 'w' | 'g' {
  return algorithm === 'sliding-window' ? 'w' : 'g';
}

function ms(us: number): number {
  return Math.max(0, Math.ceil(us / 1000));
}

function positive(value: number): number {
  if (!(Number.isFinite(value) && value > 0)) throw new GuardError('REDKEEP_GUARD_ARGUMENT', 'cost must be above 0');
  return value;
}
