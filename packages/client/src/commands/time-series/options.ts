/** Options of time series commands as arguments. */
import { InvalidArgumentError } from '../../errors.js';
import type { RedisArgument } from '../../protocol/types.js';
import { list, type Variadic, word } from '../arguments.js';

export const TIME_SERIES_ENCODING = { COMPRESSED: 'COMPRESSED', UNCOMPRESSED: 'UNCOMPRESSED' } as const;
export type TimeSeriesEncoding = (typeof TIME_SERIES_ENCODING)[keyof typeof TIME_SERIES_ENCODING];

export const TIME_SERIES_DUPLICATE_POLICIES = {
  BLOCK: 'BLOCK',
  FIRST: 'FIRST',
  LAST: 'LAST',
  MIN: 'MIN',
  MAX: 'MAX',
  SUM: 'SUM',
} as const;
export type TimeSeriesDuplicatePolicies =
  (typeof TIME_SERIES_DUPLICATE_POLICIES)[keyof typeof TIME_SERIES_DUPLICATE_POLICIES];

export const TIME_SERIES_AGGREGATION_TYPE = {
  AVG: 'AVG',
  FIRST: 'FIRST',
  LAST: 'LAST',
  MIN: 'MIN',
  MAX: 'MAX',
  SUM: 'SUM',
  RANGE: 'RANGE',
  COUNT: 'COUNT',
  COUNT_NAN: 'COUNTNAN',
  COUNT_ALL: 'COUNTALL',
  STD_P: 'STD.P',
  STD_S: 'STD.S',
  VAR_P: 'VAR.P',
  VAR_S: 'VAR.S',
  TWA: 'TWA',
} as const;
export type TimeSeriesAggregationType =
  (typeof TIME_SERIES_AGGREGATION_TYPE)[keyof typeof TIME_SERIES_AGGREGATION_TYPE];

export const TIME_SERIES_REDUCERS = {
  AVG: 'AVG',
  SUM: 'SUM',
  MIN: 'MIN',
  MAX: 'MAX',
  RANGE: 'RANGE',
  COUNT: 'COUNT',
  COUNTNAN: 'COUNTNAN',
  COUNTALL: 'COUNTALL',
  STD_P: 'STD.P',
  STD_S: 'STD.S',
  VAR_P: 'VAR.P',
  VAR_S: 'VAR.S',
} as const;
export type TimeSeriesReducer = (typeof TIME_SERIES_REDUCERS)[keyof typeof TIME_SERIES_REDUCERS];

export const TIME_SERIES_BUCKET_TIMESTAMP = { LOW: '-', MIDDLE: '~', END: '+' } as const;
export type TimeSeriesBucketTimestamp =
  (typeof TIME_SERIES_BUCKET_TIMESTAMP)[keyof typeof TIME_SERIES_BUCKET_TIMESTAMP];

export const TS_READ_TIMESTAMP = { EARLIEST: '-', LATEST: '+', NEW: '$' } as const;

/** Unix milliseconds, a Date, or one of `-` (earliest), `+` (latest), `*` (the server's clock), `$` (new). */
export type Timestamp = number | Date | string;

/** Text passes only when it is a timestamp, so that it cannot be taken for an option. */
export function timestamp(command: string, value: Timestamp): string | number {
  if (value instanceof Date) return value.getTime();
  if (typeof value === 'string' && !/^(?:[-+*$]|\d+)$/.test(value))
    throw new InvalidArgumentError(command, 'timestamp', 'is not a number of milliseconds, nor -, +, * or $');
  return value;
}

export type Labels = Readonly<Record<string, string>>;
export interface TsIgnoreOptions {
  /** Milliseconds. */
  maxTimeDiff: number;
  maxValDiff: number;
}
export interface SeriesOptions {
  /** How long samples are kept, in milliseconds; 0 = for ever. */
  RETENTION?: number;
  ENCODING?: TimeSeriesEncoding;
  /** Bytes of a chunk. */
  CHUNK_SIZE?: number;
  DUPLICATE_POLICY?: TimeSeriesDuplicatePolicies;
  ON_DUPLICATE?: TimeSeriesDuplicatePolicies;
  LABELS?: Labels;
  /** Samples that differ by no more than this are dropped. */
  IGNORE?: TsIgnoreOptions;
}
const ENCODINGS = Object.values(TIME_SERIES_ENCODING);
const POLICIES = Object.values(TIME_SERIES_DUPLICATE_POLICIES);
const AGGREGATIONS = Object.values(TIME_SERIES_AGGREGATION_TYPE);
const REDUCERS = Object.values(TIME_SERIES_REDUCERS);
const BUCKET_TIMESTAMPS = Object.values(TIME_SERIES_BUCKET_TIMESTAMP);

/** How a series is kept. Labels come last: they take all that follows. */
export function pushSeriesOptions(args: unknown[], command: string, options: SeriesOptions | undefined): void {
  if (options === undefined) return;
  if (options.RETENTION !== undefined) args.push('RETENTION', options.RETENTION);
  if (options.ENCODING !== undefined) args.push('ENCODING', word(command, 'ENCODING', options.ENCODING, ENCODINGS));
  if (options.CHUNK_SIZE !== undefined) args.push('CHUNK_SIZE', options.CHUNK_SIZE);
  for (const name of ['DUPLICATE_POLICY', 'ON_DUPLICATE'] as const)
    if (options[name] !== undefined) args.push(name, word(command, name, options[name], POLICIES));
  if (options.IGNORE !== undefined) args.push('IGNORE', options.IGNORE.maxTimeDiff, options.IGNORE.maxValDiff);
  if (options.LABELS !== undefined) args.push('LABELS', ...Object.entries(options.LABELS).flat());
}

export const aggregation = (command: string, type: TimeSeriesAggregationType): string =>
  word(command, 'AGGREGATION', type, AGGREGATIONS);

export interface TsRangeCommonOptions {
  /** Also the bucket of a compaction that is not complete yet. */
  LATEST?: boolean;
  FILTER_BY_TS?: readonly Timestamp[];
  /** Both included. */
  FILTER_BY_VALUE?: { min: number; max: number };
  /** Samples, of each series. */
  COUNT?: number;
  /** Where buckets begin. */
  ALIGN?: Timestamp;
}
interface Buckets {
  /** Milliseconds of a bucket. */
  timeBucket: Timestamp;
  /** Which time stands for a bucket. */
  BUCKETTIMESTAMP?: TimeSeriesBucketTimestamp;
  /** Buckets without samples too. */
  EMPTY?: boolean;
}
export interface TsRangeOptions extends TsRangeCommonOptions {
  AGGREGATION?: Buckets & { type: TimeSeriesAggregationType };
}
export type TimeSeriesAggregationTypeList = readonly [TimeSeriesAggregationType, ...TimeSeriesAggregationType[]];
export interface TsRangeMultiAggrOptions extends TsRangeCommonOptions {
  AGGREGATION: Buckets & { types: TimeSeriesAggregationTypeList };
}
export interface TsNRangeOptions extends TsRangeCommonOptions {
  /** For each series the aggregations of its samples. */
  AGGREGATION?: Buckets & { types: readonly [TimeSeriesAggregationTypeList, ...TimeSeriesAggregationTypeList[]] };
}
export interface TsMRangeOptions extends TsRangeOptions {
  /** Leave out series without samples. */
  EXCLUDEEMPTY?: boolean;
}
export interface TsMRangeMultiAggrOptions extends TsRangeMultiAggrOptions {
  EXCLUDEEMPTY?: boolean;
}

type AnyRangeOptions = TsRangeOptions | TsRangeMultiAggrOptions | TsNRangeOptions;

/** From, to, and what they are cut and put together by. */
export function rangeArguments(
  command: string,
  from: Timestamp,
  to: Timestamp,
  options: AnyRangeOptions | undefined,
): unknown[] {
  const args: unknown[] = [timestamp(command, from), timestamp(command, to)];
  if (options === undefined) return args;
  if (options.LATEST) args.push('LATEST');
  if (options.FILTER_BY_TS !== undefined)
    args.push('FILTER_BY_TS', ...options.FILTER_BY_TS.map((at) => timestamp(command, at)));
  if (options.FILTER_BY_VALUE !== undefined)
    args.push('FILTER_BY_VALUE', options.FILTER_BY_VALUE.min, options.FILTER_BY_VALUE.max);
  if (options.COUNT !== undefined) args.push('COUNT', options.COUNT);
  if (options.AGGREGATION === undefined) return args;
  if (options.ALIGN !== undefined) args.push('ALIGN', timestamp(command, options.ALIGN));
  const { timeBucket, BUCKETTIMESTAMP, EMPTY } = options.AGGREGATION;
  args.push('AGGREGATION', ...aggregations(command, options.AGGREGATION), timestamp(command, timeBucket));
  if (BUCKETTIMESTAMP !== undefined)
    args.push('BUCKETTIMESTAMP', word(command, 'BUCKETTIMESTAMP', BUCKETTIMESTAMP, BUCKET_TIMESTAMPS));
  if (EMPTY) args.push('EMPTY');
  return args;
}

/** One; several for one series, with commas; or, for several series, one such list each. */
function aggregations(command: string, given: NonNullable<AnyRangeOptions['AGGREGATION']>): string[] {
  if ('type' in given) return [aggregation(command, given.type)];
  const join = (types: readonly TimeSeriesAggregationType[]) =>
    types.map((type) => aggregation(command, type)).join(',');
  const isList = (types: typeof given.types): types is TimeSeriesAggregationTypeList => typeof types[0] === 'string';
  return isList(given.types) ? [join(given.types)] : given.types.map(join);
}

/** Label expressions; each has its `=`, so that none can be taken for the option after them. */
export function filterArguments(command: string, filter: Variadic): unknown[] {
  const expressions = list(filter);
  if (expressions.length === 0 || expressions.some((expression) => !String(expression).includes('=')))
    throw new InvalidArgumentError(command, 'filter', "must be label expressions such as 'area=32'");
  return expressions;
}

export interface TsMRangeGroupBy {
  label: RedisArgument;
  REDUCE: TimeSeriesReducer;
}
export const groupByArguments = (command: string, { label, REDUCE }: TsMRangeGroupBy): unknown[] => [
  'GROUPBY',
  label,
  'REDUCE',
  word(command, 'REDUCE', REDUCE, REDUCERS),
];
