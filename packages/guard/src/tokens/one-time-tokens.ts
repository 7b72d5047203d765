import { randomBytes, randomInt } from 'node:crypto';
import { keyedHash } from '../digest.js';
import type { Sealer } from '../encryption/encryption.js';
import { decodeKey, type KeyMaterial } from '../encryption/key-ring.js';
import { GuardError } from '../errors.js';
import {
  anything,
  checked,
  client,
  key,
  number,
  prefix,
  required,
  type Schema,
  sealer,
  text,
  timeout,
  whole,
} from '../options.js';
import { type GuardClient, listOf, Redis, textOf } from '../redis/redis.js';
import { checkedName } from '../well-formed.js';
import { ISSUE, REDEEM } from './token-scripts.js';

/** Options of {@link OneTimeTokens}. */
export interface OneTimeTokensOptions {
  readonly client: GuardClient;
  /** Seals what a token stands for. */
  readonly encryption: Sealer;
  /** 32 bytes that hash tokens, codes and subjects: a dump of Redis yields no code by trying all of them. */
  readonly key: KeyMaterial;
  /** Before every key; default `token:`. */
  readonly prefix?: string;
  /** Tokens and codes of one subject and purpose in any hour, 1 to 1000; default 10. Beyond it REDKEEP_TOKEN_LIMIT. */
  readonly maxPerHour?: number;
  /** Milliseconds to wait for Redis; default 5000. */
  readonly timeoutMs?: number;
}

/** What a token is for. One subject has one token of a purpose: a new one replaces it. */
export interface TokenRequest {
  /** `password-reset`, `magic-link`, `email-change`. */
  readonly purpose: string;
  /** The account that it logs in. */
  readonly subject: string;
  /** Milliseconds, 1000 to 24 hours; default 15 minutes. */
  readonly ttlMs?: number;
  /** Kept sealed and returned by `redeem`. */
  readonly data?: unknown;
}

/** A code that a person types. */
export interface CodeRequest extends TokenRequest {
  /** 6 to 10; default 6. */
  readonly digits?: number;
  /** Wrong codes after which it is void; 1 to 10, default 5. */
  readonly maxAttempts?: number;
}

/** The content of a redeemed token. */
export interface Redeemed {
  readonly subject: string;
  readonly data: unknown;
}

const DAY_MS = 86_400_000;
const LOCATOR_CHARS = 22;
const SECRET_BYTES = 32;
const TOKENS: Schema<OneTimeTokensOptions> = {
  client: required(client),
  encryption: required(sealer),
  key: required(key),
  prefix,
  maxPerHour: whole(1, 1000),
  timeoutMs: timeout,
};
const TOKEN_REQUEST: Schema<TokenRequest> = {
  purpose: required(text),
  subject: required(text),
  ttlMs: number(1000, DAY_MS),
  data: anything,
};
const CODE_REQUEST: Schema<CodeRequest> = { ...TOKEN_REQUEST, digits: whole(6, 10), maxAttempts: whole(1, 10) };
const TOKEN = /^[\w-]{65}$/;

/**
 * Tokens for links and codes for people, redeemed once, by one script: of parallel attempts one succeeds. Redis sees only
 * keyed hashes. A new token of a purpose voids the subject's old one. Redeem on POST, not on GET: mail scanners open
 * links.
 *
 * @example
 * const link = await tokens.issue({ purpose: 'magic-link', subject: 'ana' });
 * const redeemed = await tokens.redeem('magic-link', link); // { subject: 'ana' } once, then undefined
 */
export class OneTimeTokens {
  readonly #redis: Redis;
  readonly #encryption: Sealer;
  readonly #key: Uint8Array;
  readonly #prefix: string;
  readonly #maxPerHour: number;

  constructor(given: OneTimeTokensOptions) {
    const options = checked(given, TOKENS);
    this.#redis = new Redis(options.client, options.timeoutMs);
    this.#encryption = options.encryption;
    this.#key = decodeKey(options.key);
    this.#prefix = options.prefix ?? 'token:';
    this.#maxPerHour = options.maxPerHour ?? 10;
  }

  /** A token of 65 characters, 256 secret bits. Errors: REDKEEP_TOKEN_LIMIT, REDKEEP_GUARD_ARGUMENT, _STORE_…. */
  async issue(given: TokenRequest): Promise<string> {
    const request = checked(given, TOKEN_REQUEST, 'REDKEEP_GUARD_ARGUMENT');
    const locator = this.#locator(request.purpose, request.subject);
    const token = locator + randomBytes(SECRET_BYTES).toString('base64url');
    await this.#store(locator, request, this.#hash('token', request.purpose, token), 0);
    return token;
  }

  /** A code of digits, void after `maxAttempts` wrong ones. Errors: as `issue`. */
  async issueCode(given: CodeRequest): Promise<string> {
    const request = checked(given, CODE_REQUEST, 'REDKEEP_GUARD_ARGUMENT');
    const { digits = 6, maxAttempts = 5 } = request;
    const code = String(randomInt(10 ** digits)).padStart(digits, '0');
    const locator = this.#locator(request.purpose, request.subject);
    await this.#store(locator, request, this.#hash('code', `${request.purpose}|${locator}`, code), maxAttempts);
    return code;
  }

  /** Returns the content of the token, once; undefined for any other. Errors: REDKEEP_STORE_…, those of `Encryption.open`. */
  async redeem(purpose: string, token: string): Promise<Redeemed | undefined> {
    if (typeof token !== 'string' || !TOKEN.test(token)) return undefined;
    return this.#redeem(token.slice(0, LOCATOR_CHARS), this.#hash('token', purpose, token), false);
  }

  /** The same for a code that a person typed. A wrong one counts; undefined says no more than "no". */
  async redeemCode(purpose: string, subject: string, code: string): Promise<Redeemed | undefined> {
    if (typeof code !== 'string' || !/^\d{6,10}$/.test(code)) return undefined;
    const locator = this.#locator(purpose, subject);
    return this.#redeem(locator, this.#hash('code', `${purpose}|${locator}`, code), true);
  }

  /** Voids a subject's token or code of a purpose. */
  async revoke(purpose: string, subject: string): Promise<void> {
    await this.#redis.write(this.#keyOf(this.#locator(purpose, subject)), 'HDEL', 'h', 'v', 'x', 'l');
  }

  async #store(locator: string, request: TokenRequest, hash: string, attempts: number): Promise<void> {
    const { ttlMs = 900_000, subject, data } = request;
    const key = this.#keyOf(locator);
    const sealed = await this.#encryption.seal(JSON.stringify({ subject, data }), placeOf(key, hash));
    const args = [hash, sealed, String(Math.floor(ttlMs)), String(attempts), String(this.#maxPerHour)];
    if ((await this.#redis.script(ISSUE, [key], args)) !== 1) throw new GuardError('REDKEEP_TOKEN_LIMIT');
  }

  async #redeem(locator: string, hash: string, counts: boolean): Promise<Redeemed | undefined> {
    const key = this.#keyOf(locator);
    // Opened before it is used up: a process that lacks the key must not void the token for one that has it.
    const [held, content] = listOf(await this.#redis.read(key, 'HMGET', 'h', 'v'));
    const isRight = textOf(held) === hash && Buffer.isBuffer(content);
    const opened = isRight ? await this.#encryption.open(content, placeOf(key, hash)) : undefined;
    const [done] = listOf(await this.#redis.script(REDEEM, [key], [hash, counts ? '1' : '0']));
    if (done !== 1 || opened === undefined) return undefined;
    const { subject, data } = JSON.parse(opened.toString()) as { subject: string; data?: unknown };
    return { subject, data };
  }

  #locator(purpose: string, subject: string): string {
    checkedName(purpose, 'purpose');
    checkedName(subject, 'subject');
    return keyedHash(this.#key, `locator|${purpose.length}|${purpose}|${subject}`).slice(0, LOCATOR_CHARS);
  }

  #hash(kind: 'token' | 'code', context: string, secret: string): string {
    return keyedHash(this.#key, `${kind}|${context.length}|${context}|${secret}`);
  }

  #keyOf(locator: string): string {
    return `${this.#prefix}{${locator}}`;
  }
}

function placeOf(key: string, hash: string) {
  return { space: 'tokens', key, field: hash };
}
