/** Words that options take, for those who prefer a name to a literal. Same names and values as in node-redis. */
export const REDIS_FLUSH_MODES = { ASYNC: 'ASYNC', SYNC: 'SYNC' } as const;
export type RedisFlushMode = (typeof REDIS_FLUSH_MODES)[keyof typeof REDIS_FLUSH_MODES];

export const CLIENT_KILL_FILTERS = {
  ADDRESS: 'ADDR',
  LOCAL_ADDRESS: 'LADDR',
  ID: 'ID',
  TYPE: 'TYPE',
  USER: 'USER',
  SKIP_ME: 'SKIPME',
  MAXAGE: 'MAXAGE',
} as const;

export const CLIENT_UNBLOCK_MODES = { TIMEOUT: 'TIMEOUT', ERROR: 'ERROR' } as const;
export type ClientUnblockMode = (typeof CLIENT_UNBLOCK_MODES)[keyof typeof CLIENT_UNBLOCK_MODES];

export const FAILOVER_MODES = { FORCE: 'FORCE', TAKEOVER: 'TAKEOVER' } as const;
export type FailoverMode = (typeof FAILOVER_MODES)[keyof typeof FAILOVER_MODES];

export const CLUSTER_SLOT_STATES = {
  IMPORTING: 'IMPORTING',
  MIGRATING: 'MIGRATING',
  STABLE: 'STABLE',
  NODE: 'NODE',
} as const;
export type ClusterSlotState = (typeof CLUSTER_SLOT_STATES)[keyof typeof CLUSTER_SLOT_STATES];

export const COMMAND_LIST_FILTER_BY = { MODULE: 'MODULE', ACLCAT: 'ACLCAT', PATTERN: 'PATTERN' } as const;
export type CommandListFilterBy = (typeof COMMAND_LIST_FILTER_BY)[keyof typeof COMMAND_LIST_FILTER_BY];

export const LATENCY_EVENTS = {
  ACTIVE_DEFRAG_CYCLE: 'active-defrag-cycle',
  AOF_FSYNC_ALWAYS: 'aof-fsync-always',
  AOF_STAT: 'aof-stat',
  AOF_REWRITE_DIFF_WRITE: 'aof-rewrite-diff-write',
  AOF_RENAME: 'aof-rename',
  AOF_WRITE: 'aof-write',
  AOF_WRITE_ACTIVE_CHILD: 'aof-write-active-child',
  AOF_WRITE_ALONE: 'aof-write-alone',
  AOF_WRITE_PENDING_FSYNC: 'aof-write-pending-fsync',
  COMMAND: 'command',
  EXPIRE_CYCLE: 'expire-cycle',
  EVICTION_CYCLE: 'eviction-cycle',
  EVICTION_DEL: 'eviction-del',
  FAST_COMMAND: 'fast-command',
  FORK: 'fork',
  RDB_UNLINK_TEMP_FILE: 'rdb-unlink-temp-file',
} as const;
export type LatencyEvent = (typeof LATENCY_EVENTS)[keyof typeof LATENCY_EVENTS];

export const HOTKEYS_METRICS = { CPU: 'CPU', NET: 'NET' } as const;
export type HotkeysMetric = (typeof HOTKEYS_METRICS)[keyof typeof HOTKEYS_METRICS];
