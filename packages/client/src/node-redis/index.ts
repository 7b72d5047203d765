/**
 * `redkeep/node-redis`: the names of node-redis 6 and nothing else, for code that comes from there. Clients, errors,
 * constants and types of the package's root under the names that node-redis has, and the tables of its inner packages.
 */
export {
  BasicClientSideCache,
  BasicPooledClientSideCache,
  ClientSideCacheProvider,
} from '../cache/client-side-cache.js';
export { createClient, createClientPool, RedisClient, RedisClientPool } from '../client/client.js';
export { createCluster, RedisCluster } from '../cluster/cluster.js';
export { HOTKEYS_METRICS, LATENCY_EVENTS } from '../commands/constants.js';
export { HASH_EXPIRATION, HASH_EXPIRATION_TIME } from '../commands/hashes.js';
export { FT_HYBRID_COMBINE_METHOD, FT_HYBRID_VECTOR_METHOD } from '../commands/search/hybrid.js';
export { SCHEMA_GEO_SHAPE_COORD_SYSTEM, VAMANA_COMPRESSION_ALGORITHM } from '../commands/search/schema.js';
export { STREAM_DELETION_POLICY, STREAM_DELETION_REPLY_CODES } from '../commands/stream-messages.js';
export { digest } from '../digest.js';
export {
  AbortError,
  BlobError,
  ClientClosedError,
  ClientOfflineError,
  CommandTimeoutDuringMaintenanceError,
  ConnectionTimeoutError,
  DisconnectsClientError,
  ErrorReply,
  MaxCommandRedirectionsError,
  MultiErrorReply,
  ReconnectStrategyError,
  RootNodesUnavailableError,
  ScanIteratorInterruptedError,
  SimpleError,
  SocketClosedUnexpectedlyError,
  SocketTimeoutDuringMaintenanceError,
  SocketTimeoutError,
  TimeoutError,
  WatchError,
} from '../errors.js';
export type { ClientOptions } from '../options/options.js';
export { RESP_TYPES, type RedisArgument, type TypeMapping, VerbatimString } from '../protocol/types.js';
export { PUBSUB_TYPE, type PubSubListener } from '../pubsub/pub-sub.js';
export type { CommandParser } from '../scripting/command-parser.js';
export {
  type CustomCommand,
  defineScript,
  type RedisFunction,
  type RedisFunctions,
  type RedisModules,
  type RedisScript,
  type RedisScripts,
} from '../scripting/custom-commands.js';
export { createSentinel, RedisSentinel } from '../sentinel/sentinel.js';
export { OpenTelemetry } from '../telemetry/open-telemetry.js';
export {
  type BatchCommandTraceContext,
  type BatchOperationContext,
  type CacheEvictionEvent,
  type CacheRequestEvent,
  CHANNELS,
  type ClientErrorEvent,
  type CommandTraceContext,
  type ConnectionClosedEvent,
  type ConnectionReadyEvent,
  type ConnectTraceContext,
  type PoolConnectionWaitEvent,
  type PubSubMessageEvent,
} from './channels.js';
export * from './tables.js';
export * from './types.js';
