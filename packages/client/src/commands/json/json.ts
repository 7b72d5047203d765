/**
 * JSON documents, `client.json`: part of Redis 8, before that the module RedisJSON.
 * https://redis.io/docs/latest/commands/?group=json
 */
import type { BlobString, Double, Integer, Parsed, RedisArgument, SimpleString } from '../../protocol/types.js';
import { list, type Variadic, word } from '../arguments.js';
import { Command, spec } from '../command.js';

/** What a document may hold. A Date is stored as its ISO 8601 text. */
export type RedisJSON =
  | null
  | boolean
  | number
  | string
  | Date
  | readonly RedisJSON[]
  | { readonly [key: string]: RedisJSON };
export type JsonReviver = (this: unknown, key: string, value: unknown) => unknown;
/** One number, or, with a JSONPath (`$…`), one for each match. */
type PerMatch<T> = T | (T | null)[];
type Text = string | Buffer;

/**
 * The document as text. JSON.stringify has none for undefined, functions and symbols, which are then refused as
 * arguments like any undefined.
 */
const stringify = (value: RedisJSON): string => JSON.stringify(value);
const parse = (text: Text | null, reviver: JsonReviver | undefined): unknown =>
  text === null ? null : JSON.parse(String(text), reviver);
const parseEach = (reply: Text | null | (Text | null)[], reviver: JsonReviver | undefined): unknown =>
  Array.isArray(reply) ? reply.map((item) => parse(item, reviver)) : parse(reply, reviver);

/** Where in the document; default: the root. */
export interface JsonPathOption {
  path?: RedisArgument;
}
const at = (key: RedisArgument, options: JsonPathOption | undefined): unknown[] =>
  options?.path === undefined ? [key] : [key, options.path];

const ARRAPPEND = spec('JSON.ARRAPPEND');
/** Appends to an array; resolves with its length. RedisJSON 1.0.0. */
export const arrAppend = (key: RedisArgument, path: RedisArgument, json: RedisJSON, ...jsons: RedisJSON[]) =>
  new Command<PerMatch<Integer>>(ARRAPPEND, [key, path, ...[json, ...jsons].map(stringify)]);

export interface JsonArrIndexOptions {
  /** Where to look: `start` included, `stop` not. */
  range?: { start: number; stop?: number };
}
const ARRINDEX = spec('JSON.ARRINDEX');
/** Position of a value in an array, or -1. RedisJSON 1.0.0. */
export function arrIndex(
  key: RedisArgument,
  path: RedisArgument,
  json: RedisJSON,
  options?: JsonArrIndexOptions,
): Command<PerMatch<Integer>> {
  const args: unknown[] = [key, path, stringify(json)];
  if (options?.range !== undefined) {
    args.push(options.range.start);
    if (options.range.stop !== undefined) args.push(options.range.stop);
  }
  return new Command(ARRINDEX, args);
}

const ARRINSERT = spec('JSON.ARRINSERT');
/** Inserts into an array before `index`; resolves with its length. RedisJSON 1.0.0. */
export const arrInsert = (
  key: RedisArgument,
  path: RedisArgument,
  index: number,
  json: RedisJSON,
  ...jsons: RedisJSON[]
) => new Command<PerMatch<Integer>>(ARRINSERT, [key, path, index, ...[json, ...jsons].map(stringify)]);

const ARRLEN = spec('JSON.ARRLEN');
/** Length of an array. RedisJSON 1.0.0. */
export const arrLen = (key: RedisArgument, options?: JsonPathOption) =>
  new Command<PerMatch<Integer> | null>(ARRLEN, at(key, options));

export type JsonArrPopOptions = { reviver?: JsonReviver } & (
  | { path?: never; index?: never }
  | { path: RedisArgument; index?: number }
);
const ARRPOP = spec('JSON.ARRPOP', { read: parseEach });
/** Takes an element out of an array, by default the last. RedisJSON 1.0.0. */
export function arrPop(key: RedisArgument, options?: JsonArrPopOptions): Command<Parsed<RedisJSON>> {
  const args = at(key, options);
  if (options?.path !== undefined && options.index !== undefined) args.push(options.index);
  return new Command(ARRPOP, args, options?.reviver);
}

const ARRTRIM = spec('JSON.ARRTRIM');
/** Keeps elements `start` to `stop`, both included; resolves with the length. RedisJSON 1.0.0. */
export const arrTrim = (key: RedisArgument, path: RedisArgument, start: number, stop: number) =>
  new Command<PerMatch<Integer>>(ARRTRIM, [key, path, start, stop]);

const CLEAR = spec('JSON.CLEAR');
/** Empties containers, sets numbers to 0; resolves with how many values. RedisJSON 2.0.0. */
export const clear = (key: RedisArgument, options?: JsonPathOption) => new Command<Integer>(CLEAR, at(key, options));

const DEBUG_MEMORY = spec('JSON.DEBUG MEMORY');
/** Bytes that a value takes. RedisJSON 1.0.0. */
export const debugMemory = (key: RedisArgument, options?: JsonPathOption) =>
  new Command<PerMatch<Integer>>(DEBUG_MEMORY, at(key, options));

const DEL = spec('JSON.DEL');
/** Deletes; resolves with how many values. RedisJSON 1.0.0. */
export const del = (key: RedisArgument, options?: JsonPathOption) => new Command<Integer>(DEL, at(key, options));

const FORGET = spec('JSON.FORGET');
/** {@link del} by another name. RedisJSON 1.0.0. */
export const forget = (key: RedisArgument, options?: JsonPathOption) => new Command<Integer>(FORGET, at(key, options));

export interface JsonGetOptions {
  /** Several paths resolve with an object of path -> matches. */
  path?: Variadic;
  /** As of JSON.parse. */
  reviver?: JsonReviver;
}
const GET = spec('JSON.GET', { read: parseEach });
/**
 * The document, or parts of it; null when the key does not exist. RedisJSON 1.0.0.
 * @example
 * await client.json.get('user:1', { path: '$.name' }); // ['Ada']
 */
export const get = (key: RedisArgument, options?: JsonGetOptions) =>
  new Command<Parsed<RedisJSON>>(
    GET,
    options?.path === undefined ? [key] : [key, ...list(options.path)],
    options?.reviver,
  );

const MERGE = spec('JSON.MERGE');
/** Merges by RFC 7396: null deletes. RedisJSON 2.6.0. */
export const merge = (key: RedisArgument, path: RedisArgument, value: RedisJSON) =>
  new Command<SimpleString<'OK'>>(MERGE, [key, path, stringify(value)]);

const MGET = spec('JSON.MGET', { read: parseEach });
/** The same path of several documents, null where there is none. RedisJSON 1.0.0. */
export const mGet = (keys: readonly RedisArgument[], path: RedisArgument, reviver?: JsonReviver) =>
  new Command<Parsed<RedisJSON[]>>(MGET, [...keys, path], reviver);

export interface JsonMSetItem {
  key: RedisArgument;
  path: RedisArgument;
  value: RedisJSON;
}
const MSET = spec('JSON.MSET');
/** Sets several values, all or none. RedisJSON 2.6.0. */
export const mSet = (items: readonly JsonMSetItem[]) =>
  new Command<SimpleString<'OK'>>(
    MSET,
    items.flatMap(({ key, path, value }) => [key, path, stringify(value)]),
  );

// Text in RESP2, whether one number (legacy path) or an array of them.
/** Numbers in RESP3, the text of their JSON in RESP2. */
const numbers = (reply: unknown): unknown =>
  typeof reply === 'string' || Buffer.isBuffer(reply) ? JSON.parse(String(reply)) : reply;
const NUMINCRBY = spec('JSON.NUMINCRBY', { read: numbers });
/** Adds to a number; resolves with the results. RedisJSON 1.0.0. */
export const numIncrBy = (key: RedisArgument, path: RedisArgument, by: number) =>
  new Command<PerMatch<Integer | Double>>(NUMINCRBY, [key, path, by]);

const NUMMULTBY = spec('JSON.NUMMULTBY', { read: numbers });
/** Multiplies a number; resolves with the results. RedisJSON 1.0.0. */
export const numMultBy = (key: RedisArgument, path: RedisArgument, by: number) =>
  new Command<PerMatch<Integer | Double>>(NUMMULTBY, [key, path, by]);

const OBJKEYS = spec('JSON.OBJKEYS');
/** Names in an object. RedisJSON 1.0.0. */
export const objKeys = (key: RedisArgument, options?: JsonPathOption) =>
  new Command<BlobString[] | (BlobString[] | null)[] | null>(OBJKEYS, at(key, options));

const OBJLEN = spec('JSON.OBJLEN');
/** How many names an object has. RedisJSON 1.0.0. */
export const objLen = (key: RedisArgument, options?: JsonPathOption) =>
  new Command<PerMatch<Integer> | null>(OBJLEN, at(key, options));

/** Lists begin with `{` for an object and `[` for an array. */
export type JsonRespReply = (string | number | JsonRespReply)[];
const RESP = spec('JSON.RESP');
/** The document as RESP values. RedisJSON 1.0.0. */
export const resp = (key: RedisArgument, path?: RedisArgument) =>
  new Command<Parsed<JsonRespReply>>(RESP, path === undefined ? [key] : [key, path]);

export interface JsonSetOptions {
  /** Only if there is nothing there, or only if there is. */
  condition?: 'NX' | 'XX';
  /** @deprecated use `condition` */
  NX?: boolean;
  /** @deprecated use `condition` */
  XX?: boolean;
  /** Type of floating-point arrays. Redis 8.8. */
  fpha?: 'BF16' | 'FP16' | 'FP32' | 'FP64';
}
const SET = spec('JSON.SET');
/**
 * Sets a value; null when the condition was not met. RedisJSON 1.0.0.
 * @example
 * await client.json.set('user:1', '$', { name: 'Ada', langs: ['en'] });
 */
export function set(
  key: RedisArgument,
  path: RedisArgument,
  json: RedisJSON,
  options?: JsonSetOptions,
): Command<SimpleString<'OK'> | null> {
  const args: unknown[] = [key, path, stringify(json)];
  if (options?.condition !== undefined) args.push(word('JSON.SET', 'condition', options.condition, ['NX', 'XX']));
  else if (options?.NX) args.push('NX');
  else if (options?.XX) args.push('XX');
  if (options?.fpha !== undefined)
    args.push('FPHA', word('JSON.SET', 'fpha', options.fpha, ['BF16', 'FP16', 'FP32', 'FP64']));
  return new Command(SET, args);
}

const STRAPPEND = spec('JSON.STRAPPEND');
/** Appends to a string; resolves with its length. RedisJSON 1.0.0. */
export const strAppend = (key: RedisArgument, append: string, options?: JsonPathOption) =>
  new Command<PerMatch<Integer>>(STRAPPEND, [...at(key, options), stringify(append)]);

const STRLEN = spec('JSON.STRLEN');
/** Length of a string. RedisJSON 1.0.0. */
export const strLen = (key: RedisArgument, options?: JsonPathOption) =>
  new Command<PerMatch<Integer> | null>(STRLEN, at(key, options));

const TOGGLE = spec('JSON.TOGGLE');
/** Turns a boolean round; resolves with the new value as 0 or 1. RedisJSON 2.0.0. */
export const toggle = (key: RedisArgument, path: RedisArgument) =>
  new Command<PerMatch<Integer> | null>(TOGGLE, [key, path]);

/**
 * RESP3 has one array more around the answer. A list of texts for a path of many matches is RESP2's, whatever was agreed.
 */
const TYPE = spec('JSON.TYPE', {
  read: {
    3: (reply: unknown, path: RedisArgument | undefined) => {
      if (!Array.isArray(reply)) return reply;
      const isMany = path !== undefined && String(path).startsWith('$');
      return isMany && reply[0] !== null && !Array.isArray(reply[0]) ? reply : reply[0];
    },
  },
});
/** `object`, `array`, `string`, `integer`, `number`, `boolean` or `null`. RedisJSON 1.0.0. */
export const type = (key: RedisArgument, options?: JsonPathOption) =>
  new Command<PerMatch<BlobString> | null>(TYPE, at(key, options), options?.path);

export const aliases = { debugMemory: 'DEBUG_MEMORY' } as const;
