/** The types that code written for node-redis names, with its type parameters. */
import type { LeasedClient, RedisClient, RedisClientPool } from '../client/client.js';
import type { RedisCluster } from '../cluster/cluster.js';
import type { ClusterOptions } from '../cluster/cluster-options.js';
import type { CommandOptions } from '../options/command-options.js';
import type { ClientOptions } from '../options/options.js';
import type { PoolArguments } from '../pool/pool.js';
import type { RespVersion, TypeMapping } from '../protocol/types.js';
import type {
  CustomMethods,
  CustomOf,
  RedisFunctions,
  RedisModules,
  RedisScripts,
} from '../scripting/custom-commands.js';
import type { RedisSentinel } from '../sentinel/sentinel.js';
import type { SentinelOptions } from '../sentinel/sentinel-options.js';

type None = Record<never, never>;
type Custom<M, F, S> = CustomOf<{ readonly modules: M; readonly functions: F; readonly scripts: S }>;
/** Options `O` with modules, functions, scripts and type mapping of these types. */
type Typed<O, M, F, S, T extends TypeMapping> = Omit<O, 'modules' | 'functions' | 'scripts' | 'commandOptions'> & {
  modules?: M;
  functions?: F;
  scripts?: S;
  commandOptions?: CommandOptions<T>;
};

export type RespVersions = RespVersion;
/** The protocol of a client without the option `RESP`. */
export const DEFAULT_RESP = 3;

export type RedisClientOptions<
  M extends RedisModules = RedisModules,
  F extends RedisFunctions = RedisFunctions,
  S extends RedisScripts = RedisScripts,
  _ extends RespVersions = RespVersions,
  T extends TypeMapping = TypeMapping,
> = Typed<ClientOptions, M, F, S, T>;
export type AnyRedisClientOptions = RedisClientOptions;
export type RedisPoolOptions = PoolArguments;
export type RedisClusterOptions<
  M extends RedisModules = RedisModules,
  F extends RedisFunctions = RedisFunctions,
  S extends RedisScripts = RedisScripts,
  _ extends RespVersions = RespVersions,
  T extends TypeMapping = TypeMapping,
> = Typed<ClusterOptions, M, F, S, T>;
export type RedisSentinelOptions<
  M extends RedisModules = RedisModules,
  F extends RedisFunctions = RedisFunctions,
  S extends RedisScripts = RedisScripts,
  _ extends RespVersions = RespVersions,
  T extends TypeMapping = TypeMapping,
> = Typed<SentinelOptions, M, F, S, T>;

export type RedisClientType<
  M extends RedisModules = None,
  F extends RedisFunctions = None,
  S extends RedisScripts = None,
  _ extends RespVersions = RespVersions,
  T extends TypeMapping = None,
> = RedisClient<T, Custom<M, F, S>> & CustomMethods<Custom<M, F, S>, T>;
export type RedisClientPoolType<
  M extends RedisModules = None,
  F extends RedisFunctions = None,
  S extends RedisScripts = None,
  _ extends RespVersions = RespVersions,
  T extends TypeMapping = None,
> = RedisClientPool<T, Custom<M, F, S>> & CustomMethods<Custom<M, F, S>, T>;
export type RedisClusterType<
  M extends RedisModules = None,
  F extends RedisFunctions = None,
  S extends RedisScripts = None,
  _ extends RespVersions = RespVersions,
  T extends TypeMapping = None,
> = RedisCluster<T, Custom<M, F, S>> & CustomMethods<Custom<M, F, S>, T>;
export type RedisSentinelType<
  M extends RedisModules = None,
  F extends RedisFunctions = None,
  S extends RedisScripts = None,
  _ extends RespVersions = RespVersions,
  T extends TypeMapping = None,
> = RedisSentinel<T, Custom<M, F, S>> & CustomMethods<Custom<M, F, S>, T>;
export type RedisSentinelClientType<
  M extends RedisModules = None,
  F extends RedisFunctions = None,
  S extends RedisScripts = None,
  _ extends RespVersions = RespVersions,
  T extends TypeMapping = None,
> = LeasedClient<T, Custom<M, F, S>>;
