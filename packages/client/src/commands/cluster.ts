/** Commands of the group "cluster". https://redis.io/docs/latest/commands/?group=cluster */
import type { BlobString, FieldsOf, Integer, RedisArgument, SimpleString, Verbatim } from '../protocol/types.js';
import { list, type Variadic, word } from './arguments.js';
import { Command, spec } from './command.js';
import type { ClusterSlotState, FailoverMode } from './constants.js';
import { listOf, record, resp2 } from './shapes.js';

type Ok = SimpleString<'OK'>;

/** Slots `start` to `end`, both included, 0 to 16383. */
export interface SlotRange {
  start: number;
  end: number;
}
const slotRanges = (ranges: Variadic<SlotRange>): unknown[] =>
  (list(ranges) as SlotRange[]).flatMap(({ start, end }) => [start, end]);

const ASKING = spec('ASKING');
/** Lets the next command reach a slot that is being imported. Redis 3.0.0. */
export const asking = () => new Command<Ok>(ASKING, []);

const CLUSTER_ADDSLOTS = spec('CLUSTER ADDSLOTS');
/** Gives slots to this node. Refused by the guarded policy. Redis 3.0.0. */
export const clusterAddSlots = (slots: Variadic<number>) => new Command<Ok>(CLUSTER_ADDSLOTS, list(slots));

const CLUSTER_ADDSLOTSRANGE = spec('CLUSTER ADDSLOTSRANGE');
/** Gives ranges of slots to this node. Refused by the guarded policy. Redis 7.0.0. */
export const clusterAddSlotsRange = (ranges: Variadic<SlotRange>) =>
  new Command<Ok>(CLUSTER_ADDSLOTSRANGE, slotRanges(ranges));

const CLUSTER_BUMPEPOCH = spec('CLUSTER BUMPEPOCH');
/** Raises the configuration epoch. Refused by the guarded policy. Redis 3.0.0. */
export const clusterBumpEpoch = () => new Command<SimpleString<'BUMPED' | 'STILL'>>(CLUSTER_BUMPEPOCH, []);

const CLUSTER_COUNT_FAILURE_REPORTS = spec('CLUSTER COUNT-FAILURE-REPORTS');
/** How many nodes report this one as failing. Redis 3.0.0. */
export const clusterCountFailureReports = (nodeId: RedisArgument) =>
  new Command<Integer>(CLUSTER_COUNT_FAILURE_REPORTS, [nodeId]);

const CLUSTER_COUNTKEYSINSLOT = spec('CLUSTER COUNTKEYSINSLOT');
/** How many keys of the slot this node holds. Redis 3.0.0. */
export const clusterCountKeysInSlot = (slot: number) => new Command<Integer>(CLUSTER_COUNTKEYSINSLOT, [slot]);

const CLUSTER_DELSLOTS = spec('CLUSTER DELSLOTS');
/** Takes slots from this node. Refused by the guarded policy. Redis 3.0.0. */
export const clusterDelSlots = (slots: Variadic<number>) => new Command<Ok>(CLUSTER_DELSLOTS, list(slots));

const CLUSTER_DELSLOTSRANGE = spec('CLUSTER DELSLOTSRANGE');
/** Takes ranges of slots from this node. Refused by the guarded policy. Redis 7.0.0. */
export const clusterDelSlotsRange = (ranges: Variadic<SlotRange>) =>
  new Command<Ok>(CLUSTER_DELSLOTSRANGE, slotRanges(ranges));

export interface ClusterFailoverOptions {
  mode?: FailoverMode;
}
const CLUSTER_FAILOVER = spec('CLUSTER FAILOVER');
/** Makes this replica the primary. Refused by the guarded policy. Redis 3.0.0. */
export const clusterFailover = (options?: ClusterFailoverOptions) =>
  new Command<Ok>(
    CLUSTER_FAILOVER,
    options?.mode === undefined ? [] : [word('CLUSTER FAILOVER', 'mode', options.mode, ['FORCE', 'TAKEOVER'])],
  );

const CLUSTER_FLUSHSLOTS = spec('CLUSTER FLUSHSLOTS');
/** Takes every slot from this node. Refused by the guarded policy. Redis 3.0.0. */
export const clusterFlushSlots = () => new Command<Ok>(CLUSTER_FLUSHSLOTS, []);

const CLUSTER_FORGET = spec('CLUSTER FORGET');
/** Takes a node out of this node's table. Refused by the guarded policy. Redis 3.0.0. */
export const clusterForget = (nodeId: RedisArgument) => new Command<Ok>(CLUSTER_FORGET, [nodeId]);

const CLUSTER_GETKEYSINSLOT = spec('CLUSTER GETKEYSINSLOT');
/** Up to `count` keys of a slot. Redis 3.0.0. */
export const clusterGetKeysInSlot = (slot: number, count: number) =>
  new Command<BlobString[]>(CLUSTER_GETKEYSINSLOT, [slot, count]);

const CLUSTER_INFO = spec('CLUSTER INFO');
/** State of the cluster as lines `name:value`. Redis 3.0.0. */
export const clusterInfo = () => new Command<Verbatim>(CLUSTER_INFO, []);

// The key is one for the client: with a `keyPrefix` the slot is that of the prefixed key.
const CLUSTER_KEYSLOT = spec('CLUSTER KEYSLOT', { keys: () => [0] });
/** The slot of a key. Redis 3.0.0. */
export const clusterKeySlot = (key: RedisArgument) => new Command<Integer>(CLUSTER_KEYSLOT, [key]);

export type ClusterLink = FieldsOf<{
  direction: BlobString;
  node: BlobString;
  /** Unix time in milliseconds. */
  'create-time': Integer;
  events: BlobString;
  /** Bytes. */
  'send-buffer-allocated': Integer;
  /** Bytes. */
  'send-buffer-used': Integer;
}>;
const CLUSTER_LINKS = spec('CLUSTER LINKS', { read: resp2(listOf(record())) });
/** Connections of the cluster bus. Redis 7.0.0. */
export const clusterLinks = () => new Command<ClusterLink[]>(CLUSTER_LINKS, []);

const CLUSTER_MEET = spec('CLUSTER MEET');
/** Introduces a node. Refused by the guarded policy. Redis 3.0.0. */
export const clusterMeet = (host: string, port: number) => new Command<Ok>(CLUSTER_MEET, [host, port]);

const CLUSTER_MYID = spec('CLUSTER MYID');
/** This node's id. Redis 3.0.0. */
export const clusterMyId = () => new Command<BlobString>(CLUSTER_MYID, []);

const CLUSTER_MYSHARDID = spec('CLUSTER MYSHARDID');
/** This node's shard. Redis 7.2.0. */
export const clusterMyShardId = () => new Command<BlobString>(CLUSTER_MYSHARDID, []);

const CLUSTER_NODES = spec('CLUSTER NODES');
/** The node table, a line each. Redis 3.0.0. */
export const clusterNodes = () => new Command<Verbatim>(CLUSTER_NODES, []);

const CLUSTER_REPLICAS = spec('CLUSTER REPLICAS');
/** The lines of a primary's replicas. Redis 5.0.0. */
export const clusterReplicas = (nodeId: RedisArgument) => new Command<BlobString[]>(CLUSTER_REPLICAS, [nodeId]);

const CLUSTER_REPLICATE = spec('CLUSTER REPLICATE');
/** Makes this node a replica. Refused by the guarded policy. Redis 3.0.0. */
export const clusterReplicate = (nodeId: RedisArgument) => new Command<SimpleString>(CLUSTER_REPLICATE, [nodeId]);

export interface ClusterResetOptions {
  mode?: 'HARD' | 'SOFT';
}
const CLUSTER_RESET = spec('CLUSTER RESET');
/** Takes this node out of its cluster. Refused by the guarded policy. Redis 3.0.0. */
export const clusterReset = (options?: ClusterResetOptions) =>
  new Command<Ok>(
    CLUSTER_RESET,
    options?.mode === undefined ? [] : [word('CLUSTER RESET', 'mode', options.mode, ['HARD', 'SOFT'])],
  );

const CLUSTER_SAVECONFIG = spec('CLUSTER SAVECONFIG');
/** Writes `nodes.conf`. Refused by the guarded policy. Redis 3.0.0. */
export const clusterSaveConfig = () => new Command<Ok>(CLUSTER_SAVECONFIG, []);

const CLUSTER_SET_CONFIG_EPOCH = spec('CLUSTER SET-CONFIG-EPOCH');
/** Sets the configuration epoch of a new node. Refused by the guarded policy. Redis 3.0.0. */
export const clusterSetConfigEpoch = (configEpoch: number) => new Command<Ok>(CLUSTER_SET_CONFIG_EPOCH, [configEpoch]);

const SLOT_STATES = ['IMPORTING', 'MIGRATING', 'STABLE', 'NODE'] as const;
const CLUSTER_SETSLOT = spec('CLUSTER SETSLOT');
/** Binds a slot to a node or begins to move it. Refused by the guarded policy. Redis 3.0.0. */
export function clusterSetSlot(slot: number, state: ClusterSlotState, nodeId?: RedisArgument): Command<Ok> {
  const args: unknown[] = [slot, word('CLUSTER SETSLOT', 'state', state, SLOT_STATES)];
  if (nodeId !== undefined) args.push(nodeId);
  return new Command(CLUSTER_SETSLOT, args);
}

export interface ClusterSlotsNode {
  /** Null where the node does not know its own address. */
  host: BlobString | null;
  port: Integer;
  id: BlobString;
}
export interface ClusterSlotsRange {
  from: Integer;
  to: Integer;
  master: ClusterSlotsNode;
  replicas: ClusterSlotsNode[];
}
type RawNode = [host: unknown, port: unknown, id: unknown];
const slotsNode = ([host, port, id]: RawNode) => ({ host, port, id });
const CLUSTER_SLOTS = spec('CLUSTER SLOTS', {
  read: (reply: [unknown, unknown, RawNode, ...RawNode[]][]) =>
    reply.map(([from, to, master, ...replicas]) => ({
      from,
      to,
      master: slotsNode(master),
      replicas: replicas.map(slotsNode),
    })),
});
/** Which nodes serve which slots. Redis 3.0.0. */
export const clusterSlots = () => new Command<ClusterSlotsRange[]>(CLUSTER_SLOTS, []);

export const aliases = {
  clusterAddSlots: 'CLUSTER_ADDSLOTS',
  clusterAddSlotsRange: 'CLUSTER_ADDSLOTSRANGE',
  clusterBumpEpoch: 'CLUSTER_BUMPEPOCH',
  clusterCountFailureReports: 'CLUSTER_COUNT-FAILURE-REPORTS',
  clusterCountKeysInSlot: 'CLUSTER_COUNTKEYSINSLOT',
  clusterDelSlots: 'CLUSTER_DELSLOTS',
  clusterDelSlotsRange: 'CLUSTER_DELSLOTSRANGE',
  clusterFailover: 'CLUSTER_FAILOVER',
  clusterFlushSlots: 'CLUSTER_FLUSHSLOTS',
  clusterForget: 'CLUSTER_FORGET',
  clusterGetKeysInSlot: 'CLUSTER_GETKEYSINSLOT',
  clusterInfo: 'CLUSTER_INFO',
  clusterKeySlot: 'CLUSTER_KEYSLOT',
  clusterLinks: 'CLUSTER_LINKS',
  clusterMeet: 'CLUSTER_MEET',
  clusterMyId: 'CLUSTER_MYID',
  clusterMyShardId: 'CLUSTER_MYSHARDID',
  clusterNodes: 'CLUSTER_NODES',
  clusterReplicas: 'CLUSTER_REPLICAS',
  clusterReplicate: 'CLUSTER_REPLICATE',
  clusterReset: 'CLUSTER_RESET',
  clusterSaveConfig: 'CLUSTER_SAVECONFIG',
  clusterSetConfigEpoch: 'CLUSTER_SET-CONFIG-EPOCH',
  clusterSetSlot: 'CLUSTER_SETSLOT',
  clusterSlots: 'CLUSTER_SLOTS',
} as const;
