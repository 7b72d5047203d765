/** Count-min sketches, `client.cms`: part of Redis 8. https://redis.io/docs/latest/commands/?group=cms */
import type { FieldsOf, Integer, RedisArgument, SimpleString } from '../../protocol/types.js';
import { list, type Variadic } from '../arguments.js';
import { Command, numkeys, spec } from '../command.js';
import { record, resp2 } from '../shapes.js';

export interface CmsIncrByItem {
  item: RedisArgument;
  incrementBy: number;
}
const INCRBY = spec('CMS.INCRBY');
/** Counts items; resolves with their counts now. RedisBloom 2.0.0. */
export const incrBy = (key: RedisArgument, items: Variadic<CmsIncrByItem>) =>
  new Command<Integer[]>(INCRBY, [
    key,
    ...(list(items) as CmsIncrByItem[]).flatMap(({ item, incrementBy }) => [item, incrementBy]),
  ]);

const INFO = spec('CMS.INFO', { read: resp2(record()) });
/** Size, and the sum of all counts. RedisBloom 2.0.0. */
export const info = (key: RedisArgument) =>
  new Command<FieldsOf<{ width: Integer; depth: Integer; count: Integer }>>(INFO, [key]);

const INITBYDIM = spec('CMS.INITBYDIM');
/** Creates a sketch of this size. RedisBloom 2.0.0. */
export const initByDim = (key: RedisArgument, width: number, depth: number) =>
  new Command<SimpleString<'OK'>>(INITBYDIM, [key, width, depth]);

const INITBYPROB = spec('CMS.INITBYPROB');
/** Creates a sketch by its error (share of all counts) and the probability of a larger one. RedisBloom 2.0.0. */
export const initByProb = (key: RedisArgument, error: number, probability: number) =>
  new Command<SimpleString<'OK'>>(INITBYPROB, [key, error, probability]);

export type CmsMergeSketches =
  | readonly RedisArgument[]
  | readonly { readonly name: RedisArgument; readonly weight: number }[];
const MERGE = spec('CMS.MERGE', { keys: numkeys(1, 0) });
/** Adds sketches up, weighted or not, into one of the same size. RedisBloom 2.0.0. */
export function merge(destination: RedisArgument, source: CmsMergeSketches): Command<SimpleString<'OK'>> {
  const args: unknown[] = [destination, source.length];
  const weights: number[] = [];
  for (const sketch of source) {
    if (typeof sketch === 'string' || Buffer.isBuffer(sketch)) args.push(sketch);
    else {
      args.push(sketch.name);
      weights.push(sketch.weight);
    }
  }
  if (weights.length > 0) args.push('WEIGHTS', ...weights);
  return new Command(MERGE, args);
}

const QUERY = spec('CMS.QUERY');
/** Counts of items, never too low. RedisBloom 2.0.0. */
export const query = (key: RedisArgument, items: Variadic) => new Command<Integer[]>(QUERY, [key, ...list(items)]);
