/** What time series commands answer. */
import type { BlobString, Double, Integer, MapOf, TypeMapping } from '../../protocol/types.js';
import type { ReplyReader, SpecOptions } from '../command.js';
import { pairsToMap, type Text, toDouble } from '../readers.js';
import { entriesOf } from '../shapes.js';

export interface Sample {
  /** Unix milliseconds. */
  timestamp: Integer;
  value: Double;
}
/** A sample of several aggregations, or of several series (null where one has none). */
export interface Samples {
  timestamp: Integer;
  values: Double[];
}
export type LabelMap<V = BlobString> = MapOf<BlobString, V>;

/** Turns raw samples into what the command promises. */
export type SamplesOf = (reply: unknown[], mapping: TypeMapping | undefined) => unknown;

// Doubles are numbers already in RESP3, text in RESP2; toDouble passes numbers.
const value = (raw: unknown, mapping: TypeMapping | undefined): unknown =>
  raw === null ? null : toDouble(raw as Text | number, mapping);

/** One sample; null when the series is empty. */
export const sampleOf: SamplesOf = ([timestamp, raw], mapping) =>
  timestamp === undefined ? null : { timestamp, value: value(raw, mapping) };
export const samplesOf: SamplesOf = (reply, mapping) => (reply as unknown[][]).map((item) => sampleOf(item, mapping));
/** `[timestamp, value, value …]` */
export const multiSamplesOf: SamplesOf = (reply, mapping) =>
  (reply as unknown[][]).map(([timestamp, ...values]) => ({
    timestamp,
    values: values.map((raw) => value(raw, mapping)),
  }));
/** `[timestamp, [value, value …]]` */
export const pivotSamplesOf: SamplesOf = (reply, mapping) =>
  (reply as [unknown, unknown[]][]).map(([timestamp, values]) => ({
    timestamp,
    values: values.map((raw) => value(raw, mapping)),
  }));

export const reading =
  (samples: SamplesOf): ReplyReader =>
  (reply, _, mapping) =>
    samples(reply, mapping);

export interface SeriesParts {
  /** As a RESP3 map would be. */
  labels: unknown;
  /** Keys that were merged (GROUPBY). */
  sources: unknown;
  samples: unknown;
}

/**
 * A reply with something for each series, as a map by key. RESP2: `[key, labels, samples]` each, where labels are
 * pairs and, after WITHLABELS … GROUPBY, end with `__reducer__` and `__source__`. RESP3: a map to `[labels, …
 * metadata, samples]`, where the last metadata names the sources.
 */
export function bySeries(
  samples: SamplesOf,
  shape: (parts: SeriesParts) => unknown,
  grouped = false,
): SpecOptions['read'] {
  const fromList = (reply: [unknown, [unknown, unknown][], unknown[]][], mapping: TypeMapping | undefined) =>
    reply.flatMap(([key, pairs, raw]) => {
      const own = grouped ? pairs.slice(0, -2) : pairs;
      const labels = pairsToMap(own.flat(), mapping);
      const sources = grouped ? splitSources(pairs.at(-1)?.[1] as Text | undefined) : undefined;
      return [key, shape({ labels, sources, samples: samples(raw, mapping) })];
    });
  const fromMap = (reply: unknown, mapping: TypeMapping | undefined) =>
    entriesOf(reply).flatMap(([key, item]) => {
      const parts = item as unknown[];
      const sources = grouped ? new Map(entriesOf(parts.at(-2))).get('sources') : undefined;
      return [key, shape({ labels: parts[0], sources, samples: samples(parts.at(-1) as unknown[], mapping) })];
    });
  // A list of lists is RESP2's, whatever was agreed.
  const isList = (reply: unknown) => Array.isArray(reply) && (reply.length === 0 || Array.isArray(reply[0]));
  return (reply, _, mapping) => pairsToMap(isList(reply) ? fromList(reply, mapping) : fromMap(reply, mapping), mapping);
}

/** Keys with commas: the server does not escape those within a key, so such keys come apart. */
function splitSources(sources: Text | undefined): Text[] {
  if (sources === undefined) return [];
  if (typeof sources === 'string') return sources.split(',');
  const parts: Buffer[] = [];
  let start = 0;
  for (let comma = sources.indexOf(','); comma !== -1; comma = sources.indexOf(',', start)) {
    parts.push(sources.subarray(start, comma));
    start = comma + 1;
  }
  parts.push(sources.subarray(start));
  return parts;
}
