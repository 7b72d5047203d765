import { randomBytes, timingSafeEqual } from 'node:crypto';
import { keyedHash, sha256 } from '../digest.js';
import type { Sealer } from '../encryption/encryption.js';
import { decodeKey, type KeyMaterial } from '../encryption/key-ring.js';
import { GuardError } from '../errors.js';
import {
  checked,
  client,
  key,
  list,
  matching,
  number,
  prefix,
  required,
  type Schema,
  sealer,
  text,
  timeout,
} from '../options.js';
import { type GuardClient, listOf, Redis, textOf } from '../redis/redis.js';
import { Script } from '../redis/script.js';

/** Options of {@link ApiKeys}. */
export interface ApiKeysOptions {
  readonly client: GuardClient;
  readonly encryption: Sealer;
  /** What every key begins with, so that scanners of leaked secrets recognise it: `acme`. */
  readonly label: string;
  /** Before every key in Redis; default `apikey:`. */
  readonly prefix?: string;
  /** 32 bytes that hash owners. Without it, plain SHA-256. */
  readonly indexKey?: KeyMaterial;
  /** Milliseconds to wait for Redis; default 5000. */
  readonly timeoutMs?: number;
}

/** What a key may do, for how long. */
export interface ApiKeyRequest {
  readonly owner: string;
  /** For the owner's list; at most 200 characters. */
  readonly name: string;
  /** At most 100, each 1 to 64 of letters, digits and `_:.*-`. */
  readonly scopes: readonly string[];
  /** Milliseconds, 1 minute to 366 days; default 90 days. */
  readonly ttlMs?: number;
}

/** A key without its secret. */
export interface ApiKey {
  readonly id: string;
  readonly owner: string;
  readonly name: string;
  readonly scopes: readonly string[];
  /** Unix milliseconds. */
  readonly createdAt: number;
  readonly expiresAt: number;
  /** Unix milliseconds, to the minute; undefined when it was never used. */
  readonly lastUsedAt: number | undefined;
}

type Sealed = Omit<ApiKey, 'id' | 'lastUsedAt'>;

const DAY_MS = 86_400_000;
const MAX_NAME = 200;
const MAX_SCOPES = 100;
const SCOPE = matching(/^[\w:.*-]{1,64}$/, 'must be 1 to 64 letters, digits and _:.*-');
const API_KEYS: Schema<ApiKeysOptions> = {
  client: required(client),
  encryption: required(sealer),
  label: required(matching(/^[a-z][a-z0-9]{1,19}$/, 'must be 2 to 20 lower-case letters and digits')),
  prefix,
  indexKey: key,
  timeoutMs: timeout,
};
const REQUEST: Schema<ApiKeyRequest> = {
  owner: required(text),
  name: required(matching(new RegExp(`^[^]{0,${MAX_NAME}}$`), `must be a text of at most ${MAX_NAME} characters`)),
  scopes: required(list(SCOPE, 0, MAX_SCOPES)),
  ttlMs: number(60_000, 366 * DAY_MS),
};

/** KEYS key; ARGV Unix ms. Notes a use, at most once a minute, never on a key that was revoked meanwhile. */
export const NOTE_USE = new Script(
  'apikey_use',
  `
local held = redis.call('HMGET', KEYS[1], 'h', 'l')
if not held[1] then return 0 end
if ARGV[1] - tonumber(held[2] or '0') >= 60000 then redis.call('HSET', KEYS[1], 'l', ARGV[1]) end
return 1`,
);

/** KEYS key; ARGV hash, sealed, ttl ms. */
export const ADD_KEY = new Script(
  'apikey_add',
  `
redis.call('HSET', KEYS[1], 'h', ARGV[1], 'v', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`,
);

/** KEYS index; ARGV id, ttl ms. */
export const INDEX_KEY = new Script(
  'apikey_index',
  `
redis.call('SADD', KEYS[1], ARGV[1])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1`,
);

/**
 * Keys for programs: shown once, kept as a hash, with scopes and an end. Keep them on a server with persistence and no
 * eviction: a key that Redis loses is revoked.
 *
 * @example
 * const { key } = await apiKeys.create({ owner: 'ana', name: 'CI', scopes: ['read'] });
 * const found = await apiKeys.verify(key, { scope: 'read' }); // undefined: unknown, expired, revoked or out of scope
 */
export class ApiKeys {
  readonly #redis: Redis;
  readonly #encryption: Sealer;
  readonly #label: string;
  readonly #prefix: string;
  readonly #indexKey: Uint8Array | undefined;

  constructor(given: ApiKeysOptions) {
    const options = checked(given, API_KEYS);
    this.#redis = new Redis(options.client, options.timeoutMs);
    this.#encryption = options.encryption;
    this.#label = options.label;
    this.#prefix = options.prefix ?? 'apikey:';
    this.#indexKey = options.indexKey === undefined ? undefined : decodeKey(options.indexKey);
  }

  /** A new key; `key` is shown this once. Errors: REDKEEP_GUARD_ARGUMENT, REDKEEP_STORE_…. */
  async create(request: ApiKeyRequest): Promise<{ readonly key: string; readonly info: ApiKey }> {
    const { owner, name, scopes, ttlMs = 90 * DAY_MS } = checked(request, REQUEST, 'REDKEEP_GUARD_ARGUMENT');
    const id = randomBytes(12).toString('base64url');
    const secret = randomBytes(32).toString('base64url');
    const createdAt = Date.now();
    const sealed: Sealed = { owner, name, scopes, createdAt, expiresAt: createdAt + ttlMs };
    const key = this.#keyOf(id);
    const body = await this.#encryption.seal(JSON.stringify(sealed), placeOf(key));
    const ttl = String(Math.floor(ttlMs));
    // The index first: a key that works is always in its owner's list.
    await this.#redis.script(INDEX_KEY, [this.#indexOf(owner)], [id, ttl]);
    await this.#redis.script(ADD_KEY, [key], [sha256(`${id}.${secret}`), body, ttl]);
    return { key: `${this.#label}_${id}${secret}`, info: { id, ...sealed, lastUsedAt: undefined } };
  }

  /**
   * What a key may do; undefined for one that is malformed, unknown, expired, revoked or without `scope`.
   * Errors: REDKEEP_STORE_…, which do not mean "unknown"; those of `Encryption.open`.
   */
  async verify(key: string, wanted: { readonly scope?: string } = {}): Promise<ApiKey | undefined> {
    const { scope } = checked(wanted, { scope: text }, 'REDKEEP_GUARD_ARGUMENT');
    // A scope that was looked up and not found would ask for none, and any key would do.
    if ('scope' in wanted && scope === undefined) throw new GuardError('REDKEEP_GUARD_ARGUMENT', 'scope is undefined');
    const [, label, id, secret] = /^([a-z0-9]+)_([\w-]{16})([\w-]{43})$/.exec(typeof key === 'string' ? key : '') ?? [];
    if (label !== this.#label || id === undefined || secret === undefined) return undefined;
    const [hash, info] = (await this.#read(id)) ?? [];
    if (hash === undefined || info === undefined) return undefined;
    if (!timingSafeEqual(Buffer.from(hash), Buffer.from(sha256(`${id}.${secret}`)))) return undefined;
    if (info.expiresAt <= Date.now()) return undefined;
    if (scope !== undefined && !info.scopes.includes(scope)) return undefined;
    // Revoked between the two: no.
    const used = await this.#redis.script(NOTE_USE, [this.#keyOf(id)], [String(Date.now())]);
    return used === 1 ? info : undefined;
  }

  /** Ends a key of an owner. False when it is not there or is another owner's. */
  async revoke(owner: string, id: string): Promise<boolean> {
    const [, info] = (await this.#read(id)) ?? [];
    if (info?.owner !== owner) return false;
    const gone = await this.#redis.write(this.#keyOf(id), 'DEL');
    await this.#redis.write(this.#indexOf(owner), 'SREM', id);
    return gone === 1;
  }

  /** An owner's keys, without secrets, oldest first. */
  async list(owner: string): Promise<ApiKey[]> {
    const ids = listOf(await this.#redis.read(this.#indexOf(owner), 'SMEMBERS')).map((id) => textOf(id)!);
    const found = await Promise.all(ids.map(async (id) => (await this.#read(id))?.[1]));
    return found.filter((info) => info !== undefined).sort((a, b) => a.createdAt - b.createdAt);
  }

  async #read(id: string): Promise<readonly [string, ApiKey] | undefined> {
    if (typeof id !== 'string' || !/^[\w-]{16}$/.test(id)) return undefined;
    const key = this.#keyOf(id);
    const [hash, sealed, used] = listOf(await this.#redis.read(key, 'HMGET', 'h', 'v', 'l'));
    if (!Buffer.isBuffer(sealed)) return undefined;
    const opened = (await this.#encryption.open(sealed, placeOf(key))).toString();
    const lastUsedAt = used === null ? undefined : Number(textOf(used));
    return [textOf(hash) ?? '', { id, ...(JSON.parse(opened) as Sealed), lastUsedAt }];
  }

  #keyOf(id: string): string {
    return `${this.#prefix}{${id}}`;
  }

  #indexOf(owner: string): string {
    return `${this.#prefix}owner:{${keyedHash(this.#indexKey, `owner:${owner}`)}}`;
  }
}

function placeOf(key: string) {
  return { space: 'api-keys', key };
}
