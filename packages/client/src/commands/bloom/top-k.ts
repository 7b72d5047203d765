/** The most frequent items, `client.topK`: part of Redis 8. https://redis.io/docs/latest/commands/?group=topk */
import type { BlobString, Double, FieldsOf, Integer, RedisArgument, SimpleString } from '../../protocol/types.js';
import { list as asList, type Variadic } from '../arguments.js';
import { Command, spec } from '../command.js';
import { asBooleans } from '../readers.js';
import { doubleShape, record, resp2 } from '../shapes.js';

const ADD = spec('TOPK.ADD');
/** Counts items; for each the item that fell off the list, or null. RedisBloom 2.0.0. */
export const add = (key: RedisArgument, items: Variadic) =>
  new Command<(BlobString | null)[]>(ADD, [key, ...asList(items)]);

const COUNT = spec('TOPK.COUNT');
/** @deprecated since RedisBloom 2.4 */
export const count = (key: RedisArgument, items: Variadic) => new Command<Integer[]>(COUNT, [key, ...asList(items)]);

export interface TopKIncrByItem {
  item: RedisArgument;
  incrementBy: number;
}
const INCRBY = spec('TOPK.INCRBY');
/** Counts items by more than one; for each the item that fell off the list, or null. RedisBloom 2.0.0. */
export const incrBy = (key: RedisArgument, items: Variadic<TopKIncrByItem>) =>
  new Command<(SimpleString | null)[]>(INCRBY, [
    key,
    ...(asList(items) as TopKIncrByItem[]).flatMap(({ item, incrementBy }) => [item, incrementBy]),
  ]);

const INFO = spec('TOPK.INFO', { read: resp2(record({ decay: doubleShape })) });
/** How the list is made. RedisBloom 2.0.0. */
export const info = (key: RedisArgument) =>
  new Command<FieldsOf<{ k: Integer; width: Integer; depth: Integer; decay: Double }>>(INFO, [key]);

const LIST = spec('TOPK.LIST');
/** The items, most frequent first. RedisBloom 2.0.0. */
export const list = (key: RedisArgument) => new Command<BlobString[]>(LIST, [key]);

const LIST_WITHCOUNT = spec('TOPK.LIST', {
  read: (reply: unknown[]) =>
    Array.from({ length: reply.length >> 1 }, (_, i) => ({ item: reply[2 * i], count: reply[2 * i + 1] })),
});
/** The items and their counts, most frequent first. RedisBloom 2.0.0. */
export const listWithCount = (key: RedisArgument) =>
  new Command<{ item: BlobString; count: Integer }[]>(LIST_WITHCOUNT, [key, 'WITHCOUNT']);

const QUERY = spec('TOPK.QUERY', { read: asBooleans });
/** Whether items are on the list. RedisBloom 2.0.0. */
export const query = (key: RedisArgument, items: Variadic) => new Command<boolean[]>(QUERY, [key, ...asList(items)]);

export interface TopKReserveOptions {
  width: number;
  depth: number;
  /** Probability that a rarer item's count falls, 0 to 1. */
  decay: number;
}
const RESERVE = spec('TOPK.RESERVE');
/** Creates a list of `topK` items. RedisBloom 2.0.0. */
export const reserve = (key: RedisArgument, topK: number, options?: TopKReserveOptions) =>
  new Command<SimpleString<'OK'>>(
    RESERVE,
    options === undefined ? [key, topK] : [key, topK, options.width, options.depth, options.decay],
  );

export const aliases = { listWithCount: 'LIST_WITHCOUNT' } as const;
