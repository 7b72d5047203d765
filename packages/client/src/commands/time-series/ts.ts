/**
 * Time series, `client.ts`: part of Redis 8, before that the module RedisTimeSeries.
 * https://redis.io/docs/latest/commands/?group=timeseries
 */
import type { ErrorReply } from '../../errors.js';
import type { BlobString, Double, Integer, MapOf, RedisArgument, SetOf, SimpleString } from '../../protocol/types.js';
import { list, pushCounted, type Variadic } from '../arguments.js';
import { Command, Flag, numkeys, spec } from '../command.js';
import { toDouble } from '../readers.js';
import { entriesOf } from '../shapes.js';
import {
  aggregation,
  filterArguments,
  pushSeriesOptions,
  rangeArguments,
  type SeriesOptions,
  type TimeSeriesAggregationType,
  type TimeSeriesDuplicatePolicies,
  type Timestamp,
  type TsNRangeOptions,
  type TsRangeMultiAggrOptions,
  type TsRangeOptions,
  timestamp,
} from './options.js';
import {
  bySeries,
  type LabelMap,
  multiSamplesOf,
  pivotSamplesOf,
  reading,
  type Sample,
  type Samples,
  sampleOf,
  samplesOf,
} from './samples.js';

type Ok = SimpleString<'OK'>;

export type TsAddOptions = Omit<SeriesOptions, 'DUPLICATE_POLICY'>;
const ADD = spec('TS.ADD');
/**
 * Adds a sample and creates the series if needed; resolves with its timestamp. RedisTimeSeries 1.0.0.
 * @example
 * await client.ts.add('temperature:1', '*', 21.5, { LABELS: { room: 'kitchen' } });
 */
export function add(key: RedisArgument, at: Timestamp, value: number, options?: TsAddOptions): Command<Integer> {
  const args: unknown[] = [key, timestamp('TS.ADD', at), value];
  pushSeriesOptions(args, 'TS.ADD', options);
  return new Command(ADD, args);
}

export type TsAlterOptions = Omit<SeriesOptions, 'ENCODING' | 'ON_DUPLICATE'>;
const ALTER = spec('TS.ALTER');
/** Changes how a series is kept. RedisTimeSeries 1.0.0. */
export function alter(key: RedisArgument, options?: TsAlterOptions): Command<Ok> {
  const args: unknown[] = [key];
  pushSeriesOptions(args, 'TS.ALTER', options);
  return new Command(ALTER, args);
}

export type TsCreateOptions = Omit<SeriesOptions, 'ON_DUPLICATE'>;
const CREATE = spec('TS.CREATE');
/** Creates a series. RedisTimeSeries 1.0.0. */
export function create(key: RedisArgument, options?: TsCreateOptions): Command<Ok> {
  const args: unknown[] = [key];
  pushSeriesOptions(args, 'TS.CREATE', options);
  return new Command(CREATE, args);
}

const CREATERULE = spec('TS.CREATERULE');
/** Keeps an aggregation of one series in another, by buckets of milliseconds. RedisTimeSeries 1.0.0. */
export function createRule(
  sourceKey: RedisArgument,
  destinationKey: RedisArgument,
  aggregationType: TimeSeriesAggregationType,
  bucketDuration: number,
  alignTimestamp?: number,
): Command<Ok> {
  const type = aggregation('TS.CREATERULE', aggregationType);
  const args: unknown[] = [sourceKey, destinationKey, 'AGGREGATION', type, bucketDuration];
  if (alignTimestamp !== undefined) args.push(alignTimestamp);
  return new Command(CREATERULE, args);
}

export interface TsIncrByOptions {
  TIMESTAMP?: Timestamp;
  RETENTION?: number;
  UNCOMPRESSED?: boolean;
  CHUNK_SIZE?: number;
  LABELS?: SeriesOptions['LABELS'];
  IGNORE?: SeriesOptions['IGNORE'];
}
function incrArguments(command: string, key: RedisArgument, value: number, options: TsIncrByOptions = {}): unknown[] {
  const { TIMESTAMP, UNCOMPRESSED, ...series } = options;
  const args: unknown[] = [key, value];
  if (TIMESTAMP !== undefined) args.push('TIMESTAMP', timestamp(command, TIMESTAMP));
  if (UNCOMPRESSED) args.push('UNCOMPRESSED');
  pushSeriesOptions(args, command, series);
  return args;
}
const DECRBY = spec('TS.DECRBY');
/** Adds a sample that is the last one less `value`. RedisTimeSeries 1.0.0. */
export const decrBy = (key: RedisArgument, value: number, options?: TsIncrByOptions) =>
  new Command<Integer>(DECRBY, incrArguments('TS.DECRBY', key, value, options));
const INCRBY = spec('TS.INCRBY');
/** Adds a sample that is the last one plus `value`. RedisTimeSeries 1.0.0. */
export const incrBy = (key: RedisArgument, value: number, options?: TsIncrByOptions) =>
  new Command<Integer>(INCRBY, incrArguments('TS.INCRBY', key, value, options));

const DEL = spec('TS.DEL');
/** Deletes samples from `from` to `to`, both included; resolves with how many. RedisTimeSeries 1.6.0. */
export const del = (key: RedisArgument, from: Timestamp, to: Timestamp) =>
  new Command<Integer>(DEL, [key, timestamp('TS.DEL', from), timestamp('TS.DEL', to)]);

const DELETERULE = spec('TS.DELETERULE');
/** Ends {@link createRule}. RedisTimeSeries 1.0.0. */
export const deleteRule = (sourceKey: RedisArgument, destinationKey: RedisArgument) =>
  new Command<Ok>(DELETERULE, [sourceKey, destinationKey]);

export interface TsGetOptions {
  /** Also the bucket of a compaction that is not complete yet. */
  LATEST?: boolean;
}
const GET = spec('TS.GET', { read: reading(sampleOf) });
/** The last sample; null when there is none. RedisTimeSeries 1.0.0. */
export const get = (key: RedisArgument, options?: TsGetOptions) =>
  new Command<Sample | null>(GET, options?.LATEST ? [key, 'LATEST'] : [key]);

export interface TsInfoReply {
  totalSamples: Integer;
  /** Bytes. */
  memoryUsage: Integer;
  firstTimestamp: Integer;
  lastTimestamp: Integer;
  retentionTime: Integer;
  chunkCount: Integer;
  chunkSize: Integer;
  chunkType: SimpleString;
  duplicatePolicy: TimeSeriesDuplicatePolicies | null;
  labels: { name: BlobString; value: BlobString }[];
  sourceKey: BlobString | null;
  rules: { key: BlobString; timeBucket: Integer; aggregationType: SimpleString }[];
  ignoreMaxTimeDiff: Integer;
  ignoreMaxValDiff: Double;
}
export interface TsInfoDebugReply extends TsInfoReply {
  keySelfName: BlobString;
  chunks: {
    startTimestamp: Integer;
    endTimestamp: Integer;
    samples: Integer;
    /** Bytes. */
    size: Integer;
    bytesPerSample: string;
  }[];
}
/** `[name, …rest]` for each, from RESP2's list of lists and from RESP3's map. */
const tuples = (reply: unknown): unknown[][] =>
  Array.isArray(reply) && (reply.length === 0 || Array.isArray(reply[0]))
    ? reply
    : entriesOf(reply).map(([name, rest]) => [name, ...(Array.isArray(rest) ? rest : [rest])]);
const readInfo: (reply: unknown, preserve: unknown, mapping: Parameters<typeof toDouble>[1]) => unknown = (
  reply,
  _,
  mapping,
) => {
  const info: Record<string, unknown> = {};
  for (const [name, value] of entriesOf(reply)) {
    if (name === 'labels') info.labels = tuples(value).map(([label, text]) => ({ name: label, value: text }));
    else if (name === 'rules')
      info.rules = tuples(value).map(([key, timeBucket, aggregationType]) => ({ key, timeBucket, aggregationType }));
    else if (name === 'ignoreMaxValDiff') info[name] = toDouble(value as string | number, mapping);
    else if (name === 'Chunks') info.chunks = (value as unknown[]).map(readChunk);
    else if (INFO_FIELDS.has(name)) info[name] = value;
  }
  return info;
};
const INFO_FIELDS = new Set([
  'totalSamples',
  'memoryUsage',
  'firstTimestamp',
  'lastTimestamp',
  'retentionTime',
  'chunkCount',
  'chunkSize',
  'chunkType',
  'duplicatePolicy',
  'sourceKey',
  'ignoreMaxTimeDiff',
  'keySelfName',
]);
function readChunk(reply: unknown): object {
  const chunk = new Map(entriesOf(reply));
  return {
    startTimestamp: chunk.get('startTimestamp'),
    endTimestamp: chunk.get('endTimestamp'),
    samples: chunk.get('samples'),
    size: chunk.get('size'),
    bytesPerSample: String(chunk.get('bytesPerSample')),
  };
}
const INFO = spec('TS.INFO', { read: readInfo });
/** How a series is kept and filled. RedisTimeSeries 1.0.0. */
export const info = (key: RedisArgument) => new Command<TsInfoReply>(INFO, [key]);
const INFO_DEBUG = spec('TS.INFO', { read: readInfo });
/** {@link info} with the chunks. RedisTimeSeries 1.0.0. */
export const infoDebug = (key: RedisArgument) => new Command<TsInfoDebugReply>(INFO_DEBUG, [key, 'DEBUG']);

export interface TsMAddSample {
  key: RedisArgument;
  timestamp: Timestamp;
  value: number;
}
const MADD = spec('TS.MADD');
/** Adds samples to several series; for each its timestamp or why it was refused. RedisTimeSeries 1.0.0. */
export const mAdd = (samples: readonly TsMAddSample[]) =>
  new Command<(Integer | ErrorReply)[]>(
    MADD,
    samples.flatMap(({ key, timestamp: at, value }) => [key, timestamp('TS.MADD', at), value]),
  );

const mGetArguments = (filter: Variadic, options: TsGetOptions | undefined, labels: unknown[]): unknown[] => [
  ...(options?.LATEST ? ['LATEST'] : []),
  ...labels,
  'FILTER',
  ...filterArguments('TS.MGET', filter),
];
const MGET = spec('TS.MGET', { read: bySeries(sampleOf, ({ samples }) => ({ sample: samples })) });
/** The last sample of every series that the label expressions choose. RedisTimeSeries 1.0.0. */
export const mGet = (filter: Variadic, options?: TsGetOptions) =>
  new Command<MapOf<BlobString, { sample: Sample | null }>>(MGET, mGetArguments(filter, options, []));
const labelledSample = bySeries(sampleOf, ({ labels, samples }) => ({ labels, sample: samples }));
const MGET_SELECTED_LABELS = spec('TS.MGET', { read: labelledSample });
/** {@link mGet} with these labels, null where a series has none such. RedisTimeSeries 1.6.0. */
export const mGetSelectedLabels = (filter: Variadic, selectedLabels: Variadic, options?: TsGetOptions) =>
  new Command<MapOf<BlobString, { labels: LabelMap<BlobString | null>; sample: Sample | null }>>(
    MGET_SELECTED_LABELS,
    mGetArguments(filter, options, ['SELECTED_LABELS', ...list(selectedLabels)]),
  );
const MGET_WITHLABELS = spec('TS.MGET', { read: labelledSample });
/** {@link mGet} with all labels. RedisTimeSeries 1.0.0. */
export const mGetWithLabels = (filter: Variadic, options?: TsGetOptions) =>
  new Command<MapOf<BlobString, { labels: LabelMap; sample: Sample | null }>>(
    MGET_WITHLABELS,
    mGetArguments(filter, options, ['WITHLABELS']),
  );

function nRangeArguments(
  command: string,
  keys: readonly RedisArgument[],
  from: Timestamp,
  to: Timestamp,
  options: TsNRangeOptions | undefined,
): unknown[] {
  const args: unknown[] = [];
  pushCounted(args, keys);
  args.push(...rangeArguments(command, from, to, options));
  return args;
}
const NRANGE = spec('TS.NRANGE', { keys: numkeys(0), read: reading(pivotSamplesOf) });
/** Samples of several series side by side, by timestamp. Redis 8.8. */
export const nRange = (keys: readonly RedisArgument[], from: Timestamp, to: Timestamp, options?: TsNRangeOptions) =>
  new Command<Samples[]>(NRANGE, nRangeArguments('TS.NRANGE', keys, from, to, options));
const NREVRANGE = spec('TS.NREVRANGE', { keys: numkeys(0), read: reading(pivotSamplesOf) });
/** {@link nRange}, latest first. Redis 8.8. */
export const nRevRange = (keys: readonly RedisArgument[], from: Timestamp, to: Timestamp, options?: TsNRangeOptions) =>
  new Command<Samples[]>(NREVRANGE, nRangeArguments('TS.NREVRANGE', keys, from, to, options));

const QUERYINDEX = spec('TS.QUERYINDEX');
/** Keys of the series that the label expressions choose. RedisTimeSeries 1.0.0. */
export const queryIndex = (filter: Variadic) =>
  new Command<SetOf<BlobString>>(QUERYINDEX, filterArguments('TS.QUERYINDEX', filter));

const labelFilter = (filter: Variadic | undefined): unknown[] =>
  filter === undefined ? [] : ['FILTER', ...filterArguments('TS.QUERYLABELS', filter)];
const QUERYLABELS = spec('TS.QUERYLABELS', { words: ['TS.QUERYLABELS', 'LABELS'] });
/** Names of labels of all series or of those chosen. Redis 8.8. */
export const queryLabels = (filter?: Variadic) => new Command<SetOf<BlobString>>(QUERYLABELS, labelFilter(filter));
const QUERYLABELS_VALUES = spec('TS.QUERYLABELS', { words: ['TS.QUERYLABELS', 'VALUES'] });
/** Values of a label in all series or in those chosen. Redis 8.8. */
export const queryLabelValues = (label: RedisArgument, filter?: Variadic) =>
  new Command<SetOf<BlobString>>(QUERYLABELS_VALUES, [label, ...labelFilter(filter)]);

const RANGE = spec('TS.RANGE', { read: reading(samplesOf) });
/** Samples from `from` to `to`, both included. RedisTimeSeries 1.0.0. */
export const range = (key: RedisArgument, from: Timestamp, to: Timestamp, options?: TsRangeOptions) =>
  new Command<Sample[]>(RANGE, [key, ...rangeArguments('TS.RANGE', from, to, options)]);
const RANGE_MULTIAGGR = spec('TS.RANGE', { read: reading(multiSamplesOf) });
/** {@link range} with several aggregations. Redis 8.8. */
export const rangeMultiAggr = (key: RedisArgument, from: Timestamp, to: Timestamp, options: TsRangeMultiAggrOptions) =>
  new Command<Samples[]>(RANGE_MULTIAGGR, [key, ...rangeArguments('TS.RANGE', from, to, options)]);
const REVRANGE = spec('TS.REVRANGE', { read: reading(samplesOf) });
/** {@link range}, latest first. RedisTimeSeries 1.4.0. */
export const revRange = (key: RedisArgument, from: Timestamp, to: Timestamp, options?: TsRangeOptions) =>
  new Command<Sample[]>(REVRANGE, [key, ...rangeArguments('TS.REVRANGE', from, to, options)]);
const REVRANGE_MULTIAGGR = spec('TS.REVRANGE', { read: reading(multiSamplesOf) });
/** {@link rangeMultiAggr}, latest first. Redis 8.8. */
export const revRangeMultiAggr = (
  key: RedisArgument,
  from: Timestamp,
  to: Timestamp,
  options: TsRangeMultiAggrOptions,
) => new Command<Samples[]>(REVRANGE_MULTIAGGR, [key, ...rangeArguments('TS.REVRANGE', from, to, options)]);

export interface TsReadOptions {
  /** Wait for `minCount` samples (default 1), at most `milliseconds` (0 = for ever). */
  BLOCK?: { milliseconds: number; minCount?: number };
  MAX_COUNT?: number;
}
const READ = spec('TS.READ', { read: reading(samplesOf) });
const READ_BLOCK = { ...READ, flags: READ.flags | Flag.BLOCKING };
/** Samples after a timestamp, as they come. Redis 8.8. */
export function read(key: RedisArgument, at: Timestamp, options?: TsReadOptions): Command<Sample[]> {
  const args: unknown[] = [key, timestamp('TS.READ', at)];
  if (options?.BLOCK !== undefined) args.push('BLOCK', options.BLOCK.milliseconds, options.BLOCK.minCount ?? 1);
  if (options?.MAX_COUNT !== undefined) args.push('MAX_COUNT', options.MAX_COUNT);
  return new Command(options?.BLOCK === undefined ? READ : READ_BLOCK, args);
}

export const aliases = {
  infoDebug: 'INFO_DEBUG',
  mGetSelectedLabels: 'MGET_SELECTED_LABELS',
  mGetWithLabels: 'MGET_WITHLABELS',
  queryLabelValues: 'QUERYLABELS_VALUES',
  rangeMultiAggr: 'RANGE_MULTIAGGR',
  revRangeMultiAggr: 'REVRANGE_MULTIAGGR',
} as const;
