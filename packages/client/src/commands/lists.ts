/** Commands of the group "list". https://redis.io/docs/latest/commands/?group=list */
import type { BlobString, Integer, RedisArgument, SimpleString } from '../protocol/types.js';
import { list, pushCounted, type Variadic, word } from './arguments.js';
import { Command, numkeys, spec } from './command.js';
import type { Text } from './readers.js';

export type ListSide = 'LEFT' | 'RIGHT';
const side = (command: string, option: string, value: ListSide) => word(command, option, value, ['LEFT', 'RIGHT']);

const BLMOVE = spec('BLMOVE');
/** {@link lMove} that waits up to `timeout` seconds for an element (0 = for ever). Redis 6.2.0. */
export const blMove = (
  source: RedisArgument,
  destination: RedisArgument,
  sourceSide: ListSide,
  destinationSide: ListSide,
  timeout: number,
) =>
  new Command<BlobString | null>(BLMOVE, [
    source,
    destination,
    side('BLMOVE', 'sourceSide', sourceSide),
    side('BLMOVE', 'destinationSide', destinationSide),
    timeout,
  ]);

/** One by one, or as a block that keeps its order. */
export type LMoveMOrder = 'OBO' | 'BULK';
export type LMoveMOptions = { COUNT: number; ORDER: LMoveMOrder } | { EXACTLY: number; ORDER: LMoveMOrder };
function moveSeveral(
  command: string,
  source: RedisArgument,
  destination: RedisArgument,
  sides: [ListSide, ListSide],
  options: LMoveMOptions | undefined,
  ...before: unknown[]
): unknown[] {
  const args: unknown[] = [
    source,
    destination,
    side(command, 'sourceSide', sides[0]),
    side(command, 'destinationSide', sides[1]),
    ...before,
  ];
  if (options === undefined) return args;
  if ('EXACTLY' in options) args.push('EXACTLY', options.EXACTLY);
  else args.push('COUNT', options.COUNT);
  args.push(word(command, 'ORDER', options.ORDER, ['OBO', 'BULK']));
  return args;
}

const BLMOVEM = spec('BLMOVEM');
/** {@link lMoveM} that waits up to `timeout` seconds (0 = for ever). Redis 8.8.0. */
export const blMoveM = (
  source: RedisArgument,
  destination: RedisArgument,
  sourceSide: ListSide,
  destinationSide: ListSide,
  timeout: number,
  options?: LMoveMOptions,
) =>
  new Command<BlobString[] | null>(
    BLMOVEM,
    moveSeveral('BLMOVEM', source, destination, [sourceSide, destinationSide], options, timeout),
  );

export interface LMPopOptions {
  /** Default 1. */
  COUNT?: number;
}
function popSeveral(
  command: string,
  keys: Variadic,
  from: ListSide,
  options: LMPopOptions | undefined,
  ...before: unknown[]
): unknown[] {
  const args = before;
  pushCounted(args, keys);
  args.push(side(command, 'side', from));
  if (options?.COUNT !== undefined) args.push('COUNT', options.COUNT);
  return args;
}

const BLMPOP = spec('BLMPOP', { keys: numkeys(1) });
/** {@link lmPop} that waits up to `timeout` seconds (0 = for ever). Redis 7.0.0. */
export const blmPop = (timeout: number, keys: Variadic, from: ListSide, options?: LMPopOptions) =>
  new Command<[key: BlobString, elements: BlobString[]] | null>(
    BLMPOP,
    popSeveral('BLMPOP', keys, from, options, timeout),
  );

const keyAndElement = (reply: [Text, Text] | null) => (reply === null ? null : { key: reply[0], element: reply[1] });
type KeyAndElement = { key: BlobString; element: BlobString } | null;

const BLPOP = spec('BLPOP', { read: keyAndElement });
/**
 * Takes the first element of the first list that has one; waits up to `timeout` seconds (0 = for ever). Redis 2.0.0.
 * @example
 * const job = await client.blPop('jobs', 5); // { key, element } or null
 */
export const blPop = (key: Variadic, timeout: number) => new Command<KeyAndElement>(BLPOP, [...list(key), timeout]);

const BRPOP = spec('BRPOP', { read: keyAndElement });
/** {@link blPop} from the other end. Redis 2.0.0. */
export const brPop = (key: Variadic, timeout: number) => new Command<KeyAndElement>(BRPOP, [...list(key), timeout]);

const BRPOPLPUSH = spec('BRPOPLPUSH');
/** {@link blMove} from right to left. Redis 2.2.0. */
export const brPopLPush = (source: RedisArgument, destination: RedisArgument, timeout: number) =>
  new Command<BlobString | null>(BRPOPLPUSH, [source, destination, timeout]);

const LINDEX = spec('LINDEX');
/** The element at `index`, negative from the end; null outside. Redis 1.0.0. */
export const lIndex = (key: RedisArgument, index: number) => new Command<BlobString | null>(LINDEX, [key, index]);

const LINSERT = spec('LINSERT');
/** Inserts beside `pivot`; resolves with the length, -1 when there is no pivot, 0 when no list. Redis 2.2.0. */
export const lInsert = (
  key: RedisArgument,
  position: 'BEFORE' | 'AFTER',
  pivot: RedisArgument,
  element: RedisArgument,
) => new Command<Integer>(LINSERT, [key, word('LINSERT', 'position', position, ['BEFORE', 'AFTER']), pivot, element]);

const LLEN = spec('LLEN');
/** Number of elements. Redis 1.0.0. */
export const lLen = (key: RedisArgument) => new Command<Integer>(LLEN, [key]);

const LMOVE = spec('LMOVE');
/** Moves one element between the ends of two lists (or of one). Redis 6.2.0. */
export const lMove = (
  source: RedisArgument,
  destination: RedisArgument,
  sourceSide: ListSide,
  destinationSide: ListSide,
) =>
  new Command<BlobString | null>(LMOVE, [
    source,
    destination,
    side('LMOVE', 'sourceSide', sourceSide),
    side('LMOVE', 'destinationSide', destinationSide),
  ]);

const LMOVEM = spec('LMOVEM');
/** Moves several elements: up to `COUNT`, or `EXACTLY` so many or none. Redis 8.8.0. */
export const lMoveM = (
  source: RedisArgument,
  destination: RedisArgument,
  sourceSide: ListSide,
  destinationSide: ListSide,
  options?: LMoveMOptions,
) =>
  new Command<BlobString[] | null>(
    LMOVEM,
    moveSeveral('LMOVEM', source, destination, [sourceSide, destinationSide], options),
  );

const LMPOP = spec('LMPOP', { keys: numkeys(0) });
/** Takes elements from the first list that has any. Redis 7.0.0. */
export const lmPop = (keys: Variadic, from: ListSide, options?: LMPopOptions) =>
  new Command<[key: BlobString, elements: BlobString[]] | null>(LMPOP, popSeveral('LMPOP', keys, from, options));

const LPOP = spec('LPOP');
/** Takes the first element, or null. Redis 1.0.0. */
export const lPop = (key: RedisArgument) => new Command<BlobString | null>(LPOP, [key]);
/** Takes up to `count` elements from the start; null when there is no list. Redis 6.2.0. */
export const lPopCount = (key: RedisArgument, count: number) => new Command<BlobString[] | null>(LPOP, [key, count]);

export interface LPosOptions {
  /** Which match to return first: 1 the first, -1 the last. */
  RANK?: number;
  /** Compare at most so many elements; 0 = all. */
  MAXLEN?: number;
}
function positionArguments(key: RedisArgument, element: RedisArgument, options: LPosOptions | undefined): unknown[] {
  const args: unknown[] = [key, element];
  if (options?.RANK !== undefined) args.push('RANK', options.RANK);
  if (options?.MAXLEN !== undefined) args.push('MAXLEN', options.MAXLEN);
  return args;
}
const LPOS = spec('LPOS');
/** Index of an element, or null. Redis 6.0.6. */
export const lPos = (key: RedisArgument, element: RedisArgument, options?: LPosOptions) =>
  new Command<Integer | null>(LPOS, positionArguments(key, element, options));
/** Indexes of up to `count` matches (0 = all). Redis 6.0.6. */
export const lPosCount = (key: RedisArgument, element: RedisArgument, count: number, options?: LPosOptions) =>
  new Command<Integer[]>(LPOS, [...positionArguments(key, element, options), 'COUNT', count]);

const LPUSH = spec('LPUSH');
/** Puts elements at the start; resolves with the length. Redis 1.0.0. */
export const lPush = (key: RedisArgument, elements: Variadic) => new Command<Integer>(LPUSH, [key, ...list(elements)]);

const LPUSHX = spec('LPUSHX');
/** {@link lPush} if the list exists. Redis 2.2.0. */
export const lPushX = (key: RedisArgument, elements: Variadic) =>
  new Command<Integer>(LPUSHX, [key, ...list(elements)]);

const LRANGE = spec('LRANGE');
/**
 * Elements `start` to `stop`, both included, negative from the end. Redis 1.0.0.
 * @example
 * await client.lRange('jobs', 0, -1);
 */
export const lRange = (key: RedisArgument, start: number, stop: number) =>
  new Command<BlobString[]>(LRANGE, [key, start, stop]);

const LREM = spec('LREM');
/** Removes `count` equal elements: from the start, from the end when negative, all when 0. Redis 1.0.0. */
export const lRem = (key: RedisArgument, count: number, element: RedisArgument) =>
  new Command<Integer>(LREM, [key, count, element]);

const LSET = spec('LSET');
/** Replaces the element at `index`. Redis 1.0.0. */
export const lSet = (key: RedisArgument, index: number, element: RedisArgument) =>
  new Command<SimpleString<'OK'>>(LSET, [key, index, element]);

const LTRIM = spec('LTRIM');
/** Keeps only elements `start` to `stop`, both included. Redis 1.0.0. */
export const lTrim = (key: RedisArgument, start: number, stop: number) =>
  new Command<SimpleString<'OK'>>(LTRIM, [key, start, stop]);

const RPOP = spec('RPOP');
/** Takes the last element, or null. Redis 1.0.0. */
export const rPop = (key: RedisArgument) => new Command<BlobString | null>(RPOP, [key]);
/** Takes up to `count` elements from the end; null when there is no list. Redis 6.2.0. */
export const rPopCount = (key: RedisArgument, count: number) => new Command<BlobString[] | null>(RPOP, [key, count]);

const RPOPLPUSH = spec('RPOPLPUSH');
/** {@link lMove} from right to left. Redis 1.2.0. */
export const rPopLPush = (source: RedisArgument, destination: RedisArgument) =>
  new Command<BlobString | null>(RPOPLPUSH, [source, destination]);

const RPUSH = spec('RPUSH');
/** Puts elements at the end; resolves with the length. Redis 1.0.0. */
export const rPush = (key: RedisArgument, element: Variadic) => new Command<Integer>(RPUSH, [key, ...list(element)]);

const RPUSHX = spec('RPUSHX');
/** {@link rPush} if the list exists. Redis 2.2.0. */
export const rPushX = (key: RedisArgument, element: Variadic) => new Command<Integer>(RPUSHX, [key, ...list(element)]);

export const aliases = {
  lPopCount: 'LPOP_COUNT',
  lPosCount: 'LPOS_COUNT',
  rPopCount: 'RPOP_COUNT',
} as const;
