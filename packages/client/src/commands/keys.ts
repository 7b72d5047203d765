/** Commands of the group "generic". https://redis.io/docs/latest/commands/?group=generic */
import type { BlobString, Integer, RedisArgument, SimpleString } from '../protocol/types.js';
import { list, millis, pushScanOptions, type ScanCommonOptions, seconds, type Variadic, word } from './arguments.js';
import { Command, firstKey, spec } from './command.js';

export interface CopyOptions {
  /** Database to copy into. */
  DB?: number;
  /** Overwrite the destination. */
  REPLACE?: boolean;
}
const COPY = spec('COPY');
/** Copies a key; 1 if it was copied. Redis 6.2.0. */
export function copy(source: RedisArgument, destination: RedisArgument, options?: CopyOptions): Command<Integer> {
  const args: unknown[] = [source, destination];
  if (options?.DB !== undefined) args.push('DB', options.DB);
  if (options?.REPLACE) args.push('REPLACE');
  return new Command(COPY, args);
}

const DEL = spec('DEL');
/** Deletes; resolves with how many existed. Redis 1.0.0. */
export const del = (keys: Variadic) => new Command<Integer>(DEL, list(keys));

const DUMP = spec('DUMP');
/** The serialized value, as bytes under a Buffer mapping. Redis 2.6.0. */
export const dump = (key: RedisArgument) => new Command<BlobString | null>(DUMP, [key]);

const EXISTS = spec('EXISTS');
/** How many of the keys exist. Redis 1.0.0. */
export const exists = (keys: Variadic) => new Command<Integer>(EXISTS, list(keys));

/** Only if there is no expiry, there is one, or the new one is later or sooner. Redis 7.0.0. */
export type ExpireMode = 'NX' | 'XX' | 'GT' | 'LT';
const MODES = ['NX', 'XX', 'GT', 'LT'] as const;
const withMode = (name: string, args: unknown[], mode: ExpireMode | undefined) => {
  if (mode !== undefined) args.push(word(name, 'mode', mode, MODES));
  return args;
};

const EXPIRE = spec('EXPIRE');
/** Expires after `ttl` seconds; 1 if set. Redis 1.0.0. */
export const expire = (key: RedisArgument, ttl: number, mode?: ExpireMode) =>
  new Command<Integer>(EXPIRE, withMode('EXPIRE', [key, ttl], mode));

const EXPIREAT = spec('EXPIREAT');
/** Expires at a Unix time in seconds, or a Date. Redis 1.2.0. */
export const expireAt = (key: RedisArgument, at: number | Date, mode?: ExpireMode) =>
  new Command<Integer>(EXPIREAT, withMode('EXPIREAT', [key, seconds(at)], mode));

const EXPIRETIME = spec('EXPIRETIME');
/** When it expires, Unix seconds; -1 never, -2 no such key. Redis 7.0.0. */
export const expireTime = (key: RedisArgument) => new Command<Integer>(EXPIRETIME, [key]);

const KEYS = spec('KEYS');
/** All keys that match. Blocks the server for as long as it takes: refused by the guarded policy; use `scanIterator`. Redis 1.0.0. */
export const keys = (pattern: RedisArgument) => new Command<BlobString[]>(KEYS, [pattern]);

export interface MigrateOptions {
  /** Keep the keys here. */
  COPY?: true;
  /** Overwrite keys there. */
  REPLACE?: true;
  AUTH?: { username?: RedisArgument; password: RedisArgument };
}
const MIGRATE = spec('MIGRATE', {
  keys: (args) => {
    if (args[2] !== '') return [2];
    // Options, each with as many values as it has, and then KEYS: a password may read KEYS too.
    const values: Record<string, number> = { AUTH: 1, AUTH2: 2 };
    let at = 5;
    while (at < args.length && args[at] !== 'KEYS') at += 1 + (values[String(args[at])] ?? 0);
    return Array.from({ length: Math.max(0, args.length - at - 1) }, (_, i) => at + 1 + i);
  },
});
/** Moves keys to another server, which this one connects to without TLS. Refused by the guarded policy. Redis 2.6.0. */
export function migrate(
  host: RedisArgument,
  port: number,
  key: Variadic,
  destinationDb: number,
  timeout: number,
  options?: MigrateOptions,
): Command<SimpleString> {
  const several = Array.isArray(key);
  const args: unknown[] = [host, port, several ? '' : key, destinationDb, timeout];
  if (options?.COPY) args.push('COPY');
  if (options?.REPLACE) args.push('REPLACE');
  if (options?.AUTH?.username) args.push('AUTH2', options.AUTH.username, options.AUTH.password);
  else if (options?.AUTH) args.push('AUTH', options.AUTH.password);
  if (several) args.push('KEYS', ...list(key));
  return new Command(MIGRATE, args);
}

const MOVE = spec('MOVE');
/** Moves a key to another database; 1 if moved. Redis 1.0.0. */
export const move = (key: RedisArgument, database: number) => new Command<Integer>(MOVE, [key, database]);

const OBJECT_ENCODING = spec('OBJECT ENCODING');
/** Internal encoding of the value. Redis 2.2.3. */
export const objectEncoding = (key: RedisArgument) => new Command<BlobString | null>(OBJECT_ENCODING, [key]);
const OBJECT_FREQ = spec('OBJECT FREQ');
/** Access frequency (needs an LFU policy). Redis 4.0.0. */
export const objectFreq = (key: RedisArgument) => new Command<Integer | null>(OBJECT_FREQ, [key]);
const OBJECT_IDLETIME = spec('OBJECT IDLETIME');
/** Seconds since the last access. Redis 2.2.3. */
export const objectIdleTime = (key: RedisArgument) => new Command<Integer | null>(OBJECT_IDLETIME, [key]);
const OBJECT_REFCOUNT = spec('OBJECT REFCOUNT');
/** Reference count. Redis 2.2.3. */
export const objectRefCount = (key: RedisArgument) => new Command<Integer | null>(OBJECT_REFCOUNT, [key]);

const PERSIST = spec('PERSIST');
/** Removes the expiry; 1 if there was one. Redis 2.2.0. */
export const persist = (key: RedisArgument) => new Command<Integer>(PERSIST, [key]);

const PEXPIRE = spec('PEXPIRE');
/** Expires after `ms` milliseconds; 1 if set. Redis 2.6.0. */
export const pExpire = (key: RedisArgument, ms: number, mode?: ExpireMode) =>
  new Command<Integer>(PEXPIRE, withMode('PEXPIRE', [key, ms], mode));

const PEXPIREAT = spec('PEXPIREAT');
/** Expires at a Unix time in milliseconds, or a Date. Redis 2.6.0. */
export const pExpireAt = (key: RedisArgument, at: number | Date, mode?: ExpireMode) =>
  new Command<Integer>(PEXPIREAT, withMode('PEXPIREAT', [key, millis(at)], mode));

const PEXPIRETIME = spec('PEXPIRETIME');
/** When it expires, Unix milliseconds; -1 never, -2 no such key. Redis 7.0.0. */
export const pExpireTime = (key: RedisArgument) => new Command<Integer>(PEXPIRETIME, [key]);

const PTTL = spec('PTTL');
/** Milliseconds left; -1 no expiry, -2 no such key. Redis 2.6.0. */
export const pTTL = (key: RedisArgument) => new Command<Integer>(PTTL, [key]);

const RANDOMKEY = spec('RANDOMKEY');
/** Any key, or null. Redis 1.0.0. */
export const randomKey = () => new Command<BlobString | null>(RANDOMKEY, []);

const RENAME = spec('RENAME');
/** Renames, overwriting. Redis 1.0.0. */
export const rename = (key: RedisArgument, newKey: RedisArgument) =>
  new Command<SimpleString<'OK'>>(RENAME, [key, newKey]);

const RENAMENX = spec('RENAMENX');
/** Renames if the new name is free; 1 if renamed. Redis 1.0.0. */
export const renameNX = (key: RedisArgument, newKey: RedisArgument) => new Command<Integer>(RENAMENX, [key, newKey]);

export interface RestoreOptions {
  REPLACE?: boolean;
  /** `ttl` is a Unix time in milliseconds. */
  ABSTTL?: boolean;
  /** Seconds of idleness to give the key. */
  IDLETIME?: number;
  FREQ?: number;
}
const RESTORE = spec('RESTORE');
/** Creates a key from DUMP's bytes; `ttl` milliseconds, 0 = none. Refused by the guarded policy. Redis 2.6.0. */
export function restore(
  key: RedisArgument,
  ttl: number,
  value: RedisArgument,
  options?: RestoreOptions,
): Command<SimpleString<'OK'>> {
  const args: unknown[] = [key, ttl, value];
  if (options?.REPLACE) args.push('REPLACE');
  if (options?.ABSTTL) args.push('ABSTTL');
  if (options?.IDLETIME !== undefined) args.push('IDLETIME', options.IDLETIME);
  if (options?.FREQ !== undefined) args.push('FREQ', options.FREQ);
  return new Command(RESTORE, args);
}

export interface ScanOptions extends ScanCommonOptions {
  /** Only keys of this type. Redis 6.0.0. */
  TYPE?: RedisArgument;
}
const SCAN = spec('SCAN', {
  read: ([cursor, found]: [string | Buffer, unknown[]]) => ({ cursor, keys: found }),
});
/** One page of keys. `scanIterator` walks them all. Redis 2.8.0. */
export function scan(
  cursor: RedisArgument,
  options?: ScanOptions,
): Command<{ cursor: BlobString; keys: BlobString[] }> {
  const args: unknown[] = [cursor];
  pushScanOptions(args, options);
  if (options?.TYPE !== undefined) args.push('TYPE', options.TYPE);
  return new Command(SCAN, args);
}

export interface SortOptions {
  BY?: RedisArgument;
  LIMIT?: { offset: number; count: number };
  GET?: Variadic;
  DIRECTION?: 'ASC' | 'DESC';
  ALPHA?: boolean;
}
function sortArguments(source: RedisArgument, options: SortOptions | undefined): unknown[] {
  const args: unknown[] = [source];
  if (options?.BY !== undefined) args.push('BY', options.BY);
  if (options?.LIMIT !== undefined) args.push('LIMIT', options.LIMIT.offset, options.LIMIT.count);
  if (options?.GET !== undefined) for (const pattern of list(options.GET)) args.push('GET', pattern);
  if (options?.DIRECTION !== undefined) args.push(word('SORT', 'DIRECTION', options.DIRECTION, ['ASC', 'DESC']));
  if (options?.ALPHA) args.push('ALPHA');
  return args;
}
const SORT = spec('SORT', { keys: firstKey });
/** Sorts a list, set or sorted set. Redis 1.0.0. */
export const sort = (source: RedisArgument, options?: SortOptions) =>
  new Command<(BlobString | null)[]>(SORT, sortArguments(source, options));
const SORT_RO = spec('SORT_RO', { keys: firstKey });
/** SORT that a replica may run. Redis 7.0.0. */
export const sortRo = (source: RedisArgument, options?: SortOptions) =>
  new Command<(BlobString | null)[]>(SORT_RO, sortArguments(source, options));
const SORT_STORE = spec('SORT', { keys: (args) => [0, args.length - 1] });
/** Sorts into another key; resolves with the length. Redis 1.0.0. */
export const sortStore = (source: RedisArgument, destination: RedisArgument, options?: SortOptions) =>
  new Command<Integer>(SORT_STORE, [...sortArguments(source, options), 'STORE', destination]);

const TOUCH = spec('TOUCH');
/** Marks as used; resolves with how many exist. Redis 3.2.1. */
export const touch = (names: Variadic) => new Command<Integer>(TOUCH, list(names));

const TTL = spec('TTL');
/** Seconds left; -1 no expiry, -2 no such key. Redis 1.0.0. */
export const ttl = (key: RedisArgument) => new Command<Integer>(TTL, [key]);

const TYPE = spec('TYPE');
/** `string`, `list`, `set`, `zset`, `hash`, `stream` or `none`. Redis 1.0.0. */
export const type = (key: RedisArgument) => new Command<SimpleString>(TYPE, [key]);

const UNLINK = spec('UNLINK');
/** DEL that frees memory in the background. Redis 4.0.0. */
export const unlink = (names: Variadic) => new Command<Integer>(UNLINK, list(names));

const WAIT = spec('WAIT');
/** Waits until `replicas` have the writes so far, at most `timeout` ms (0 = for ever). Redis 3.0.0. */
export const wait = (replicas: number, timeout: number) => new Command<Integer>(WAIT, [replicas, timeout]);

const WAITAOF = spec('WAITAOF');
/** Waits until `local` (0 or 1) and `replicas` have the writes so far on disk, at most `timeout` ms. Redis 7.2.0. */
export const waitAof = (local: 0 | 1, replicas: number, timeout: number) =>
  new Command<[local: Integer, replicas: Integer]>(WAITAOF, [local, replicas, timeout]);

export const aliases = {
  objectEncoding: 'OBJECT_ENCODING',
  objectFreq: 'OBJECT_FREQ',
  objectIdleTime: 'OBJECT_IDLETIME',
  objectRefCount: 'OBJECT_REFCOUNT',
  sortRo: 'SORT_RO',
  sortStore: 'SORT_STORE',
} as const;
