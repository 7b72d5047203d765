/** Commands of the group "hash". https://redis.io/docs/latest/commands/?group=hash */
import { InvalidArgumentError } from '../errors.js';
import type { BlobString, Integer, MapOf, NumericArgument, RedisArgument, SimpleString } from '../protocol/types.js';
import {
  type Expiration,
  list,
  millis,
  pushAll,
  pushCounted,
  pushExpiration,
  pushScanOptions,
  type ScanCommonOptions,
  seconds,
  type Variadic,
  word,
} from './arguments.js';
import { Command, Flag, firstKey, spec } from './command.js';
import type { ExpireMode } from './keys.js';
import { asMap, type Text } from './readers.js';

const HDEL = spec('HDEL');
/** Removes fields; resolves with how many there were. Redis 2.0.0. */
export const hDel = (key: RedisArgument, field: Variadic) => new Command<Integer>(HDEL, [key, ...list(field)]);

const HEXISTS = spec('HEXISTS');
/** 1 if the hash has the field. Redis 2.0.0. */
export const hExists = (key: RedisArgument, field: RedisArgument) => new Command<Integer<0 | 1>>(HEXISTS, [key, field]);

/** What HEXPIRE and its like answer for each field. */
export const HASH_EXPIRATION = {
  FIELD_NOT_EXISTS: -2,
  CONDITION_NOT_MET: 0,
  UPDATED: 1,
  /** The time given is past: the field is gone. */
  DELETED: 2,
} as const;
export type HashExpiration = (typeof HASH_EXPIRATION)[keyof typeof HASH_EXPIRATION];
/** What HTTL, HEXPIRETIME and HPERSIST answer for a field in place of a time. */
export const HASH_EXPIRATION_TIME = { FIELD_NOT_EXISTS: -2, NO_EXPIRATION: -1 } as const;

const MODES = ['NX', 'XX', 'GT', 'LT'] as const;
function expireArguments(
  command: string,
  key: RedisArgument,
  fields: Variadic,
  when: number,
  mode: ExpireMode | undefined,
): unknown[] {
  const args: unknown[] = [key, when];
  if (mode !== undefined) args.push(word(command, 'mode', mode, MODES));
  args.push('FIELDS');
  pushCounted(args, fields);
  return args;
}
function fieldArguments(key: RedisArgument, fields: Variadic): unknown[] {
  const args: unknown[] = [key, 'FIELDS'];
  pushCounted(args, fields);
  return args;
}

const HEXPIRE = spec('HEXPIRE');
/** Fields expire after `ttl` seconds; one {@link HASH_EXPIRATION} a field. Redis 7.4.0. */
export const hExpire = (key: RedisArgument, fields: Variadic, ttl: number, mode?: ExpireMode) =>
  new Command<Integer<HashExpiration>[]>(HEXPIRE, expireArguments('HEXPIRE', key, fields, ttl, mode));

const HEXPIREAT = spec('HEXPIREAT');
/** Fields expire at a Unix time in seconds, or a Date. Redis 7.4.0. */
export const hExpireAt = (key: RedisArgument, fields: Variadic, at: number | Date, mode?: ExpireMode) =>
  new Command<Integer<HashExpiration>[]>(HEXPIREAT, expireArguments('HEXPIREAT', key, fields, seconds(at), mode));

const HEXPIRETIME = spec('HEXPIRETIME');
/** When fields expire, Unix seconds; -1 never, -2 no such field. Redis 7.4.0. */
export const hExpireTime = (key: RedisArgument, fields: Variadic) =>
  new Command<Integer[]>(HEXPIRETIME, fieldArguments(key, fields));

const HGET = spec('HGET');
/**
 * One field, or null. Redis 2.0.0.
 * @example
 * await client.hGet('user:1', 'name'); // 'Ada' or null
 */
export const hGet = (key: RedisArgument, field: RedisArgument) => new Command<BlobString | null>(HGET, [key, field]);

const HGETALL = spec('HGETALL', { read: asMap });
/** All fields and values as an object without a prototype; empty when the key is missing. Redis 2.0.0. */
export const hGetAll = (key: RedisArgument) => new Command<MapOf<BlobString, BlobString>>(HGETALL, [key]);

const HGETDEL = spec('HGETDEL');
/** Reads fields and removes them. Redis 8.0.0. */
export const hGetDel = (key: RedisArgument, fields: Variadic) =>
  new Command<(BlobString | null)[]>(HGETDEL, fieldArguments(key, fields));

export interface HGetExOptions {
  expiration?: Expiration<'PERSIST'>;
}
const HGETEX = spec('HGETEX');
/** Reads fields and changes their expiry. Redis 8.0.0. */
export function hGetEx(key: RedisArgument, fields: Variadic, options?: HGetExOptions): Command<(BlobString | null)[]> {
  const args: unknown[] = [key];
  if (options?.expiration !== undefined) pushExpiration(args, 'HGETEX', options.expiration, 'PERSIST');
  args.push('FIELDS');
  pushCounted(args, fields);
  return new Command(HGETEX, args);
}

const connectionState = { flags: Flag.CONNECTION };
const HIMPORT_DISCARD = spec('HIMPORT DISCARD', connectionState);
/** Forgets a set of fields that HIMPORT PREPARE named on this connection. Redis 8.8.0. */
export const hImportDiscard = (fieldset: string) => new Command<Integer>(HIMPORT_DISCARD, [fieldset]);
const HIMPORT_DISCARDALL = spec('HIMPORT DISCARDALL', connectionState);
/** Forgets all sets of fields of this connection. Redis 8.8.0. */
export const hImportDiscardAll = () => new Command<Integer>(HIMPORT_DISCARDALL, []);
const HIMPORT_PREPARE = spec('HIMPORT PREPARE', connectionState);
/** Names a set of fields on this connection, for many hashes that share them. Redis 8.8.0. */
export const hImportPrepare = (fieldset: string, fields: Variadic) =>
  new Command<SimpleString<'OK'>>(HIMPORT_PREPARE, [fieldset, ...list(fields)]);
const HIMPORT_SET = spec('HIMPORT SET', { keys: firstKey });
/** Writes a hash: the fields of a prepared set with these values. Redis 8.8.0. */
export const hImportSet = (key: RedisArgument, fieldset: string, values: Variadic) =>
  new Command<SimpleString<'OK'>>(HIMPORT_SET, [key, fieldset, ...list(values)]);

const HINCRBY = spec('HINCRBY');
/** Adds `increment`, a 64-bit integer, to a field. Redis 2.0.0. */
export const hIncrBy = (key: RedisArgument, field: RedisArgument, increment: NumericArgument) =>
  new Command<Integer>(HINCRBY, [key, field, increment]);

const HINCRBYFLOAT = spec('HINCRBYFLOAT');
/** Adds a floating-point `increment` to a field; resolves with the new value as text. Redis 2.6.0. */
export const hIncrByFloat = (key: RedisArgument, field: RedisArgument, increment: number) =>
  new Command<BlobString>(HINCRBYFLOAT, [key, field, increment]);

const HKEYS = spec('HKEYS');
/** All field names. Redis 2.0.0. */
export const hKeys = (key: RedisArgument) => new Command<BlobString[]>(HKEYS, [key]);

const HLEN = spec('HLEN');
/** Number of fields. Redis 2.0.0. */
export const hLen = (key: RedisArgument) => new Command<Integer>(HLEN, [key]);

const HMGET = spec('HMGET');
/** Several fields, null where one is missing. Redis 2.0.0. */
export const hmGet = (key: RedisArgument, fields: Variadic) =>
  new Command<(BlobString | null)[]>(HMGET, [key, ...list(fields)]);

const HPERSIST = spec('HPERSIST');
/** Removes the expiry of fields: 1 done, -1 there was none, -2 no such field. Redis 7.4.0. */
export const hPersist = (key: RedisArgument, fields: Variadic) =>
  new Command<Integer[] | null>(HPERSIST, fieldArguments(key, fields));

const HPEXPIRE = spec('HPEXPIRE');
/** Fields expire after `ms` milliseconds. Redis 7.4.0. */
export const hpExpire = (key: RedisArgument, fields: Variadic, ms: number, mode?: ExpireMode) =>
  new Command<Integer<HashExpiration>[] | null>(HPEXPIRE, expireArguments('HPEXPIRE', key, fields, ms, mode));

const HPEXPIREAT = spec('HPEXPIREAT');
/** Fields expire at a Unix time in milliseconds, or a Date. Redis 7.4.0. */
export const hpExpireAt = (key: RedisArgument, fields: Variadic, at: number | Date, mode?: ExpireMode) =>
  new Command<Integer<HashExpiration>[] | null>(
    HPEXPIREAT,
    expireArguments('HPEXPIREAT', key, fields, millis(at), mode),
  );

const HPEXPIRETIME = spec('HPEXPIRETIME');
/** When fields expire, Unix milliseconds; -1 never, -2 no such field. Redis 7.4.0. */
export const hpExpireTime = (key: RedisArgument, fields: Variadic) =>
  new Command<Integer[] | null>(HPEXPIRETIME, fieldArguments(key, fields));

const HPTTL = spec('HPTTL');
/** Milliseconds left for fields; -1 no expiry, -2 no such field. Redis 7.4.0. */
export const hpTTL = (key: RedisArgument, fields: Variadic) =>
  new Command<Integer[] | null>(HPTTL, fieldArguments(key, fields));

const HRANDFIELD = spec('HRANDFIELD');
/** A random field name, or null. Redis 6.2.0. */
export const hRandField = (key: RedisArgument) => new Command<BlobString | null>(HRANDFIELD, [key]);
/** Up to `count` different field names; with a negative `count` as many, with repetitions. Redis 6.2.0. */
export const hRandFieldCount = (key: RedisArgument, count: number) =>
  new Command<BlobString[]>(HRANDFIELD, [key, count]);
const HRANDFIELD_WITHVALUES = spec('HRANDFIELD', {
  read: (reply: readonly Text[] | readonly [Text, Text][]) => fieldValuePairs(reply.flat()),
});
/** {@link hRandFieldCount} with the values. Redis 6.2.0. */
export const hRandFieldCountWithValues = (key: RedisArgument, count: number) =>
  new Command<{ field: BlobString; value: BlobString }[]>(HRANDFIELD_WITHVALUES, [key, count, 'WITHVALUES']);

function fieldValuePairs(flat: readonly Text[]): { field: Text; value: Text }[] {
  const pairs = [];
  for (let i = 0; i < flat.length; i += 2) pairs.push({ field: flat[i]!, value: flat[i + 1]! });
  return pairs;
}

const HSCAN = spec('HSCAN', {
  read: ([cursor, flat]: [Text, Text[]]) => ({ cursor, entries: fieldValuePairs(flat) }),
});
/** One page of fields and values. Redis 2.8.0. */
export function hScan(
  key: RedisArgument,
  cursor: RedisArgument,
  options?: ScanCommonOptions,
): Command<{ cursor: BlobString; entries: { field: BlobString; value: BlobString }[] }> {
  const args: unknown[] = [key, cursor];
  pushScanOptions(args, options);
  return new Command(HSCAN, args);
}
const HSCAN_NOVALUES = spec('HSCAN', { read: ([cursor, fields]: [Text, Text[]]) => ({ cursor, fields }) });
/** One page of field names. Redis 7.4.0. */
export function hScanNoValues(
  key: RedisArgument,
  cursor: RedisArgument,
  options?: ScanCommonOptions,
): Command<{ cursor: BlobString; fields: BlobString[] }> {
  const args: unknown[] = [key, cursor];
  pushScanOptions(args, options);
  args.push('NOVALUES');
  return new Command(HSCAN_NOVALUES, args);
}

export type HashTypes = RedisArgument | number;
/** Fields and values: an object, a Map, pairs, or a flat list. */
export type HashFields =
  | Readonly<Record<string | number, HashTypes>>
  | ReadonlyMap<HashTypes, HashTypes>
  | readonly (readonly [HashTypes, HashTypes])[]
  | readonly HashTypes[];
export type HSetArguments =
  | [key: RedisArgument, field: HashTypes, value: HashTypes]
  | [key: RedisArgument, fields: HashFields];

function pushFields(args: unknown[], fields: HashFields): void {
  if (fields instanceof Map) for (const [field, value] of fields) args.push(field, value);
  else if (Array.isArray(fields)) for (const item of fields) pushAll(args, item);
  else for (const field of Object.keys(fields)) args.push(field, (fields as Record<string, HashTypes>)[field]);
}

const HSET = spec('HSET');
/**
 * Sets one or several fields; resolves with how many are new. Redis 2.0.0.
 * @example
 * await client.hSet('user:1', 'name', 'Ada');
 * await client.hSet('user:1', { name: 'Ada', born: 1815 });
 */
export function hSet(...[key, fields, value]: HSetArguments): Command<Integer> {
  if (typeof fields !== 'object' || Buffer.isBuffer(fields)) return new Command(HSET, [key, fields, value]);
  const args: unknown[] = [key];
  pushFields(args, fields as HashFields);
  return new Command(HSET, args);
}

export interface HSetExOptions {
  expiration?: Expiration<'KEEPTTL'>;
  /** Only if none (`FNX`) or all (`FXX`) of the fields exist. */
  mode?: 'FNX' | 'FXX';
}
const HSETEX = spec('HSETEX');
/** Sets fields with an expiry; 1 if they were set. Redis 8.0.0. */
export function hSetEx(key: RedisArgument, fields: HashFields, options?: HSetExOptions): Command<Integer<0 | 1>> {
  const args: unknown[] = [key];
  if (options?.mode !== undefined) args.push(word('HSETEX', 'mode', options.mode, ['FNX', 'FXX']));
  if (options?.expiration !== undefined) pushExpiration(args, 'HSETEX', options.expiration, 'KEEPTTL');
  const pairs: unknown[] = [];
  pushFields(pairs, fields);
  if (pairs.length === 0 || pairs.length % 2 !== 0)
    throw new InvalidArgumentError('HSETEX', 'fields', 'must be pairs of a field and a value, at least one');
  args.push('FIELDS', pairs.length / 2);
  pushAll(args, pairs);
  return new Command(HSETEX, args);
}

const HSETNX = spec('HSETNX');
/** Sets a field if it is missing; 1 if it was set. Redis 2.0.0. */
export const hSetNX = (key: RedisArgument, field: RedisArgument, value: RedisArgument) =>
  new Command<Integer<0 | 1>>(HSETNX, [key, field, value]);

const HSTRLEN = spec('HSTRLEN');
/** Bytes of a field's value. Redis 3.2.0. */
export const hStrLen = (key: RedisArgument, field: RedisArgument) => new Command<Integer>(HSTRLEN, [key, field]);

const HTTL = spec('HTTL');
/** Seconds left for fields; -1 no expiry, -2 no such field. Redis 7.4.0. */
export const hTTL = (key: RedisArgument, fields: Variadic) =>
  new Command<Integer[] | null>(HTTL, fieldArguments(key, fields));

const HVALS = spec('HVALS');
/** All values. Redis 2.0.0. */
export const hVals = (key: RedisArgument) => new Command<BlobString[]>(HVALS, [key]);

export const aliases = {
  hImportDiscard: 'HIMPORT_DISCARD',
  hImportDiscardAll: 'HIMPORT_DISCARDALL',
  hImportPrepare: 'HIMPORT_PREPARE',
  hImportSet: 'HIMPORT_SET',
  hRandFieldCount: 'HRANDFIELD_COUNT',
  hRandFieldCountWithValues: 'HRANDFIELD_COUNT_WITHVALUES',
  hScanNoValues: 'HSCAN_NOVALUES',
} as const;
