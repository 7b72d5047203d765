/** Commands of Redis Sentinel. https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/ */
import type { BlobString, MapOf, RedisArgument, SimpleString } from '../protocol/types.js';
import { Command, spec } from './command.js';
import { listOf, record, resp2 } from './shapes.js';

type Instance = MapOf<BlobString, BlobString>;

const SENTINEL_MASTER = spec('SENTINEL MASTER', { read: resp2(record()) });
/** What the sentinel knows of a primary. Redis 2.8.4. */
export const sentinelMaster = (name: RedisArgument) => new Command<Instance>(SENTINEL_MASTER, [name]);

const SENTINEL_MONITOR = spec('SENTINEL MONITOR');
/** Watches one more primary. Refused by the guarded policy. Redis 2.8.4. */
export const sentinelMonitor = (
  name: RedisArgument,
  host: RedisArgument,
  port: RedisArgument | number,
  quorum: RedisArgument | number,
) => new Command<SimpleString<'OK'>>(SENTINEL_MONITOR, [name, host, port, quorum]);

const SENTINEL_REPLICAS = spec('SENTINEL REPLICAS', { read: resp2(listOf(record())) });
/** The replicas of a primary. Redis 5.0.0. */
export const sentinelReplicas = (name: RedisArgument) => new Command<Instance[]>(SENTINEL_REPLICAS, [name]);

const SENTINEL_SENTINELS = spec('SENTINEL SENTINELS', { read: resp2(listOf(record())) });
/** The other sentinels of a primary. Redis 2.8.4. */
export const sentinelSentinels = (name: RedisArgument) => new Command<Instance[]>(SENTINEL_SENTINELS, [name]);

export type SentinelSetOptions = readonly { option: RedisArgument; value: RedisArgument }[];
const SENTINEL_SET = spec('SENTINEL SET');
/** Changes how a primary is watched. Refused by the guarded policy. Redis 2.8.4. */
export const sentinelSet = (name: RedisArgument, options: SentinelSetOptions) =>
  new Command<SimpleString<'OK'>>(SENTINEL_SET, [name, ...options.flatMap(({ option, value }) => [option, value])]);

export const aliases = {
  sentinelMaster: 'SENTINEL_MASTER',
  sentinelMonitor: 'SENTINEL_MONITOR',
  sentinelReplicas: 'SENTINEL_REPLICAS',
  sentinelSentinels: 'SENTINEL_SENTINELS',
  sentinelSet: 'SENTINEL_SET',
} as const;
