/** Bloom filters, `client.bf`: part of Redis 8. https://redis.io/docs/latest/commands/?group=bf */
import type { BlobString, FieldsOf, Integer, RedisArgument, SimpleString } from '../../protocol/types.js';
import { list, type Variadic } from '../arguments.js';
import { Command, spec } from '../command.js';
import { asBoolean, asBooleans } from '../readers.js';
import { record, resp2 } from '../shapes.js';

const ADD = spec('BF.ADD', { read: asBoolean });
/** Adds an item; true if it was not there. RedisBloom 1.0.0. */
export const add = (key: RedisArgument, item: RedisArgument) => new Command<boolean>(ADD, [key, item]);

const CARD = spec('BF.CARD');
/** How many items were added. RedisBloom 2.4.4. */
export const card = (key: RedisArgument) => new Command<Integer>(CARD, [key]);

const EXISTS = spec('BF.EXISTS', { read: asBoolean });
/** False: certainly not there. True: probably. RedisBloom 1.0.0. */
export const exists = (key: RedisArgument, item: RedisArgument) => new Command<boolean>(EXISTS, [key, item]);

export type BfInfoReply = FieldsOf<{
  Capacity: Integer;
  /** Bytes. */
  Size: Integer;
  'Number of filters': Integer;
  'Number of items inserted': Integer;
  'Expansion rate': Integer | null;
}>;
const INFO = spec('BF.INFO', { read: resp2(record()) });
/** How the filter is made and filled. RedisBloom 1.0.0. */
export const info = (key: RedisArgument) => new Command<BfInfoReply>(INFO, [key]);

export interface BfInsertOptions {
  CAPACITY?: number;
  /** Wanted rate of false positives, between 0 and 1. */
  ERROR?: number;
  EXPANSION?: number;
  NOCREATE?: boolean;
  NONSCALING?: boolean;
}
const INSERT = spec('BF.INSERT', { read: asBooleans });
/** Adds items and creates the filter if needed; true for each that was not there. RedisBloom 1.0.0. */
export function insert(key: RedisArgument, items: Variadic, options?: BfInsertOptions): Command<boolean[]> {
  const args: unknown[] = [key];
  if (options?.CAPACITY !== undefined) args.push('CAPACITY', options.CAPACITY);
  if (options?.ERROR !== undefined) args.push('ERROR', options.ERROR);
  if (options?.EXPANSION !== undefined) args.push('EXPANSION', options.EXPANSION);
  if (options?.NOCREATE) args.push('NOCREATE');
  if (options?.NONSCALING) args.push('NONSCALING');
  args.push('ITEMS', ...list(items));
  return new Command(INSERT, args);
}

const LOADCHUNK = spec('BF.LOADCHUNK');
/** Restores a part of what {@link scanDump} gave. RedisBloom 1.0.0. */
export const loadChunk = (key: RedisArgument, iterator: number, chunk: RedisArgument) =>
  new Command<SimpleString<'OK'>>(LOADCHUNK, [key, iterator, chunk]);

const MADD = spec('BF.MADD', { read: asBooleans });
/** Adds items; true for each that was not there. RedisBloom 1.0.0. */
export const mAdd = (key: RedisArgument, items: Variadic) => new Command<boolean[]>(MADD, [key, ...list(items)]);

const MEXISTS = spec('BF.MEXISTS', { read: asBooleans });
/** {@link exists} for several items. RedisBloom 1.0.0. */
export const mExists = (key: RedisArgument, items: Variadic) => new Command<boolean[]>(MEXISTS, [key, ...list(items)]);

export interface BfReserveOptions {
  EXPANSION?: number;
  NONSCALING?: boolean;
}
const RESERVE = spec('BF.RESERVE');
/** Creates a filter for `capacity` items and a rate of false positives between 0 and 1. RedisBloom 1.0.0. */
export function reserve(
  key: RedisArgument,
  errorRate: number,
  capacity: number,
  options?: BfReserveOptions,
): Command<SimpleString<'OK'>> {
  const args: unknown[] = [key, errorRate, capacity];
  if (options?.EXPANSION !== undefined) args.push('EXPANSION', options.EXPANSION);
  if (options?.NONSCALING) args.push('NONSCALING');
  return new Command(RESERVE, args);
}

const SCANDUMP = spec('BF.SCANDUMP', { read: ([iterator, chunk]: [unknown, unknown]) => ({ iterator, chunk }) });
/** A part of the filter, from iterator 0 until it is 0 again; read it under a Buffer mapping. RedisBloom 1.0.0. */
export const scanDump = (key: RedisArgument, iterator: number) =>
  new Command<{ iterator: Integer; chunk: BlobString | null }>(SCANDUMP, [key, iterator]);
