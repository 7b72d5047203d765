export type { CacheStats } from './cache/cache-stats.js';
export {
  BasicClientSideCache,
  BasicPooledClientSideCache,
  type ClientSideCacheConfig,
  ClientSideCacheProvider,
} from './cache/client-side-cache.js';
export { createClient, createClientPool, type LeasedClient, RedisClient, RedisClientPool } from './client/client.js';
export type { Health } from './client/health-check.js';
export { createCluster, RedisCluster } from './cluster/cluster.js';
export type { ClusterOptions, NodeAddressMap } from './cluster/cluster-options.js';
export type { ClusterNode, Shard } from './cluster/nodes.js';
export type { Command } from './commands/command.js';
export type {
  ClientUnblockMode,
  ClusterSlotState,
  CommandListFilterBy,
  FailoverMode,
  HotkeysMetric,
  LatencyEvent,
  RedisFlushMode,
} from './commands/constants.js';
export { DANGEROUS_COMMANDS, type DangerGroup, type DangerousCommand } from './commands/dangerous-commands.js';
export type { GeoReplyWith } from './commands/geo.js';
export type { HashExpiration } from './commands/hashes.js';
export type { FtAggregateOptions } from './commands/search/aggregate.js';
export type { FtHybridOptions } from './commands/search/hybrid.js';
export type { FtSearchOptions, RediSearchLanguage } from './commands/search/query.js';
export type { SearchReply } from './commands/search/replies.js';
export type { RediSearchSchema } from './commands/search/schema.js';
export type {
  StreamDeletionPolicy,
  StreamDeletionReplyCode,
  StreamMessage,
} from './commands/stream-messages.js';
export type { SetOptions } from './commands/strings.js';
export type {
  AsyncCredentialsProvider,
  BasicAuth,
  Credentials,
  CredentialsProvider,
  CredentialsSource,
  StreamingCredentialsProvider,
} from './credentials/credentials.js';
export {
  type AwsSecretsManagerOptions,
  fromAwsSecretsManager,
  type SecretsManagerLike,
} from './credentials/from-aws-secrets-manager.js';
export { fromCallback, type TokenResult } from './credentials/from-callback.js';
export { type EnvNames, fromEnv } from './credentials/from-env.js';
export { type FileOptions, fromFile } from './credentials/from-file.js';
export { fromVault, type VaultOptions } from './credentials/from-vault.js';
export { maskUrl, Secret } from './credentials/secret.js';
export {
  type CommandMessage,
  type ConnectionMessage,
  commandChannel,
  connectionChannel,
  type PoolMessage,
  type ProtectionMessage,
  poolChannel,
  protectionChannel,
} from './diagnostics.js';
export { digest } from './digest.js';
export * from './errors.js';
export { type HostClass, hostClass, isLoopback } from './network/host-class.js';
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
} from './node-redis/channels.js';
export * from './node-redis/tables.js';
export * from './node-redis/types.js';
export type { CommandOptions } from './options/command-options.js';
export { nearestName } from './options/nearest-name.js';
export type { ClientOptions, SocketOptions } from './options/options.js';
export { LeaseLeakedError, LeaseReleasedError } from './pool/lease.js';
export { POOL_DEFAULTS, type PoolOptions } from './pool/pool-core.js';
export type { ReplyLimits } from './protocol/limits.js';
export { RESP_TYPES, type RedisArgument, type ReplyValue, type TypeMapping, VerbatimString } from './protocol/types.js';
export type { MessagesOptions, PubSubEvent } from './pubsub/message-iterator.js';
export type { PubSubListener, PubSubType } from './pubsub/pub-sub.js';
export type { CircuitBreakerOptions } from './resilience/circuit-breaker.js';
export type { RateLimitOptions } from './resilience/rate-limit.js';
export type { CommandParser } from './scripting/command-parser.js';
export {
  type CustomCommand,
  defineScript,
  type RedisFunction,
  type RedisFunctions,
  type RedisModules,
  type RedisScript,
  type RedisScripts,
} from './scripting/custom-commands.js';
export type { CommandValidator, Refusal, ValidatedCommand } from './security/command-policy.js';
export { escapeGlob } from './security/escape-glob.js';
export { type RedirectPolicyOptions, RedirectRefusedError } from './security/redirect-policy.js';
export type { CertificateInfo, TlsInfo } from './security/tls-info.js';
export { DEFAULT_CIPHERS, type TlsOptions } from './security/tls-policy.js';
export { createSentinel, RedisSentinel } from './sentinel/sentinel.js';
export type { SentinelClientError, SentinelEvent } from './sentinel/sentinel-core.js';
export type { SentinelOptions } from './sentinel/sentinel-options.js';
export type { ConsumedEntry, ConsumeOptions } from './streaming/consumer-group.js';
export type { ValueStreamOptions } from './streaming/value-stream.js';
export type { OpenTelemetryApi } from './telemetry/api.js';
export type { MetricsConfig } from './telemetry/metrics.js';
export type { MetricGroup } from './telemetry/node-redis-metrics.js';
export { OpenTelemetry, type OpenTelemetryConfig } from './telemetry/open-telemetry.js';
export type { TracingConfig } from './telemetry/tracing.js';
export type { Transaction } from './transaction/transaction.js';
export { version } from './version.js';
