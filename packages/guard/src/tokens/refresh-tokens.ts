import { randomBytes } from 'node:crypto';
import { keyedHash } from '../digest.js';
import type { Sealer } from '../encryption/encryption.js';
import type { KeyMaterial } from '../encryption/key-ring.js';
import { GuardError } from '../errors.js';
import { callback, checked, client, keys, prefix, required, type Schema, sealer, timeout, whole } from '../options.js';
import { type GuardClient, listOf, Redis, textOf } from '../redis/redis.js';
import { SigningKeys } from '../signing-keys.js';
import { checkedName } from '../well-formed.js';
import { ADD_FAMILY, END_FAMILY, REFRESH, START_FAMILY } from './token-scripts.js';

/** Options of {@link RefreshTokens}. */
export interface RefreshTokensOptions {
  readonly client: GuardClient;
  readonly encryption: Sealer;
  /**
   * Keys of 32 bytes that sign tokens, newest first. A token names its key. A new one goes second in every process first,
   * and first after that: a process that lacks it rejects with REDKEEP_ENCRYPTION_KEY_UNKNOWN. An old one stays for
   * `absoluteMs`.
   */
  readonly keys: readonly KeyMaterial[];
  /** Before every key; default `refresh:`. */
  readonly prefix?: string;
  /** Milliseconds without a refresh after which a family ends; default 7 days. */
  readonly idleMs?: number;
  /** Milliseconds after which a family ends however busy; default 30 days, at most 366. */
  readonly absoluteMs?: number;
  /**
   * Milliseconds during which the token before may be presented again without ending the family: it gets
   * REDKEEP_TOKEN_RACED. For two tabs that refresh at once; default 10,000, 0 to 60,000.
   */
  readonly graceMs?: number;
  /** Called when a token that was used before is presented: it was stolen, or the thief was faster. */
  readonly onReuse?: (family: string) => void;
  /** Milliseconds to wait for Redis; default 5000. */
  readonly timeoutMs?: number;
}

/** A token and what it stands for. */
export interface RefreshToken {
  /** For the client: 80 characters or so. */
  readonly token: string;
  readonly user: string;
  readonly data: unknown;
}

interface Parsed {
  readonly family: string;
  readonly generation: number;
}

const DAY_MS = 86_400_000;
const REFRESH_TOKENS: Schema<RefreshTokensOptions> = {
  client: required(client),
  encryption: required(sealer),
  keys: required(keys),
  prefix,
  idleMs: whole(1000, 366 * DAY_MS),
  absoluteMs: whole(1000, 366 * DAY_MS),
  graceMs: whole(0, 60_000),
  onReuse: callback,
  timeoutMs: timeout,
};
/** Longer than any request that has begun may take. */
const MARK_MS = 300_000;

/**
 * Refresh tokens that are used once: each refresh gives the next, and presenting an old one ends the whole family, because
 * either the client or a thief has a copy (RFC 9700, section 4.14.2). Tokens are signed, so that a made-up one ends nothing.
 *
 * @example
 * const first = await tokens.start('ana', { client: 'phone' });
 * const next = await tokens.refresh(first.token);   // first.token is void now
 */
export class RefreshTokens {
  readonly #redis: Redis;
  readonly #encryption: Sealer;
  readonly #keys: SigningKeys;
  readonly #prefix: string;
  readonly #idleMs: number;
  readonly #absoluteMs: number;
  readonly #graceMs: number;
  readonly #onReuse: (family: string) => void;

  constructor(given: RefreshTokensOptions) {
    const options = checked(given, REFRESH_TOKENS);
    this.#redis = new Redis(options.client, options.timeoutMs);
    this.#encryption = options.encryption;
    this.#keys = new SigningKeys(options.keys, 'refresh');
    this.#prefix = options.prefix ?? 'refresh:';
    this.#absoluteMs = options.absoluteMs ?? 30 * DAY_MS;
    this.#idleMs = Math.min(options.idleMs ?? 7 * DAY_MS, this.#absoluteMs);
    this.#graceMs = options.graceMs ?? 10_000;
    this.#onReuse = options.onReuse ?? (() => undefined);
  }

  /** The first token of a new family, after a login. Errors: REDKEEP_STORE_…. */
  async start(user: string, data?: unknown): Promise<RefreshToken> {
    checkedName(user, 'user');
    const family = randomBytes(16).toString('base64url');
    const sealed = await this.#seal(family, 1, user, data);
    const hash = userHash(this.#keys.newest, user);
    await this.#redis.script(ADD_FAMILY, [this.#indexOf(hash)], [family, String(this.#absoluteMs)]);
    const args = [sealed, String(this.#idleMs), String(this.#absoluteMs), hash];
    if ((await this.#redis.script(START_FAMILY, [this.#keyOf(family)], args)) !== 1)
      throw new GuardError('REDKEEP_TOKEN_REUSED', 'all tokens of the user were ended meanwhile');
    return { token: this.#tokenOf(family, 1), user, data };
  }

  /**
   * The next token, with data changed if given; undefined for one that is unknown, forged or expired.
   * Errors: REDKEEP_ENCRYPTION_KEY_UNKNOWN for one that names a key which this process lacks; REDKEEP_TOKEN_REUSED when it was used before, and the family has ended; REDKEEP_TOKEN_RACED within the grace.
   */
  async refresh(token: string, change?: (data: unknown) => unknown): Promise<RefreshToken | undefined> {
    const parsed = this.#parse(token);
    if (parsed === undefined) return undefined;
    const { family, generation } = parsed;
    const held = await this.#read(family, generation);
    const data = held === undefined || change === undefined ? held?.data : await change(held.data);
    const user = held?.user ?? '';
    const sealed = held === undefined ? '' : await this.#seal(family, generation + 1, user, data);
    const args = [String(generation), sealed, String(this.#idleMs), String(this.#graceMs)];
    const [status] = listOf(await this.#redis.script(REFRESH, [this.#keyOf(family)], args));
    if (status === 3) {
      this.#onReuse(family);
      throw new GuardError('REDKEEP_TOKEN_REUSED');
    }
    if (status === 2) throw new GuardError('REDKEEP_TOKEN_RACED');
    if (status !== 1 || held === undefined) return undefined;
    return { token: this.#tokenOf(family, generation + 1), user, data };
  }

  /** Ends the family of a token: a logout. False when there was none. */
  async end(token: string): Promise<boolean> {
    const parsed = this.#parse(token);
    return parsed !== undefined && this.#end(parsed.family);
  }

  /** Ends all families of a user, those being started included. Returns how many there were. */
  async endAll(user: string): Promise<number> {
    // Families that began before a rotation of the keys are in the index of an older one.
    const ended = await Promise.all(this.#keys.all.map((key) => this.#endIn(this.#indexOf(userHash(key, user)))));
    return ended.reduce((sum, count) => sum + count, 0);
  }

  async #endIn(index: string): Promise<number> {
    const families = listOf(await this.#redis.read(index, 'ZRANGE', '0', '-1')).map((family) => textOf(family)!);
    const ended = await Promise.all(families.map((family) => this.#end(family)));
    if (families.length > 0) await this.#redis.write(index, 'ZREM', ...families);
    return ended.filter(Boolean).length;
  }

  async #end(family: string): Promise<boolean> {
    return (await this.#redis.script(END_FAMILY, [this.#keyOf(family)], [String(MARK_MS)])) === 1;
  }

  /** What the current generation stands for; undefined for another one, which cannot be opened either. */
  async #read(family: string, generation: number): Promise<{ user: string; data: unknown } | undefined> {
    const key = this.#keyOf(family);
    const [current, sealed] = listOf(await this.#redis.read(key, 'HMGET', 'g', 'v'));
    if (Number(textOf(current)) !== generation || !Buffer.isBuffer(sealed)) return undefined;
    const opened = await this.#encryption.open(sealed, placeOf(key, generation));
    return JSON.parse(opened.toString()) as { user: string; data: unknown };
  }

  #seal(family: string, generation: number, user: string, data: unknown): Buffer | Promise<Buffer> {
    return this.#encryption.seal(JSON.stringify({ user, data }), placeOf(this.#keyOf(family), generation));
  }

  #tokenOf(family: string, generation: number): string {
    const text = `${family}.${generation.toString(36)}`;
    return `${text}.${this.#keys.sign(text).toString('base64url')}`;
  }

  #parse(token: string): Parsed | undefined {
    const [, text, family, generation, mac] =
      /^(([\w-]{22})\.([a-z0-9]{1,8}))\.([\w-]{48})$/.exec(typeof token === 'string' ? token : '') ?? [];
    if (text === undefined || family === undefined || generation === undefined || mac === undefined) return undefined;
    const signature = Buffer.from(mac, 'base64url');
    if (!this.#keys.knows(signature)) throw new GuardError('REDKEEP_ENCRYPTION_KEY_UNKNOWN', 'of refresh tokens');
    if (!this.#keys.verify(text, signature)) return undefined;
    return { family, generation: Number.parseInt(generation, 36) };
  }

  #keyOf(family: string): string {
    return `${this.#prefix}{${family}}`;
  }

  #indexOf(hash: string): string {
    return `${this.#prefix}user:{${hash}}`;
  }
}

function userHash(key: Uint8Array | undefined, user: string): string {
  return keyedHash(key, `user:${user}`);
}

function placeOf(key: string, generation: number) {
  return { space: 'refresh-tokens', key, field: String(generation) };
}
