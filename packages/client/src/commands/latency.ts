/** LATENCY. https://redis.io/docs/latest/operate/oss_and_stack/management/optimization/latency-monitor/ */
import type { BlobString, FieldsOf, Integer, MapOf, Verbatim } from '../protocol/types.js';
import { Command, spec } from './command.js';
import type { LatencyEvent } from './constants.js';
import { mapOf, record, resp2 } from './shapes.js';

const LATENCY_DOCTOR = spec('LATENCY DOCTOR');
/** Advice for people. Redis 2.8.13. */
export const latencyDoctor = () => new Command<Verbatim>(LATENCY_DOCTOR, []);

const LATENCY_GRAPH = spec('LATENCY GRAPH');
/** An event's spikes, drawn with text. Redis 2.8.13. */
export const latencyGraph = (event: LatencyEvent) => new Command<Verbatim>(LATENCY_GRAPH, [event]);

export type LatencyHistogram = FieldsOf<{
  calls: Integer;
  /** Microseconds (upper bound of a bucket) -> calls that took no longer. */
  histogram_usec: MapOf<Integer, Integer>;
}>;
const LATENCY_HISTOGRAM = spec('LATENCY HISTOGRAM', { read: resp2(mapOf(record({ histogram_usec: record() }))) });
/** How long commands took: all, or those named. Redis 7.0.0. */
export const latencyHistogram = (...commands: string[]) =>
  new Command<MapOf<BlobString, LatencyHistogram>>(LATENCY_HISTOGRAM, commands);

const LATENCY_HISTORY = spec('LATENCY HISTORY');
/** Up to 160 spikes of an event: Unix seconds, milliseconds. Redis 2.8.13. */
export const latencyHistory = (event: LatencyEvent) =>
  new Command<[timestamp: Integer, latency: Integer][]>(LATENCY_HISTORY, [event]);

const LATENCY_LATEST = spec('LATENCY LATEST');
/** Each event's last and worst spike, in milliseconds. Redis 2.8.13. */
export const latencyLatest = () =>
  new Command<[name: BlobString, timestamp: Integer, latestLatency: Integer, allTimeLatency: Integer][]>(
    LATENCY_LATEST,
    [],
  );

const LATENCY_RESET = spec('LATENCY RESET');
/** Forgets spikes; resolves with how many events. Refused by the guarded policy. Redis 2.8.13. */
export const latencyReset = (...events: LatencyEvent[]) => new Command<Integer>(LATENCY_RESET, events);

export const aliases = {
  latencyDoctor: 'LATENCY_DOCTOR',
  latencyGraph: 'LATENCY_GRAPH',
  latencyHistogram: 'LATENCY_HISTOGRAM',
  latencyHistory: 'LATENCY_HISTORY',
  latencyLatest: 'LATENCY_LATEST',
  latencyReset: 'LATENCY_RESET',
} as const;
