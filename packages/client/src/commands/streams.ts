/** Commands of the group "stream". https://redis.io/docs/latest/commands/?group=stream */
import type { BlobString, Integer, RedisArgument, SimpleString } from '../protocol/types.js';
import { list, type Variadic, word } from './arguments.js';
import { Command, spec } from './command.js';
import {
  deletionArguments,
  policyWord,
  type StreamDeletionPolicy,
  type StreamDeletionReplyCode,
  type StreamMessage,
  streamId,
  toMessages,
} from './stream-messages.js';

export interface XAddOptions {
  /** Redis 8.2.0. */
  policy?: StreamDeletionPolicy;
  /** Idempotent: the server recognizes a repeated message of producer `pid` by its content. Redis 8.6.0. */
  IDMPAUTO?: { pid: RedisArgument };
  /** Idempotent: message `iid` of producer `pid` is added once. Redis 8.6.0. */
  IDMP?: { pid: RedisArgument; iid: RedisArgument };
  TRIM?: {
    strategy?: 'MAXLEN' | 'MINID';
    strategyModifier?: '=' | '~';
    threshold: number | string;
    /** Remove at most so many entries; needs `~`. */
    limit?: number;
    /** Redis 8.6.0. */
    policy?: StreamDeletionPolicy;
  };
}
function addArguments(
  key: RedisArgument,
  id: RedisArgument,
  message: Readonly<Record<string, RedisArgument>>,
  options: XAddOptions | undefined,
  ...more: string[]
): unknown[] {
  const args: unknown[] = [key, ...more];
  if (options?.policy) args.push(policyWord('XADD', options.policy));
  if (options?.IDMPAUTO) args.push('IDMPAUTO', options.IDMPAUTO.pid);
  else if (options?.IDMP) args.push('IDMP', options.IDMP.pid, options.IDMP.iid);
  if (options?.TRIM) {
    const { strategy, strategyModifier, threshold, limit, policy } = options.TRIM;
    if (strategy) args.push(word('XADD', 'strategy', strategy, ['MAXLEN', 'MINID']));
    if (strategyModifier) args.push(word('XADD', 'strategyModifier', strategyModifier, ['=', '~']));
    args.push(threshold);
    if (limit !== undefined) args.push('LIMIT', limit);
    if (policy) args.push(policyWord('XADD', policy));
  }
  args.push(streamId('XADD', id));
  for (const field of Object.keys(message)) args.push(field, message[field]);
  return args;
}
const XADD = spec('XADD');
/**
 * Appends an entry; resolves with its id. Redis 5.0.0.
 * @example
 * await client.xAdd('events', '*', { type: 'signed-in', user: '42' });
 */
export const xAdd = (
  key: RedisArgument,
  id: RedisArgument,
  message: Readonly<Record<string, RedisArgument>>,
  options?: XAddOptions,
) => new Command<BlobString>(XADD, addArguments(key, id, message, options));
/** {@link xAdd} if the stream exists, else null. Redis 6.2.0. */
export const xAddNoMkStream = (
  key: RedisArgument,
  id: RedisArgument,
  message: Readonly<Record<string, RedisArgument>>,
  options?: XAddOptions,
) => new Command<BlobString | null>(XADD, addArguments(key, id, message, options, 'NOMKSTREAM'));

export interface XCfgSetOptions {
  /** Seconds that idempotency ids are remembered. */
  IDMP_DURATION?: number;
  /** How many are remembered for each producer. */
  IDMP_MAXSIZE?: number;
}
const XCFGSET = spec('XCFGSET');
/** Configures a stream's idempotency. Redis 8.6.0. */
export function xCfgSet(key: RedisArgument, options?: XCfgSetOptions): Command<SimpleString<'OK'>> {
  const args: unknown[] = [key];
  if (options?.IDMP_DURATION !== undefined) args.push('IDMP-DURATION', options.IDMP_DURATION);
  if (options?.IDMP_MAXSIZE !== undefined) args.push('IDMP-MAXSIZE', options.IDMP_MAXSIZE);
  return new Command(XCFGSET, args);
}

const XDEL = spec('XDEL');
/** Deletes entries; resolves with how many there were. Redis 5.0.0. */
export const xDel = (key: RedisArgument, id: Variadic) => new Command<Integer>(XDEL, [key, ...list(id)]);

const XDELEX = spec('XDELEX');
/** Deletes entries, with a say about references. Redis 8.2.0. */
export const xDelEx = (key: RedisArgument, id: Variadic, policy?: StreamDeletionPolicy) =>
  new Command<Integer<StreamDeletionReplyCode>[]>(XDELEX, deletionArguments('XDELEX', [key], id, policy));

const XLEN = spec('XLEN');
/** Number of entries. Redis 5.0.0. */
export const xLen = (key: RedisArgument) => new Command<Integer>(XLEN, [key]);

export interface XRangeOptions {
  COUNT?: number;
}
const rangeArguments = (key: RedisArgument, start: RedisArgument, end: RedisArgument, options?: XRangeOptions) =>
  options?.COUNT ? [key, start, end, 'COUNT', options.COUNT] : [key, start, end];
const XRANGE = spec('XRANGE', { read: toMessages });
/** Entries `start` to `end` (`-` and `+` are the ends). Redis 5.0.0. */
export const xRange = (key: RedisArgument, start: RedisArgument, end: RedisArgument, options?: XRangeOptions) =>
  new Command<StreamMessage[]>(XRANGE, rangeArguments(key, start, end, options));
const XREVRANGE = spec('XREVRANGE', { read: toMessages });
/** {@link xRange} from the end. Redis 5.0.0. */
export const xRevRange = (key: RedisArgument, start: RedisArgument, end: RedisArgument, options?: XRangeOptions) =>
  new Command<StreamMessage[]>(XREVRANGE, rangeArguments(key, start, end, options));

export interface XSetIdOptions {
  ENTRIESADDED?: number;
  MAXDELETEDID?: RedisArgument;
}
const XSETID = spec('XSETID');
/** Sets a stream's last id. Redis 5.0.0. */
export function xSetId(
  key: RedisArgument,
  lastId: RedisArgument,
  options?: XSetIdOptions,
): Command<SimpleString<'OK'>> {
  const args: unknown[] = [key, lastId];
  if (options?.ENTRIESADDED !== undefined) args.push('ENTRIESADDED', options.ENTRIESADDED);
  if (options?.MAXDELETEDID) args.push('MAXDELETEDID', options.MAXDELETEDID);
  return new Command(XSETID, args);
}

export interface XTrimOptions {
  strategyModifier?: '=' | '~';
  /** Remove at most so many; needs `~`. */
  LIMIT?: number;
  /** Redis 8.2.0. */
  policy?: StreamDeletionPolicy;
}
const XTRIM = spec('XTRIM');
/** Removes the oldest entries beyond a length or before an id; resolves with how many. Redis 5.0.0. */
export function xTrim(
  key: RedisArgument,
  strategy: 'MAXLEN' | 'MINID',
  threshold: number | string,
  options?: XTrimOptions,
): Command<Integer> {
  const args: unknown[] = [key, word('XTRIM', 'strategy', strategy, ['MAXLEN', 'MINID'])];
  if (options?.strategyModifier) args.push(word('XTRIM', 'strategyModifier', options.strategyModifier, ['=', '~']));
  args.push(threshold);
  if (options?.LIMIT !== undefined) args.push('LIMIT', options.LIMIT);
  if (options?.policy) args.push(policyWord('XTRIM', options.policy));
  return new Command(XTRIM, args);
}

export const aliases = { xAddNoMkStream: 'XADD_NOMKSTREAM' } as const;
