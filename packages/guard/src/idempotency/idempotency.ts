import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { sha256 } from '../digest.js';
import type { Sealer } from '../encryption/encryption.js';
import { GuardError } from '../errors.js';
import {
  anyText,
  checked,
  client,
  MAX_TIMER_MS,
  number,
  prefix,
  required,
  type Schema,
  sealer,
  text,
  timeout,
  whole,
} from '../options.js';
import { type GuardClient, listOf, Redis } from '../redis/redis.js';
import { Script } from '../redis/script.js';

/** Options of {@link IdempotencyKeys}. */
export interface IdempotencyOptions {
  readonly client: GuardClient;
  /** Seals kept answers. */
  readonly encryption: Sealer;
  /** Before every key; default `idem:`. */
  readonly prefix?: string;
  /** Milliseconds an answer is kept; default 24 hours, at most 31 days. */
  readonly keepMs?: number;
  /** Milliseconds a run may be silent before another may begin: after a crash; default 30,000. Renewed while it runs. */
  readonly lockMs?: number;
  /** Milliseconds a twin waits for the answer; default 0: REDKEEP_IDEMPOTENCY_RUNNING at once (answer 409). */
  readonly waitMs?: number;
  /** Largest answer in bytes, as JSON; default 64 KiB. */
  readonly maxBytes?: number;
  /** Milliseconds to wait for Redis; default 5000. */
  readonly timeoutMs?: number;
}

/** One request. */
export interface IdempotentRequest {
  /** What the client sent as `Idempotency-Key`: 16 to 255 characters. */
  readonly key: string;
  /** Who sent it: the keys of two users never meet. */
  readonly scope: string;
  /** The request itself (method, path, body): the same key with another request is an error. */
  readonly fingerprint: string;
}

/** An answer, and whether it was kept from an earlier run. */
export interface IdempotentResult<T> {
  readonly value: T;
  readonly replayed: boolean;
}

interface KeptAnswer<T> {
  readonly v?: T;
  /** The work was done and its answer could not be kept. */
  readonly lost?: boolean;
}

/**
 * KEYS request; ARGV owner, fingerprint, lock ms. { 1 } = run it, { 2 } = another runs, { 3, answer } = done,
 * { 4 } = another request used the key.
 */
export const BEGIN_ONCE = new Script(
  'idem_begin',
  `
local held = redis.call('HMGET', KEYS[1], 'f', 'v', 'o')
if not held[1] then
  redis.call('HSET', KEYS[1], 'f', ARGV[2], 'o', ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  return { 1 }
end
if held[1] ~= ARGV[2] then return { 4 } end
if held[2] then return { 3, held[2] } end
return { 2 }`,
);

/** KEYS request; ARGV owner, sealed answer ('' = give the key back, '+' = go on), ms. 0 = another has taken over. */
export const END_ONCE = new Script(
  'idem_end',
  `
local held = redis.call('HMGET', KEYS[1], 'o', 'v')
if held[1] ~= ARGV[1] or held[2] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[1]) return 1 end
if ARGV[2] ~= '+' then redis.call('HSET', KEYS[1], 'v', ARGV[2]) end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`,
);

const POLL_MS = 50;
const MAX_KEEP_MS = 31 * 86_400_000;
const IDEMPOTENCY: Schema<IdempotencyOptions> = {
  client: required(client),
  encryption: required(sealer),
  prefix,
  keepMs: whole(1000, MAX_KEEP_MS),
  lockMs: whole(100, MAX_KEEP_MS),
  waitMs: number(0, MAX_TIMER_MS),
  maxBytes: whole(1),
  timeoutMs: timeout,
};
const REQUEST: Schema<IdempotentRequest> = {
  key: required(anyText),
  scope: required(text),
  fingerprint: required(anyText),
};

/**
 * Runs a request once and keeps its answer: a repeated one gets the same answer, a parallel twin waits or is refused.
 * Not guaranteed: that work which crashed in the middle has left nothing behind. Its key is free after `lockMs`, and the
 * next request runs the work again: make the work itself a transaction, or have it look for what it did.
 *
 * @example
 * const { value, replayed } = await once.run({ key: token, scope: user, fingerprint: body }, () => charge(card));
 */
export class IdempotencyKeys {
  readonly #redis: Redis;
  readonly #encryption: Sealer;
  readonly #prefix: string;
  readonly #keepMs: number;
  readonly #lockMs: number;
  readonly #waitMs: number;
  readonly #maxBytes: number;

  constructor(given: IdempotencyOptions) {
    const options = checked(given, IDEMPOTENCY);
    this.#redis = new Redis(options.client, options.timeoutMs);
    this.#encryption = options.encryption;
    this.#prefix = options.prefix ?? 'idem:';
    this.#keepMs = options.keepMs ?? 86_400_000;
    this.#lockMs = options.lockMs ?? 30_000;
    this.#waitMs = options.waitMs ?? 0;
    this.#maxBytes = options.maxBytes ?? 65_536;
    if (this.#lockMs > this.#keepMs) throw new GuardError('REDKEEP_GUARD_OPTION', 'lockMs is more than keepMs');
  }

  /**
   * Runs `work` or returns the answer of the run before. What `work` rejects with is not kept: the key is free again.
   * Errors: REDKEEP_IDEMPOTENCY_RUNNING, _MISMATCH, _LOST; REDKEEP_VALUE_TOO_LARGE, now and for every repetition, when the
   * work was done and its answer cannot be kept; REDKEEP_GUARD_ARGUMENT; REDKEEP_STORE_….
   */
  async run<T>(request: IdempotentRequest, work: () => Promise<T>): Promise<IdempotentResult<T>> {
    const name = this.#name(request);
    const owner = randomBytes(12).toString('base64url');
    const begin = [owner, sha256(request.fingerprint), String(this.#lockMs)];
    const giveUpAt = performance.now() + this.#waitMs;
    for (;;) {
      const [status, answer] = listOf(await this.#redis.script(BEGIN_ONCE, [name], begin));
      if (status === 1) return { value: await this.#work(name, owner, work), replayed: false };
      if (status === 4) throw new GuardError('REDKEEP_IDEMPOTENCY_MISMATCH');
      if (status === 3) {
        const opened = await this.#encryption.open(answer as Buffer, placeOf(name));
        const kept = JSON.parse(opened.toString()) as KeptAnswer<T>;
        if (kept.lost === true) throw this.#unkeepable();
        return { value: kept.v as T, replayed: true };
      }
      if (performance.now() + POLL_MS > giveUpAt) throw new GuardError('REDKEEP_IDEMPOTENCY_RUNNING');
      await pause(POLL_MS);
    }
  }

  async #work<T>(name: string, owner: string, work: () => Promise<T>): Promise<T> {
    const alive = setInterval(() => {
      this.#redis.script(END_ONCE, [name], [owner, '+', String(this.#lockMs)]).catch(() => undefined);
    }, this.#lockMs / 3).unref();
    let value: T;
    try {
      value = await work();
    } catch (error) {
      await this.#redis.script(END_ONCE, [name], [owner, '', '0']).catch(() => undefined);
      throw error;
    } finally {
      clearInterval(alive);
    }
    // The work was done: that is kept, whatever becomes of its answer, or it would run again once the lock is free.
    const json = this.#encode(value);
    const sealed = await this.#encryption.seal(json ?? JSON.stringify({ lost: true }), placeOf(name));
    const kept = await this.#redis.script(END_ONCE, [name], [owner, sealed, String(this.#keepMs)]);
    if (kept !== 1) throw new GuardError('REDKEEP_IDEMPOTENCY_LOST');
    if (json === undefined) throw this.#unkeepable();
    return (JSON.parse(json) as { v: T }).v;
  }

  /** An answer as it is kept; undefined for one that JSON cannot hold or that is too large. */
  #encode(value: unknown): string | undefined {
    try {
      const json = JSON.stringify({ v: value });
      return Buffer.byteLength(json) > this.#maxBytes ? undefined : json;
    } catch {
      return undefined;
    }
  }

  #unkeepable(): GuardError {
    return new GuardError(
      'REDKEEP_VALUE_TOO_LARGE',
      `the work was done, its answer is not JSON of at most ${this.#maxBytes} bytes and was not kept`,
    );
  }

  #name(request: IdempotentRequest): string {
    const { key, scope } = checked(request, REQUEST, 'REDKEEP_GUARD_ARGUMENT');
    if (key.length < 16 || key.length > 255)
      throw new GuardError('REDKEEP_GUARD_ARGUMENT', 'key: 16 to 255 characters');
    return `${this.#prefix}{${sha256(`${scope.length}|${scope}|${key}`)}}`;
  }
}

function placeOf(name: string) {
  return { space: 'idempotency', key: name };
}
