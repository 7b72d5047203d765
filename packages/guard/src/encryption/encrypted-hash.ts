import { GuardError } from '../errors.js';
import { checked, client, coded, list, number, required, type Schema, sealer, text } from '../options.js';
import { type GuardClient, listOf, Redis, textOf } from '../redis/redis.js';
import { Script } from '../redis/script.js';
import type { Sealer } from './encryption.js';

/** Options of {@link EncryptedHash}. */
export interface EncryptedHashOptions {
  readonly client: GuardClient;
  readonly encryption: Sealer;
  /** Name of the key space, bound to every value. */
  readonly space: string;
  /** Fields stored in clear, because the server has to count or match them (blind indexes, counters). */
  readonly plainFields?: readonly string[];
  /** Milliseconds every write sets as expiry; 1 to 366 days. */
  readonly ttlMs: number;
}

/** KEYS hash; ARGV expiry in ms, then fields and values. */
export const WRITE = new Script(
  'hash_write',
  `
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1`,
);

/** All fields of one moment, as a flat list whatever the protocol. */
export const READ = new Script('hash_read', `return redis.call('HGETALL', KEYS[1])`);

/** A year and a day: longer is a mistake in the unit. */
const MAX_TTL_MS = 366 * 86_400_000;
const HASH: Schema<EncryptedHashOptions> = {
  client: required(client),
  encryption: required(sealer),
  space: required(text),
  plainFields: list(text),
  ttlMs: coded('REDKEEP_KEYSPACE_TTL', required(number(1, MAX_TTL_MS))),
};

/**
 * A hash whose values are sealed one by one, each bound to its key and field: fields can be read and written alone,
 * and none can be moved to another place. Field names are visible in Redis.
 */
export class EncryptedHash {
  readonly #redis: Redis;
  readonly #options: EncryptedHashOptions;
  readonly #plain: ReadonlySet<string>;

  constructor(given: EncryptedHashOptions) {
    const options = checked(given, HASH);
    this.#redis = new Redis(options.client);
    this.#options = options;
    this.#plain = new Set(options.plainFields);
  }

  /** Writes the fields given and renews the expiry, in one step. At most 1000 fields. */
  async set(key: string, fields: Readonly<Record<string, string>>): Promise<void> {
    const entries = Object.entries(fields);
    if (entries.length === 0 || entries.length > 1000)
      throw new GuardError('REDKEEP_VALUE_TOO_LARGE', `${entries.length} fields, 1 to 1000 allowed`);
    const args: (string | Buffer)[] = [String(Math.floor(this.#options.ttlMs))];
    for (const [field, value] of entries) args.push(field, await this.#seal(key, field, value));
    await this.#redis.script(WRITE, [key], args);
  }

  /** One field; undefined when it does not exist. */
  async get(key: string, field: string): Promise<string | undefined> {
    const value = await this.#redis.read(key, 'HGET', field);
    return Buffer.isBuffer(value) ? this.#open(key, field, value) : undefined;
  }

  /** All fields; undefined when the key does not exist. The object has no prototype. */
  async getAll(key: string): Promise<Record<string, string> | undefined> {
    const flat = listOf(await this.#redis.script(READ, [key], []));
    if (flat.length === 0) return undefined;
    const result: Record<string, string> = Object.create(null);
    for (let at = 0; at + 1 < flat.length; at += 2) {
      const field = textOf(flat[at])!;
      result[field] = await this.#open(key, field, flat[at + 1] as Buffer);
    }
    return result;
  }

  #seal(key: string, field: string, value: string): string | Buffer | Promise<Buffer> {
    const { encryption, space } = this.#options;
    return this.#plain.has(field) ? value : encryption.seal(value, { space, key, field });
  }

  async #open(key: string, field: string, value: Buffer): Promise<string> {
    if (this.#plain.has(field)) return value.toString();
    return (await this.#options.encryption.open(value, { space: this.#options.space, key, field })).toString();
  }
}
