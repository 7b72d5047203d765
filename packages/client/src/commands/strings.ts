/** Commands of the group "string". https://redis.io/docs/latest/commands/?group=string */
import { InvalidArgumentError } from '../errors.js';
import type {
  BlobString,
  Double,
  FieldsOf,
  Integer,
  NumericArgument,
  RedisArgument,
  SimpleString,
} from '../protocol/types.js';
import { double, EXPIRATIONS, type Expiration, pushAll, pushExpiration, type Variadic, word } from './arguments.js';
import { Command, spec } from './command.js';
import { asMap } from './readers.js';

const APPEND = spec('APPEND');
/** Appends to a string; creates it if missing. Resolves with its new length in bytes. Redis 2.0.0. */
export const append = (key: RedisArgument, value: RedisArgument) => new Command<Integer>(APPEND, [key, value]);

const DECR = spec('DECR');
/** Subtracts one. Redis 1.0.0. */
export const decr = (key: RedisArgument) => new Command<Integer>(DECR, [key]);

const DECRBY = spec('DECRBY');
/** Subtracts `decrement`, a 64-bit integer. Redis 1.0.0. */
export const decrBy = (key: RedisArgument, decrement: NumericArgument) =>
  new Command<Integer>(DECRBY, [key, decrement]);

const GET = spec('GET');
/**
 * The value of a key; null when it does not exist. Redis 1.0.0.
 * @example
 * await client.get('greeting'); // 'hello' or null
 */
export const get = (key: RedisArgument) => new Command<BlobString | null>(GET, [key]);

const GETDEL = spec('GETDEL');
/** Reads and deletes. Redis 6.2.0. */
export const getDel = (key: RedisArgument) => new Command<BlobString | null>(GETDEL, [key]);

/** When the key expires: seconds (`EX`), milliseconds (`PX`), a Unix time (`EXAT`, `PXAT`), or never. */
export type GetExOptions =
  | { type: 'EX' | 'PX'; value: number }
  | { type: 'EXAT' | 'PXAT'; value: number | Date }
  | { type: 'PERSIST' }
  | { EX: number }
  | { PX: number }
  | { EXAT: number | Date }
  | { PXAT: number | Date }
  | { PERSIST: true };

const GETEX = spec('GETEX');
/** Reads and changes the expiry. Redis 6.2.0. */
export function getEx(key: RedisArgument, options: GetExOptions): Command<BlobString | null> {
  const args: unknown[] = [key];
  // The remaining one is PERSIST.
  if ('PERSIST' in options) args.push('PERSIST');
  else if ('type' in options) pushExpiration(args, 'GETEX', options, 'PERSIST');
  else {
    const type = EXPIRATIONS.find((name) => name in options);
    const value = type === undefined ? undefined : (options as Record<string, number>)[type]!;
    pushExpiration(args, 'GETEX', type === undefined ? 'PERSIST' : { type, value: value! }, 'PERSIST');
  }
  return new Command(GETEX, args);
}

const GETRANGE = spec('GETRANGE');
/** Bytes `start` to `end`, both included, negative from the end. Redis 2.4.0. */
export const getRange = (key: RedisArgument, start: number, end: number) =>
  new Command<BlobString>(GETRANGE, [key, start, end]);

const GETSET = spec('GETSET');
/** Sets and returns the old value. Redis 1.0.0; `set(key, value, { GET: true })` since 6.2. */
export const getSet = (key: RedisArgument, value: RedisArgument) =>
  new Command<BlobString | null>(GETSET, [key, value]);

const INCR = spec('INCR');
/** Adds one. Redis 1.0.0. */
export const incr = (key: RedisArgument) => new Command<Integer>(INCR, [key]);

const INCRBY = spec('INCRBY');
/** Adds `increment`, a 64-bit integer. Redis 1.0.0. */
export const incrBy = (key: RedisArgument, increment: NumericArgument) =>
  new Command<Integer>(INCRBY, [key, increment]);

const INCRBYFLOAT = spec('INCRBYFLOAT');
/** Adds a floating-point `increment`; resolves with the new value as text. Redis 2.6.0. */
export const incrByFloat = (key: RedisArgument, increment: number) =>
  new Command<BlobString>(INCRBYFLOAT, [key, increment]);

const MGET = spec('MGET');
/** The values of several keys, null where one is missing. Redis 1.0.0. */
export const mGet = (keys: Variadic) =>
  new Command<(BlobString | null)[]>(MGET, Array.isArray(keys) ? keys.slice() : [keys]);

/** Keys and values: an object, pairs, or a flat list. */
export type MSetArguments =
  | Readonly<Record<string, RedisArgument>>
  | readonly (readonly [RedisArgument, RedisArgument])[]
  | readonly RedisArgument[];

function keysAndValues(toSet: MSetArguments): unknown[] {
  const args: unknown[] = [];
  if (Array.isArray(toSet)) for (const item of toSet) pushAll(args, item);
  else for (const key of Object.keys(toSet)) args.push(key, (toSet as Record<string, RedisArgument>)[key]);
  return args;
}

const MSET = spec('MSET');
/** Sets several keys at once, atomically. Redis 1.0.1. */
export const mSet = (toSet: MSetArguments) => new Command<SimpleString<'OK'>>(MSET, keysAndValues(toSet));

const MSETNX = spec('MSETNX');
/** Sets several keys if none of them exists; 1 if they were set. Redis 1.0.1. */
export const mSetNX = (toSet: MSetArguments) => new Command<Integer>(MSETNX, keysAndValues(toSet));

const PSETEX = spec('PSETEX');
/** Sets with an expiry in milliseconds. Redis 2.6.0. */
export const pSetEx = (key: RedisArgument, ms: number, value: RedisArgument) =>
  new Command<SimpleString<'OK'>>(PSETEX, [key, ms, value]);

export interface SetOptions {
  /** Seconds (`EX`), milliseconds (`PX`), Unix time in seconds (`EXAT`) or milliseconds (`PXAT`), or what it has now. */
  expiration?: Expiration<'KEEPTTL'>;
  /** Only if missing, only if present, or (Redis 8.4) by comparing with `matchValue`. */
  condition?: 'NX' | 'XX' | 'IFEQ' | 'IFNE' | 'IFDEQ' | 'IFDNE';
  matchValue?: RedisArgument;
  /** Resolve with the old value. Redis 6.2.0. */
  GET?: boolean;
  /** @deprecated use `expiration` */
  EX?: number;
  /** @deprecated use `expiration` */
  PX?: number;
  /** @deprecated use `expiration` */
  EXAT?: number;
  /** @deprecated use `expiration` */
  PXAT?: number;
  /** @deprecated use `expiration` */
  KEEPTTL?: boolean;
  /** @deprecated use `condition` */
  NX?: boolean;
  /** @deprecated use `condition` */
  XX?: boolean;
}

const CONDITIONS = ['NX', 'XX', 'IFEQ', 'IFNE', 'IFDEQ', 'IFDNE'] as const;
const SET = spec('SET');
/**
 * Sets a key. Resolves with `OK`, with null when a condition was not met, or with the old value (`GET`). Redis 1.0.0.
 * @example
 * await client.set('session:1', 'data', { expiration: { type: 'EX', value: 3600 } });
 */
export function set(
  key: RedisArgument,
  value: RedisArgument | number,
  options?: SetOptions,
): Command<SimpleString<'OK'> | BlobString | null> {
  const args: unknown[] = [key, value];
  if (options !== undefined) pushSetOptions(args, options);
  return new Command(SET, args);
}

function pushSetOptions(args: unknown[], options: SetOptions): void {
  if (options.expiration !== undefined) pushExpiration(args, 'SET', options.expiration, 'KEEPTTL');
  else {
    const type = EXPIRATIONS.find((name) => options[name] !== undefined);
    if (type !== undefined) args.push(type, options[type]);
    else if (options.KEEPTTL) args.push('KEEPTTL');
  }
  if (options.condition !== undefined) {
    args.push(word('SET', 'condition', options.condition, CONDITIONS));
    if (options.matchValue !== undefined) args.push(options.matchValue);
  } else if (options.NX) args.push('NX');
  else if (options.XX) args.push('XX');
  if (options.GET) args.push('GET');
}

const SETEX = spec('SETEX');
/** Sets with an expiry in seconds. Redis 2.0.0. */
export const setEx = (key: RedisArgument, seconds: number, value: RedisArgument) =>
  new Command<SimpleString<'OK'>>(SETEX, [key, seconds, value]);

const SETNX = spec('SETNX');
/** Sets if missing; 1 if it was set. Redis 1.0.0. */
export const setNX = (key: RedisArgument, value: RedisArgument) => new Command<Integer>(SETNX, [key, value]);

const SETRANGE = spec('SETRANGE');
/** Overwrites from byte `offset` (0 to 512 MiB); resolves with the new length. Redis 2.2.0. */
export const setRange = (key: RedisArgument, offset: number, value: RedisArgument) =>
  new Command<Integer>(SETRANGE, [key, offset, value]);

const STRLEN = spec('STRLEN');
/** Length in bytes; 0 when missing. Redis 2.2.0. */
export const strLen = (key: RedisArgument) => new Command<Integer>(STRLEN, [key]);

export interface DelExOptions {
  /** Compares with `matchValue`: the value (`IFEQ`, `IFNE`) or its digest (`IFDEQ`, `IFDNE`). */
  condition: 'IFEQ' | 'IFNE' | 'IFDEQ' | 'IFDNE';
  matchValue: RedisArgument;
}
const DELEX = spec('DELEX');
/** Deletes if the value compares so; 1 if deleted. Redis 8.4.0. */
export const delEx = (key: RedisArgument, options?: DelExOptions) =>
  new Command<Integer<0 | 1>>(
    DELEX,
    options === undefined
      ? [key]
      : [key, word('DELEX', 'condition', options.condition, ['IFEQ', 'IFNE', 'IFDEQ', 'IFDNE']), options.matchValue],
  );

const DELIFEQ = spec('DELIFEQ');
/** Deletes if the value equals `value`; 1 if deleted. A lock is given back with it. Valkey 9.0.0; Redis: {@link delEx}. */
export const delIfEq = (key: RedisArgument, value: RedisArgument) => new Command<Integer<0 | 1>>(DELIFEQ, [key, value]);

const DIGEST = spec('DIGEST');
/** XXH3 digest of a string, 16 hexadecimal digits, for IFDEQ and IFDNE; null when missing. Redis 8.4.0. */
export const digest = (key: RedisArgument) => new Command<SimpleString | null>(DIGEST, [key]);

export interface IncrExByFloatOptions {
  lowerBound?: RedisArgument | number;
  upperBound?: RedisArgument | number;
  /** At a bound: stay there instead of failing. */
  saturate?: boolean;
  /** `ENX`: only if there is no expiry yet. */
  expiration?: { type: 'EX' | 'PX' | 'EXAT' | 'PXAT'; value: number | Date; ENX?: boolean } | { type: 'PERSIST' };
}
export interface IncrExOptions extends IncrExByFloatOptions {
  /** Default 1. */
  by?: RedisArgument | number;
}
function incrExArguments(
  key: RedisArgument,
  unit: 'BYINT' | 'BYFLOAT',
  by: RedisArgument | number | undefined,
  options: IncrExByFloatOptions | undefined,
): unknown[] {
  const args: unknown[] = [key];
  if (by !== undefined) args.push(unit, double(by));
  if (options?.lowerBound !== undefined) args.push('LBOUND', double(options.lowerBound));
  if (options?.upperBound !== undefined) args.push('UBOUND', double(options.upperBound));
  if (options?.saturate) args.push('SATURATE');
  if (options?.expiration) {
    pushExpiration(args, 'INCREX', options.expiration, 'PERSIST');
    if ('ENX' in options.expiration && options.expiration.ENX) args.push('ENX');
  }
  return args;
}
const INCREX = spec('INCREX');
/** Adds within bounds and sets the expiry; resolves with the new value and what was added. Redis 8.8.0. */
export const increx = (key: RedisArgument, options?: IncrExOptions) =>
  new Command<[value: Integer, added: Integer]>(INCREX, incrExArguments(key, 'BYINT', options?.by, options));
/** {@link increx} with a floating-point `value`; text in RESP2. Redis 8.8.0. */
export const incrExByFloat = (key: RedisArgument, value: RedisArgument | number, options?: IncrExByFloatOptions) =>
  new Command<[value: BlobString | Double, added: BlobString | Double]>(
    INCREX,
    incrExArguments(key, 'BYFLOAT', value, options),
  );

const LCS = spec('LCS');
/** Longest common subsequence of two strings. Redis 7.0.0. */
export const lcs = (key1: RedisArgument, key2: RedisArgument) => new Command<BlobString>(LCS, [key1, key2]);
/** Its length. Redis 7.0.0. */
export const lcsLen = (key1: RedisArgument, key2: RedisArgument) => new Command<Integer>(LCS, [key1, key2, 'LEN']);

export interface LcsIdxOptions {
  /** Leave out shorter matches. */
  MINMATCHLEN?: number;
}
export type LcsIdxRange = [start: Integer, end: Integer];
const LCS_IDX = spec('LCS', { read: asMap });
const indexArguments = (key1: RedisArgument, key2: RedisArgument, options: LcsIdxOptions | undefined) =>
  options?.MINMATCHLEN ? [key1, key2, 'IDX', 'MINMATCHLEN', options.MINMATCHLEN] : [key1, key2, 'IDX'];
/** Where the matches are in both strings. Redis 7.0.0. */
export const lcsIdx = (key1: RedisArgument, key2: RedisArgument, options?: LcsIdxOptions) =>
  new Command<FieldsOf<{ matches: [key1: LcsIdxRange, key2: LcsIdxRange][]; len: Integer }>>(
    LCS_IDX,
    indexArguments(key1, key2, options),
  );
/** {@link lcsIdx} with the length of each match. Redis 7.0.0. */
export const lcsIdxWithMatchLen = (key1: RedisArgument, key2: RedisArgument, options?: LcsIdxOptions) =>
  new Command<FieldsOf<{ matches: [key1: LcsIdxRange, key2: LcsIdxRange, len: Integer][]; len: Integer }>>(LCS_IDX, [
    ...indexArguments(key1, key2, options),
    'WITHMATCHLEN',
  ]);

export interface MSetExOptions {
  expiration?: Exclude<Expiration<'KEEPTTL'>, string>;
  /** Only if none (`NX`) or all (`XX`) of the keys exist. */
  mode?: 'NX' | 'XX';
}
const MSETEX = spec('MSETEX', {
  keys: (args) => Array.from({ length: Number(args[0]) }, (_, i) => 1 + 2 * i),
});
/** Sets several keys with one expiry; 1 if they were set. Redis 8.4.0. */
export function mSetEx(keyValuePairs: MSetArguments, options?: MSetExOptions): Command<Integer<0 | 1>> {
  const pairs = keysAndValues(keyValuePairs);
  if (pairs.length === 0 || pairs.length % 2 !== 0)
    throw new InvalidArgumentError('MSETEX', 'keyValuePairs', 'must be pairs of a key and a value, at least one');
  const args: unknown[] = [pairs.length / 2];
  pushAll(args, pairs);
  if (options?.mode) args.push(word('MSETEX', 'mode', options.mode, ['NX', 'XX']));
  if (options?.expiration) pushExpiration(args, 'MSETEX', options.expiration, 'KEEPTTL');
  return new Command(MSETEX, args);
}

export const aliases = {
  incrExByFloat: 'INCREXBYFLOAT',
  lcsIdx: 'LCS_IDX',
  lcsIdxWithMatchLen: 'LCS_IDX_WITHMATCHLEN',
  lcsLen: 'LCS_LEN',
} as const;
