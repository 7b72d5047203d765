/** Cuckoo filters, `client.cf`: part of Redis 8. https://redis.io/docs/latest/commands/?group=cf */
import type { BlobString, FieldsOf, Integer, RedisArgument, SimpleString } from '../../protocol/types.js';
import { list, type Variadic } from '../arguments.js';
import { Command, spec } from '../command.js';
import { asBoolean, asBooleans } from '../readers.js';
import { record, resp2 } from '../shapes.js';

const ADD = spec('CF.ADD', { read: asBoolean });
/** Adds an item, also once more. RedisBloom 1.0.0. */
export const add = (key: RedisArgument, item: RedisArgument) => new Command<boolean>(ADD, [key, item]);

const ADDNX = spec('CF.ADDNX', { read: asBoolean });
/** Adds an item if it is not there. RedisBloom 1.0.0. */
export const addNX = (key: RedisArgument, item: RedisArgument) => new Command<boolean>(ADDNX, [key, item]);

const COUNT = spec('CF.COUNT');
/** How often an item may be there, never too low. RedisBloom 1.0.0. */
export const count = (key: RedisArgument, item: RedisArgument) => new Command<Integer>(COUNT, [key, item]);

const DEL = spec('CF.DEL', { read: asBoolean });
/** Deletes an item once. Deleting what was never added harms other items. RedisBloom 1.0.0. */
export const del = (key: RedisArgument, item: RedisArgument) => new Command<boolean>(DEL, [key, item]);

const EXISTS = spec('CF.EXISTS', { read: asBoolean });
/** False: certainly not there. True: probably. RedisBloom 1.0.0. */
export const exists = (key: RedisArgument, item: RedisArgument) => new Command<boolean>(EXISTS, [key, item]);

const MEXISTS = spec('CF.MEXISTS', { read: asBooleans });
/** {@link exists} for several items. RedisBloom 1.0.0. */
export const mExists = (key: RedisArgument, items: Variadic) => new Command<boolean[]>(MEXISTS, [key, ...list(items)]);

export type CfInfoReply = FieldsOf<{
  /** Bytes. */
  Size: Integer;
  'Number of buckets': Integer;
  'Number of filters': Integer;
  'Number of items inserted': Integer;
  'Number of items deleted': Integer;
  'Bucket size': Integer;
  'Expansion rate': Integer;
  'Max iterations': Integer;
}>;
const INFO = spec('CF.INFO', { read: resp2(record()) });
/** How the filter is made and filled. RedisBloom 1.0.0. */
export const info = (key: RedisArgument) => new Command<CfInfoReply>(INFO, [key]);

export interface CfInsertOptions {
  CAPACITY?: number;
  NOCREATE?: boolean;
}
function insertArguments(key: RedisArgument, items: Variadic, options: CfInsertOptions | undefined): unknown[] {
  const args: unknown[] = [key];
  if (options?.CAPACITY !== undefined) args.push('CAPACITY', options.CAPACITY);
  if (options?.NOCREATE) args.push('NOCREATE');
  args.push('ITEMS', ...list(items));
  return args;
}
const INSERT = spec('CF.INSERT', { read: asBooleans });
/** Adds items and creates the filter if needed. RedisBloom 1.0.0. */
export const insert = (key: RedisArgument, items: Variadic, options?: CfInsertOptions) =>
  new Command<boolean[]>(INSERT, insertArguments(key, items, options));

const INSERTNX = spec('CF.INSERTNX');
/** Adds items that are not there: 1 added, 0 there already, -1 the filter is full. RedisBloom 1.0.0. */
export const insertNX = (key: RedisArgument, items: Variadic, options?: CfInsertOptions) =>
  new Command<Integer<-1 | 0 | 1>[]>(INSERTNX, insertArguments(key, items, options));

const LOADCHUNK = spec('CF.LOADCHUNK');
/** Restores a part of what {@link scanDump} gave. RedisBloom 1.0.0. */
export const loadChunk = (key: RedisArgument, iterator: number, chunk: RedisArgument) =>
  new Command<SimpleString<'OK'>>(LOADCHUNK, [key, iterator, chunk]);

export interface CfReserveOptions {
  BUCKETSIZE?: number;
  MAXITERATIONS?: number;
  EXPANSION?: number;
}
const RESERVE = spec('CF.RESERVE');
/** Creates a filter for `capacity` items. RedisBloom 1.0.0. */
export function reserve(key: RedisArgument, capacity: number, options?: CfReserveOptions): Command<SimpleString<'OK'>> {
  const args: unknown[] = [key, capacity];
  if (options?.BUCKETSIZE !== undefined) args.push('BUCKETSIZE', options.BUCKETSIZE);
  if (options?.MAXITERATIONS !== undefined) args.push('MAXITERATIONS', options.MAXITERATIONS);
  if (options?.EXPANSION !== undefined) args.push('EXPANSION', options.EXPANSION);
  return new Command(RESERVE, args);
}

const SCANDUMP = spec('CF.SCANDUMP', { read: ([iterator, chunk]: [unknown, unknown]) => ({ iterator, chunk }) });
/** A part of the filter, from iterator 0 until it is 0 again; read it under a Buffer mapping. RedisBloom 1.0.0. */
export const scanDump = (key: RedisArgument, iterator: number) =>
  new Command<{ iterator: Integer; chunk: BlobString | null }>(SCANDUMP, [key, iterator]);
