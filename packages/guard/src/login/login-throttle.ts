import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { keyedHash } from '../digest.js';
import { decodeKey, type KeyMaterial } from '../encryption/key-ring.js';
import { GuardError, hasCode } from '../errors.js';
import { clientAddress } from '../http/client-address.js';
import {
  anything,
  checked,
  client,
  fields,
  key,
  number,
  prefix,
  required,
  type Schema,
  text,
  timeout,
  whole,
} from '../options.js';
import { type GuardClient, listOf, Redis } from '../redis/redis.js';
import { checkedName } from '../well-formed.js';
import { BEGIN_ATTEMPT, FORGET_ATTEMPT } from './login-scripts.js';

/** How attempts of one kind are slowed down. */
export interface Backoff {
  /** Failed attempts that cost no waiting. */
  readonly free: number;
  /** Milliseconds to wait after the next one; each further one doubles it. */
  readonly baseMs: number;
  /** Longest wait in milliseconds. */
  readonly maxMs: number;
}

/** Options of {@link LoginThrottle}. */
export interface LoginThrottleOptions {
  readonly client: GuardClient;
  /** 32 bytes that hash accounts and addresses and sign device tokens; nothing else uses them. */
  readonly key: KeyMaterial;
  /** Before every key; default `login:`. */
  readonly prefix?: string;
  /** Attempts on one account from devices that never logged in to it; default 5 free, 1 s doubling to 15 minutes. */
  readonly account?: Partial<Backoff>;
  /** Attempts from one device that has logged in to this account before; default as `account`. */
  readonly device?: Partial<Backoff>;
  /** Attempts from one address on any account; default 50 free, 1 s doubling to 15 minutes. */
  readonly address?: Partial<Backoff>;
  /** Milliseconds after the last attempt until failures are forgotten; default 24 hours, at most 31 days. */
  readonly forgetAfterMs?: number;
  /** Milliseconds a device stays known; default 180 days, 1000 ms to ten years. */
  readonly deviceMaxAgeMs?: number;
  /** Milliseconds to wait for Redis; default 5000. */
  readonly timeoutMs?: number;
}

/** Where an attempt comes from and what it is for. */
export interface LoginAttemptSource {
  /** As the user typed it; normalise it as your database does, or one account has many counters. */
  readonly account: string;
  /** The client's address: `request.ip` behind a trusted proxy. Counted as `clientAddress` writes it, IPv6 by its /64. */
  readonly address: string;
  /** The device token from the cookie, if there is one. */
  readonly device?: string | undefined;
}

/** One attempt to log in: already counted as a failure, so that parallel attempts cannot all pass. */
export interface LoginAttempt {
  /** Check the password only when true; otherwise answer 429 without saying whether the account exists. */
  readonly allowed: boolean;
  /** Milliseconds until the next attempt; 0 when allowed. */
  readonly retryAfterMs: number;
  /** The attempt came from a device that has logged in to this account before. */
  readonly knownDevice: boolean;
  /**
   * To be called after a right password: forgets the failures of this device and this attempt. Returns the device token
   * to keep in a cookie (`__Host-device`, HttpOnly, Secure).
   */
  succeeded(): Promise<string>;
}

const DEFAULT_BACKOFF: Backoff = { free: 5, baseMs: 1000, maxMs: 900_000 };
const DAY_MS = 86_400_000;
const ID_BYTES = 16;
const BACKOFF = fields<Backoff>({
  free: whole(1, 1_000_000),
  baseMs: number(1, DAY_MS),
  maxMs: number(1, DAY_MS),
});
const LOGIN: Schema<LoginThrottleOptions> = {
  client: required(client),
  key: required(key),
  prefix,
  account: BACKOFF,
  device: BACKOFF,
  address: BACKOFF,
  forgetAfterMs: number(1000, 31 * DAY_MS),
  deviceMaxAgeMs: number(1000, 3660 * DAY_MS),
  timeoutMs: timeout,
};
const SOURCE: Schema<LoginAttemptSource> = { account: required(text), address: required(text), device: anything };

/**
 * Slows down guessing of passwords by account, address and device together, without locking out the owner: a device
 * that has logged in to the account before has a counter of its own, which attempts from elsewhere do not touch.
 * While Redis is away, attempts are refused. It does not stop many addresses from trying few passwords on many
 * accounts each below the limits (credential stuffing): add checks against leaked passwords and a second factor.
 *
 * @example
 * const attempt = await throttle.begin({ account: email, address: clientAddress(request), device });
 * if (!attempt.allowed) return tooManyRequests(attempt.retryAfterMs);
 * if (await passwordIsRight(email, password)) setDeviceCookie(await attempt.succeeded());
 */
export class LoginThrottle {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #key: Uint8Array;
  readonly #backoff: Readonly<Record<'account' | 'device' | 'address', Backoff>>;
  readonly #forgetAfterMs: number;
  readonly #deviceMaxAgeMs: number;

  constructor(given: LoginThrottleOptions) {
    const options = checked(given, LOGIN);
    this.#redis = new Redis(options.client, options.timeoutMs);
    this.#prefix = options.prefix ?? 'login:';
    this.#key = decodeKey(options.key);
    this.#backoff = {
      account: checkedBackoff('account', { ...DEFAULT_BACKOFF, ...options.account }),
      device: checkedBackoff('device', { ...DEFAULT_BACKOFF, ...(options.device ?? options.account) }),
      address: checkedBackoff('address', { ...DEFAULT_BACKOFF, free: 50, ...options.address }),
    };
    this.#forgetAfterMs = options.forgetAfterMs ?? DAY_MS;
    this.#deviceMaxAgeMs = options.deviceMaxAgeMs ?? 180 * DAY_MS;
  }

  /**
   * Counts an attempt and says whether it may go on. An outage refuses it.
   * Errors: REDKEEP_GUARD_ARGUMENT for an account that is not a text and for what is not an address; REDKEEP_STORE_DENIED, _REFUSED.
   */
  async begin(given: LoginAttemptSource): Promise<LoginAttempt> {
    const source = checked(given, SOURCE, 'REDKEEP_GUARD_ARGUMENT');
    const account = checkedName(source.account, 'account', 4096);
    // An IPv6 client has 2^64 addresses, and an IPv4 one several spellings.
    const address = clientAddress({}, checkedName(source.address, 'address', 4096));
    const device = this.#deviceIdOf(account, source.device);
    const own = device === undefined ? this.#name('account', account) : this.#name('device', device);
    const kind = device === undefined ? 'account' : 'device';
    const waits: number[] = [];
    try {
      waits.push(await this.#count(this.#name('address', address), this.#backoff.address));
      // What an address is refused does not count against the account: it was not tried.
      if (waits[0] === 0) waits.push(await this.#count(own, this.#backoff[kind]));
    } catch (error) {
      if (!hasCode(error, 'REDKEEP_STORE_UNAVAILABLE')) throw error;
      waits.push(1000);
    }
    const retryAfterMs = Math.max(...waits);
    const allowed = retryAfterMs === 0;
    return {
      allowed,
      retryAfterMs,
      knownDevice: device !== undefined,
      succeeded: async () => {
        if (!allowed) throw new GuardError('REDKEEP_GUARD_ARGUMENT', 'the attempt was not allowed');
        await this.#redis.write(own, 'DEL');
        await this.#redis.script(FORGET_ATTEMPT, [this.#name('address', address)], []);
        return this.#tokenFor(account, device ?? randomBytes(ID_BYTES).toString('base64url'));
      },
    };
  }

  async #count(key: string, { free, baseMs, maxMs }: Backoff): Promise<number> {
    const args = [free, baseMs, maxMs, this.#forgetAfterMs].map((value) => String(Math.floor(value)));
    const [allowed, wait] = listOf(await this.#redis.script(BEGIN_ATTEMPT, [key], args)) as [number, number];
    return allowed === 1 ? 0 : Math.max(1, wait);
  }

  #tokenFor(account: string, id: string): string {
    const issued = Date.now().toString(36);
    return `${id}.${issued}.${this.#mac(account, id, issued).toString('base64url')}`;
  }

  /** The id of a device that has logged in to this account; undefined for a token of another account or nobody. */
  #deviceIdOf(account: string, token: string | undefined): string | undefined {
    const [, id, issued, mac] =
      /^([\w-]{22})\.([a-z0-9]{1,11})\.([\w-]{43})$/.exec(typeof token === 'string' ? token : '') ?? [];
    if (id === undefined || issued === undefined || mac === undefined) return undefined;
    const expected = this.#mac(account, id, issued);
    const given = Buffer.from(mac, 'base64url');
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    return Date.now() - Number.parseInt(issued, 36) < this.#deviceMaxAgeMs ? id : undefined;
  }

  #mac(account: string, id: string, issued: string): Buffer {
    return createHmac('sha256', this.#key).update(`device|${id}|${issued}|${account}`).digest();
  }

  #name(kind: 'account' | 'device' | 'address', text: string): string {
    return `${this.#prefix}${kind}:{${keyedHash(this.#key, `${kind}:${text}`)}}`;
  }

  /** The waits in force, for documents and tests. */
  get backoffs(): Readonly<Record<'account' | 'device' | 'address', Backoff>> {
    return this.#backoff;
  }
}

function checkedBackoff(name: string, backoff: Backoff): Backoff {
  if (backoff.maxMs < backoff.baseMs) throw new GuardError('REDKEEP_GUARD_OPTION', `${name}.maxMs is below baseMs`);
  return backoff;
}
