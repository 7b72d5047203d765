/** Quantiles of a stream of numbers, `client.tDigest`: part of Redis 8. https://redis.io/docs/latest/commands/?group=tdigest */
import type { Double, FieldsOf, Integer, RedisArgument, SimpleString } from '../../protocol/types.js';
import { double, pushCounted, type Variadic } from '../arguments.js';
import { Command, numkeys, spec } from '../command.js';
import { asDouble, asDoubles } from '../readers.js';
import { record, resp2 } from '../shapes.js';

type Ok = SimpleString<'OK'>;
const numbers = (key: RedisArgument, values: readonly number[]): unknown[] => [key, ...values.map(double)];

const ADD = spec('TDIGEST.ADD');
/** Adds observations. RedisBloom 2.4.0. */
export const add = (key: RedisArgument, values: readonly number[]) => new Command<Ok>(ADD, numbers(key, values));

const BYRANK = spec('TDIGEST.BYRANK', { read: asDoubles });
/** The values at these ranks, 0 = smallest. RedisBloom 2.4.0. */
export const byRank = (key: RedisArgument, ranks: readonly number[]) =>
  new Command<Double[]>(BYRANK, numbers(key, ranks));

const BYREVRANK = spec('TDIGEST.BYREVRANK', { read: asDoubles });
/** The values at these ranks, 0 = largest. RedisBloom 2.4.0. */
export const byRevRank = (key: RedisArgument, ranks: readonly number[]) =>
  new Command<Double[]>(BYREVRANK, numbers(key, ranks));

const CDF = spec('TDIGEST.CDF', { read: asDoubles });
/** For each value the share of observations that are not larger. RedisBloom 2.4.0. */
export const cdf = (key: RedisArgument, values: readonly number[]) => new Command<Double[]>(CDF, numbers(key, values));

export interface TDigestCreateOptions {
  /** Precision against memory; default 100. */
  COMPRESSION?: number;
}
const CREATE = spec('TDIGEST.CREATE');
/** Creates a sketch. RedisBloom 2.4.0. */
export const create = (key: RedisArgument, options?: TDigestCreateOptions) =>
  new Command<Ok>(CREATE, options?.COMPRESSION === undefined ? [key] : [key, 'COMPRESSION', options.COMPRESSION]);

export type TDigestInfoReply = FieldsOf<{
  Compression: Integer;
  Capacity: Integer;
  'Merged nodes': Integer;
  'Unmerged nodes': Integer;
  'Merged weight': Integer;
  'Unmerged weight': Integer;
  Observations: Integer;
  'Total compressions': Integer;
  /** Bytes. */
  'Memory usage': Integer;
}>;
const INFO = spec('TDIGEST.INFO', { read: resp2(record()) });
/** How the sketch is made and filled. RedisBloom 2.4.0. */
export const info = (key: RedisArgument) => new Command<TDigestInfoReply>(INFO, [key]);

const MAX = spec('TDIGEST.MAX', { read: asDouble });
/** The largest observation; NaN when there is none. RedisBloom 2.4.0. */
export const max = (key: RedisArgument) => new Command<Double>(MAX, [key]);

export interface TDigestMergeOptions extends TDigestCreateOptions {
  /** Replace what the destination holds. */
  OVERRIDE?: boolean;
}
const MERGE = spec('TDIGEST.MERGE', { keys: numkeys(1, 0) });
/** Merges sketches. RedisBloom 2.4.0. */
export function merge(destination: RedisArgument, source: Variadic, options?: TDigestMergeOptions): Command<Ok> {
  const args: unknown[] = [destination];
  pushCounted(args, source);
  if (options?.COMPRESSION !== undefined) args.push('COMPRESSION', options.COMPRESSION);
  if (options?.OVERRIDE) args.push('OVERRIDE');
  return new Command(MERGE, args);
}

const MIN = spec('TDIGEST.MIN', { read: asDouble });
/** The smallest observation; NaN when there is none. RedisBloom 2.4.0. */
export const min = (key: RedisArgument) => new Command<Double>(MIN, [key]);

const QUANTILE = spec('TDIGEST.QUANTILE', { read: asDoubles });
/** The values below which these shares (0 to 1) of the observations lie. RedisBloom 2.4.0. */
export const quantile = (key: RedisArgument, quantiles: readonly number[]) =>
  new Command<Double[]>(QUANTILE, numbers(key, quantiles));

const RANK = spec('TDIGEST.RANK');
/** How many observations are smaller than each value; -1 when all are larger. RedisBloom 2.4.0. */
export const rank = (key: RedisArgument, values: readonly number[]) =>
  new Command<Integer[]>(RANK, numbers(key, values));

const RESET = spec('TDIGEST.RESET');
/** Empties the sketch. RedisBloom 2.4.0. */
export const reset = (key: RedisArgument) => new Command<Ok>(RESET, [key]);

const REVRANK = spec('TDIGEST.REVRANK');
/** How many observations are larger than each value. RedisBloom 2.4.0. */
export const revRank = (key: RedisArgument, values: readonly number[]) =>
  new Command<Integer[]>(REVRANK, numbers(key, values));

const TRIMMED_MEAN = spec('TDIGEST.TRIMMED_MEAN', { read: asDouble });
/** Mean of the observations between two quantiles (0 to 1). RedisBloom 2.4.0. */
export const trimmedMean = (key: RedisArgument, lowCut: number, highCut: number) =>
  new Command<Double>(TRIMMED_MEAN, [key, lowCut, highCut]);

export const aliases = { trimmedMean: 'TRIMMED_MEAN' } as const;
