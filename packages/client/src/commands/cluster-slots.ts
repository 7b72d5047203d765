/** Slots of a cluster: who serves them, how they are used, how they move. https://valkey.io/topics/cluster-spec/ */
import type { BlobString, FieldsOf, Integer, MapOf, RedisArgument, SimpleString } from '../protocol/types.js';
import { list, word } from './arguments.js';
import type { SlotRange } from './cluster.js';
import { Command, spec } from './command.js';
import type { RedisFlushMode } from './constants.js';
import { listOf, record, resp2 } from './shapes.js';

type Ok = SimpleString<'OK'>;

export type ClusterShardNode = FieldsOf<{
  id: BlobString;
  port?: Integer;
  'tls-port'?: Integer;
  ip: BlobString;
  endpoint: BlobString | null;
  hostname?: BlobString;
  role: BlobString;
  'replication-offset': Integer;
  health: BlobString;
}>;
export type ClusterShard = FieldsOf<{
  /** First and last slot of each range, one after the other. */
  slots: Integer[];
  nodes: ClusterShardNode[];
  /** Valkey 9.0. */
  id?: BlobString;
}>;
const CLUSTER_SHARDS = spec('CLUSTER SHARDS', { read: resp2(listOf(record({ nodes: listOf(record()) }))) });
/** Slots and nodes of every shard. Redis 7.0.0. */
export const clusterShards = () => new Command<ClusterShard[]>(CLUSTER_SHARDS, []);

export type SlotStatistics = [slot: Integer, statistics: MapOf<BlobString, Integer>];
export type ClusterSlotStatsOptions =
  | { SLOTSRANGE: SlotRange }
  | {
      ORDERBY: 'key-count' | 'cpu-usec' | 'network-bytes-in' | 'network-bytes-out' | 'memory-bytes';
      LIMIT?: number;
      ORDER?: 'ASC' | 'DESC';
    };
const METRICS = ['KEY-COUNT', 'CPU-USEC', 'NETWORK-BYTES-IN', 'NETWORK-BYTES-OUT', 'MEMORY-BYTES'] as const;
const CLUSTER_SLOT_STATS = spec('CLUSTER SLOT-STATS', {
  read: resp2(listOf(([slot, statistics], mapping) => [slot, record()(statistics, mapping)])),
});
/** How this node's slots are used. Valkey 8.0, Redis 8.2. */
export function clusterSlotStats(options: ClusterSlotStatsOptions): Command<SlotStatistics[]> {
  if ('SLOTSRANGE' in options)
    return new Command(CLUSTER_SLOT_STATS, ['SLOTSRANGE', options.SLOTSRANGE.start, options.SLOTSRANGE.end]);
  const args: unknown[] = ['ORDERBY', word('CLUSTER SLOT-STATS', 'ORDERBY', options.ORDERBY, METRICS)];
  if (options.LIMIT !== undefined) args.push('LIMIT', options.LIMIT);
  if (options.ORDER !== undefined) args.push(word('CLUSTER SLOT-STATS', 'ORDER', options.ORDER, ['ASC', 'DESC']));
  return new Command(CLUSTER_SLOT_STATS, args);
}

const CLUSTER_FLUSHSLOT = spec('CLUSTER FLUSHSLOT');
/** Deletes every key of a slot. Refused by the guarded policy. Valkey 9.0. */
export const clusterFlushSlot = (slot: number, mode?: RedisFlushMode) =>
  new Command<Ok>(
    CLUSTER_FLUSHSLOT,
    mode === undefined ? [slot] : [slot, word('CLUSTER FLUSHSLOT', 'mode', mode, ['ASYNC', 'SYNC'])],
  );

export interface SlotMigration {
  ranges: SlotRange | readonly SlotRange[];
  /** Id of the node that is to have them. */
  node: RedisArgument;
}
const CLUSTER_MIGRATESLOTS = spec('CLUSTER MIGRATESLOTS');
/** Begins to move slots of this node to others. Refused by the guarded policy. Valkey 9.0. */
export const clusterMigrateSlots = (migrations: SlotMigration | readonly SlotMigration[]) =>
  new Command<Ok>(
    CLUSTER_MIGRATESLOTS,
    (list(migrations) as SlotMigration[]).flatMap(({ ranges, node }) => [
      'SLOTSRANGE',
      ...(list(ranges) as SlotRange[]).flatMap(({ start, end }) => [start, end]),
      'NODE',
      node,
    ]),
  );

const CLUSTER_GETSLOTMIGRATIONS = spec('CLUSTER GETSLOTMIGRATIONS', { read: resp2(listOf(record())) });
/** Moves of slots that go on or ended lately. Valkey 9.0. */
export const clusterGetSlotMigrations = () =>
  new Command<MapOf<BlobString, BlobString | Integer>[]>(CLUSTER_GETSLOTMIGRATIONS, []);

const CLUSTER_CANCELSLOTMIGRATIONS = spec('CLUSTER CANCELSLOTMIGRATIONS');
/** Ends all of them. Refused by the guarded policy. Valkey 9.0. */
export const clusterCancelSlotMigrations = () => new Command<Ok>(CLUSTER_CANCELSLOTMIGRATIONS, []);

export interface ClusterScanOptions {
  MATCH?: RedisArgument;
  COUNT?: number;
  TYPE?: RedisArgument;
  SLOT?: number;
}
const CLUSTERSCAN = spec('CLUSTERSCAN', {
  read: ([cursor, keys]: [string | Buffer, unknown[]]) => ({ cursor, keys }),
});
/** A page of the keys of a cluster, as a node knows them; begin with cursor `0`. Valkey 9.1. */
export function clusterScan(
  cursor: RedisArgument,
  options?: ClusterScanOptions,
): Command<{ cursor: BlobString; keys: BlobString[] }> {
  const args: unknown[] = [cursor];
  for (const name of ['MATCH', 'COUNT', 'TYPE', 'SLOT'] as const)
    if (options?.[name] !== undefined) args.push(name, options[name]);
  return new Command(CLUSTERSCAN, args);
}

export const aliases = {
  clusterCancelSlotMigrations: 'CLUSTER_CANCELSLOTMIGRATIONS',
  clusterFlushSlot: 'CLUSTER_FLUSHSLOT',
  clusterGetSlotMigrations: 'CLUSTER_GETSLOTMIGRATIONS',
  clusterMigrateSlots: 'CLUSTER_MIGRATESLOTS',
  clusterShards: 'CLUSTER_SHARDS',
  clusterSlotStats: 'CLUSTER_SLOT-STATS',
} as const;
