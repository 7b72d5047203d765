import type { Sealer } from '../encryption/encryption.js';
import { GuardError } from '../errors.js';
import {
  anObject,
  client as anyClient,
  anyText,
  argument,
  checked,
  coded,
  number,
  oneOf,
  type Schema,
} from '../options.js';
import { type GuardClient, listOf, Redis, type Reply, textOf } from '../redis/redis.js';
import { isWellFormed } from '../well-formed.js';
import type { KeyspaceDefinition } from './definition.js';
import { validate } from './standard-schema.js';
import { COUNT } from './value-scripts.js';

/** Expiry of one write. */
export interface KeyspaceSetOptions {
  /** Milliseconds. */
  readonly ttlMs?: number;
  /** Write only if the key is missing, or only if it is there. */
  readonly condition?: 'NX' | 'XX';
}

/** Its bounds are the space's. */
const TTL = coded('REDKEEP_KEYSPACE_TTL', number(1));
const SET: Schema<KeyspaceSetOptions> = { ttlMs: TTL, condition: oneOf('NX', 'XX') };

/** One key space on a client. Keys are given and returned without the prefix; no call reaches another space. */
export class KeyspaceView<T> {
  readonly name: string;
  readonly #definition: KeyspaceDefinition;
  readonly #redis: Redis;
  readonly #encryption: Sealer | undefined;

  constructor(
    name: string,
    definition: KeyspaceDefinition,
    client: GuardClient,
    options: { readonly encryption?: Sealer; readonly timeoutMs?: number },
  ) {
    argument(client, 'client', anyClient);
    argument(definition, 'definition', anObject);
    argument(options, 'options', anObject);
    this.name = argument(name, 'name', anyText);
    this.#definition = definition;
    this.#redis = new Redis(client, options.timeoutMs);
    this.#encryption = definition.encrypted === true ? options.encryption : undefined;
  }

  /** The value, or undefined. Errors: REDKEEP_KEYSPACE_VALUE for a stored value that the schema refuses. */
  async get(key: string): Promise<T | undefined> {
    const name = this.#name(key);
    return this.#decode(name, await this.#redis.read(name, 'GET'));
  }

  /** Values in the order of the keys; on a cluster all keys must be in one slot. */
  async getMany(keys: readonly string[]): Promise<(T | undefined)[]> {
    if (keys.length === 0) return [];
    const [first, ...others] = keys.map((key) => this.#name(key));
    const values = listOf(await this.#redis.read(first!, 'MGET', ...others));
    return Promise.all([first!, ...others].map((name, at) => this.#decode(name, values[at])));
  }

  /**
   * Writes a value. False when the condition did not hold.
   * Errors, before anything is sent: REDKEEP_KEYSPACE_TTL, _KEY, _VALUE, REDKEEP_VALUE_TOO_LARGE.
   */
  async set(key: string, value: T, given: KeyspaceSetOptions = {}): Promise<boolean> {
    const options = checked(given, SET, 'REDKEEP_GUARD_ARGUMENT');
    const name = this.#name(key);
    const ttl = this.#ttl(options.ttlMs);
    const args = [await this.#encode(name, value)];
    if (ttl !== undefined) args.push('PX', String(ttl));
    if (options.condition !== undefined) args.push(options.condition);
    return (await this.#redis.write(name, 'SET', ...args)) !== null;
  }

  /** Reads and deletes in one step. */
  async take(key: string): Promise<T | undefined> {
    const name = this.#name(key);
    return this.#decode(name, await this.#redis.write(name, 'GETDEL'));
  }

  /** False when there was nothing. */
  async delete(key: string): Promise<boolean> {
    return (await this.#redis.write(this.#name(key), 'DEL')) === 1;
  }

  async has(key: string): Promise<boolean> {
    return (await this.#redis.read(this.#name(key), 'EXISTS')) === 1;
  }

  /** Sets a new expiry, within the limit of the space. False when there is no such key. */
  async expire(key: string, ttlMs: number): Promise<boolean> {
    return (await this.#redis.write(this.#name(key), 'PEXPIRE', String(this.#ttl(ttlMs)))) === 1;
  }

  /** Milliseconds left; undefined when there is no such key, Infinity without expiry. */
  async ttl(key: string): Promise<number | undefined> {
    const left = Number(await this.#redis.read(this.#name(key), 'PTTL'));
    return left === -2 ? undefined : left === -1 ? Number.POSITIVE_INFINITY : left;
  }

  /** Adds to a counter; a new one gets the expiry. Errors: REDKEEP_KEYSPACE_COMMAND when values are encrypted. */
  async increment(key: string, by = 1, given: { readonly ttlMs?: number } = {}): Promise<number> {
    const options = checked(given, { ttlMs: TTL }, 'REDKEEP_GUARD_ARGUMENT');
    if (this.#definition.encrypted === true) throw new GuardError('REDKEEP_KEYSPACE_COMMAND', 'increment');
    if (!Number.isSafeInteger(by)) throw new GuardError('REDKEEP_KEYSPACE_VALUE', 'not an integer');
    const ttl = this.#ttl(options.ttlMs);
    return Number(
      await this.#redis.script(COUNT, [this.#name(key)], [String(by), ttl === undefined ? '' : String(ttl)]),
    );
  }

  /**
   * Keys of this space that match a glob pattern (`*`, `?`, `[…]`), in batches by SCAN; a key may come twice. Runs on
   * one server: on a cluster give the view a client of each primary.
   */
  async *keys(pattern = '*'): AsyncGenerator<string> {
    const { prefix } = this.#definition;
    for (let cursor = '0'; ; ) {
      const [next, found] = listOf(
        await this.#redis.command('SCAN', cursor, 'MATCH', prefix + pattern, 'COUNT', '250'),
      );
      for (const key of listOf(found)) {
        const name = textOf(key)!;
        if (name.startsWith(prefix)) yield name.slice(prefix.length);
      }
      cursor = textOf(next)!;
      if (cursor === '0') return;
    }
  }

  #name(key: string): string {
    const { prefix, maxKeyLength = 256 } = this.#definition;
    if (typeof key !== 'string' || key === '' || key.length > maxKeyLength || !isWellFormed(key))
      throw new GuardError('REDKEEP_KEYSPACE_KEY', `1 to ${maxKeyLength} characters of well-formed Unicode`);
    return prefix + key;
  }

  #ttl(given: number | undefined): number | undefined {
    const { maxTtlMs = 86_400_000, defaultTtlMs, dangerouslyWithoutExpiry } = this.#definition;
    const ttl = given ?? defaultTtlMs;
    if (ttl === undefined && dangerouslyWithoutExpiry === true) return undefined;
    if (typeof ttl !== 'number' || !(ttl >= 1 && ttl <= maxTtlMs))
      throw new GuardError('REDKEEP_KEYSPACE_TTL', `key space ${this.name}, at most ${maxTtlMs} ms`);
    return Math.floor(ttl);
  }

  async #encode(name: string, given: T): Promise<string | Buffer> {
    const { schema, codec = 'json', maxBytes = 1_048_576 } = this.#definition;
    const value = await validate(schema, given);
    let encoded: string | Buffer;
    if (codec === 'bytes') {
      if (!(value instanceof Uint8Array)) throw new GuardError('REDKEEP_KEYSPACE_VALUE', 'not bytes');
      encoded = Buffer.from(value);
    } else if (codec === 'text') {
      if (typeof value !== 'string') throw new GuardError('REDKEEP_KEYSPACE_VALUE', 'not a text');
      encoded = value;
    } else {
      const json = JSON.stringify(value);
      if (json === undefined) throw new GuardError('REDKEEP_KEYSPACE_VALUE', 'not representable in JSON');
      encoded = json;
    }
    const length = Buffer.byteLength(encoded);
    if (length > maxBytes) throw new GuardError('REDKEEP_VALUE_TOO_LARGE', `${length} bytes, limit ${maxBytes}`);
    return this.#encryption === undefined ? encoded : this.#encryption.seal(encoded, { space: this.name, key: name });
  }

  async #decode(name: string, stored: Reply): Promise<T | undefined> {
    if (!Buffer.isBuffer(stored)) return undefined;
    const { schema, codec = 'json' } = this.#definition;
    const opened =
      this.#encryption === undefined ? stored : await this.#encryption.open(stored, { space: this.name, key: name });
    if (codec === 'bytes') return (await validate(schema, opened)) as T;
    const text = opened.toString();
    if (codec === 'text') return (await validate(schema, text)) as T;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      // The parser's message quotes the value.
      throw new GuardError('REDKEEP_KEYSPACE_VALUE', 'the stored value is not JSON');
    }
    return (await validate(schema, value)) as T;
  }
}
