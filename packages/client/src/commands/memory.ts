/** MEMORY. https://redis.io/docs/latest/commands/?group=server */
import type { Double, FieldsOf, Integer, RedisArgument, SimpleString, Verbatim } from '../protocol/types.js';
import { Command, spec } from './command.js';
import { doubleShape, pairs, record, resp2 } from './shapes.js';

const MEMORY_DOCTOR = spec('MEMORY DOCTOR');
/** Advice for people. Redis 4.0.0. */
export const memoryDoctor = () => new Command<Verbatim>(MEMORY_DOCTOR, []);

const MEMORY_MALLOC_STATS = spec('MEMORY MALLOC-STATS');
/** The allocator's report. Redis 4.0.0. */
export const memoryMallocStats = () => new Command<Verbatim>(MEMORY_MALLOC_STATS, []);

const MEMORY_PURGE = spec('MEMORY PURGE');
/** Gives unused pages back. Refused by the guarded policy. Redis 4.0.0. */
export const memoryPurge = () => new Command<SimpleString<'OK'>>(MEMORY_PURGE, []);

/** Bytes, unless the name says otherwise; which there are depends on the server. */
export type MemoryStatsReply = FieldsOf<{
  'peak.allocated': Integer;
  'total.allocated': Integer;
  'startup.allocated': Integer;
  'replication.backlog': Integer;
  'clients.slaves': Integer;
  'clients.normal': Integer;
  'cluster.links': Integer;
  'aof.buffer': Integer;
  'lua.caches': Integer;
  'functions.caches': Integer;
  'overhead.total': Integer;
  'keys.count': Integer;
  'keys.bytes-per-key': Integer;
  'dataset.bytes': Integer;
  'dataset.percentage': Double;
  'peak.percentage': Double;
  'allocator.allocated': Integer;
  'allocator.active': Integer;
  'allocator.resident': Integer;
  'allocator-fragmentation.ratio': Double;
  'allocator-fragmentation.bytes': Integer;
  'allocator-rss.ratio': Double;
  'allocator-rss.bytes': Integer;
  'rss-overhead.ratio': Double;
  'rss-overhead.bytes': Integer;
  fragmentation: Double;
  'fragmentation.bytes': Integer;
}>;
const DOUBLES = new Set([
  'dataset.percentage',
  'peak.percentage',
  'allocator-fragmentation.ratio',
  'allocator-rss.ratio',
  'rss-overhead.ratio',
  'fragmentation',
]);
const MEMORY_STATS = spec('MEMORY STATS', {
  // `db.0` and its like are maps of their own.
  read: resp2(pairs((name) => (DOUBLES.has(name) ? doubleShape : /^db\.\d+$/.test(name) ? record() : undefined))),
});
/** What the memory is used for. Redis 4.0.0. */
export const memoryStats = () => new Command<MemoryStatsReply>(MEMORY_STATS, []);

export interface MemoryUsageOptions {
  /** How many elements of a collection to look at; 0 = all, default 5. */
  SAMPLES?: number;
}
const MEMORY_USAGE = spec('MEMORY USAGE');
/** Bytes that a key takes, with overhead; null when it does not exist. Redis 4.0.0. */
export const memoryUsage = (key: RedisArgument, options?: MemoryUsageOptions) =>
  new Command<Integer | null>(MEMORY_USAGE, options?.SAMPLES === undefined ? [key] : [key, 'SAMPLES', options.SAMPLES]);

export const aliases = {
  memoryDoctor: 'MEMORY_DOCTOR',
  memoryMallocStats: 'MEMORY_MALLOC-STATS',
  memoryPurge: 'MEMORY_PURGE',
  memoryStats: 'MEMORY_STATS',
  memoryUsage: 'MEMORY_USAGE',
} as const;
