import { keyedHash } from '../digest.js';
import { decodeKey, type KeyMaterial } from '../encryption/key-ring.js';
import { GuardError } from '../errors.js';
import { anything, checked, client, key, prefix, required, type Schema, text, timeout, whole } from '../options.js';
import { type GuardClient, Redis, textOf } from '../redis/redis.js';
import { Script } from '../redis/script.js';
import { checkedName } from '../well-formed.js';

/** Options of {@link TokenDenylist}. */
export interface TokenDenylistOptions {
  readonly client: GuardClient;
  /** Before every key; default `deny:`. */
  readonly prefix?: string;
  /** 32 bytes that hash ids and subjects. Without it, plain SHA-256. */
  readonly key?: KeyMaterial;
  /** Longest life of a token in milliseconds: how long "all before now" has to be remembered; default 24 hours. */
  readonly maxTokenMs?: number;
  /** Milliseconds to wait for Redis; default 250. */
  readonly timeoutMs?: number;
}

/** The claims of a verified JWT that decide whether it was revoked. */
export interface RevocableToken {
  /** `jti`. */
  readonly id: string;
  /** `sub`. */
  readonly subject?: string;
  /** `iat`, Unix seconds; fractions are allowed. */
  readonly issuedAt?: number;
}

/** KEYS subject; ARGV Unix s, ms. The newest moment wins, whichever request comes last. */
export const REVOKE_BEFORE = new Script(
  'deny_before',
  `
local held = tonumber(redis.call('GET', KEYS[1]) or '0')
redis.call('SET', KEYS[1], string.format('%.0f', math.max(held, tonumber(ARGV[1]))), 'PX', ARGV[2])
return 1`,
);

const MAX_MS = 366 * 86_400_000;
const DENYLIST: Schema<TokenDenylistOptions> = {
  client: required(client),
  prefix,
  key,
  maxTokenMs: whole(1000, MAX_MS),
  timeoutMs: timeout,
};
const TOKEN: Schema<RevocableToken> = { id: required(text), subject: text, issuedAt: anything };
/** The year 2001: a smaller number is a time in seconds, and would revoke nothing. */
const FIRST_MS = 1e12;

/**
 * Revoked tokens, until they would have expired anyway. Verify a JWT first, then ask here. While Redis is away `isRevoked`
 * rejects: refuse the request, or a stolen token works whenever Redis is slow.
 *
 * @example
 * await denylist.revoke(claims.jti, claims.exp * 1000);
 * if (await denylist.isRevoked({ id: claims.jti, subject: claims.sub, issuedAt: claims.iat })) return unauthorized();
 */
export class TokenDenylist {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #key: Uint8Array | undefined;
  readonly #maxTokenMs: number;

  constructor(given: TokenDenylistOptions) {
    const options = checked(given, DENYLIST);
    this.#redis = new Redis(options.client, options.timeoutMs ?? 250);
    this.#prefix = options.prefix ?? 'deny:';
    this.#key = options.key === undefined ? undefined : decodeKey(options.key);
    this.#maxTokenMs = options.maxTokenMs ?? 86_400_000;
  }

  /**
   * Revokes one token until it expires (Unix ms, at most 366 days ahead).
   * Errors: REDKEEP_GUARD_ARGUMENT, also for seconds, as `exp` counts them; REDKEEP_STORE_….
   */
  async revoke(id: string, expiresAtMs: number): Promise<void> {
    if (!(expiresAtMs - Date.now() <= MAX_MS && expiresAtMs >= FIRST_MS))
      throw new GuardError('REDKEEP_GUARD_ARGUMENT', 'expiresAtMs is in milliseconds');
    // By the server's clock: one that is ahead here would take the token for expired where others still accept it.
    const until = String(Math.ceil(expiresAtMs) + 60_000);
    await this.#redis.write(this.#name('id', id), 'SET', '1', 'PXAT', until);
  }

  /** Revokes every token of a subject issued up to a moment (Unix ms, default now). Whole seconds, as `iat` counts. */
  async revokeAllOf(subject: string, beforeMs = Date.now()): Promise<void> {
    if (!(beforeMs >= FIRST_MS && beforeMs < Number.MAX_SAFE_INTEGER))
      throw new GuardError('REDKEEP_GUARD_ARGUMENT', 'beforeMs is in milliseconds');
    const args = [String(Math.floor(beforeMs / 1000)), String(this.#maxTokenMs + 60_000)];
    await this.#redis.script(REVOKE_BEFORE, [this.#name('subject', subject)], args);
  }

  /** Errors: REDKEEP_STORE_UNAVAILABLE, which does not mean "not revoked". */
  async isRevoked(token: RevocableToken): Promise<boolean> {
    const { id, subject, issuedAt } = checked(token, TOKEN, 'REDKEEP_GUARD_ARGUMENT');
    const [byId, before] = await Promise.all([
      this.#redis.read(this.#name('id', id), 'EXISTS'),
      subject === undefined ? null : this.#redis.read(this.#name('subject', subject), 'GET'),
    ]);
    if (byId === 1) return true;
    if (before === null) return false;
    // By whole seconds, as the moment is kept. A token that does not say when it was issued was issued before.
    return !(typeof issuedAt === 'number' && Math.floor(issuedAt) > Number(textOf(before)));
  }

  #name(kind: 'id' | 'subject', text: string): string {
    checkedName(text, kind);
    return `${this.#prefix}${kind}:{${keyedHash(this.#key, `${kind}:${text}`)}}`;
  }
}
