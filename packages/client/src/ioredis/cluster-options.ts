/** ioredis's cluster options, as those of Redkeep's cluster. */
import type { ClusterOptions as CoreOptions } from '../cluster/cluster-options.js';
import { InvalidOptionError } from '../errors.js';
import type { ClientOptions } from '../options/options.js';
import { anyObject, rule } from '../options/rules.js';
import type { RedirectPolicyOptions } from '../security/redirect-policy.js';
import type { ScriptDefinition } from './commander.js';
import {
  type CommonRedisOptions,
  connectionOptions,
  judgeOptions,
  type NatMap,
  OPTIONS,
  type OptionEffect,
  type RedisOptions,
  readArguments,
  withoutUndefined,
} from './options.js';

export type ClusterNode = string | number | { host?: string | undefined; port?: number | undefined };
export type NodeRole = 'master' | 'slave' | 'all';

export interface ClusterOptions
  extends Pick<
    CommonRedisOptions,
    | 'allowCommands'
    | 'argumentsInErrors'
    | 'commandPolicy'
    | 'denyCommands'
    | 'enableAutoPipelining'
    | 'autoPipeliningIgnoredCommands'
    | 'enableOfflineQueue'
    | 'enableReadyCheck'
    | 'idempotentCommands'
    | 'keyPrefix'
    | 'lazyConnect'
    | 'showFriendlyErrorStack'
    | 'validateCommand'
  > {
  /** Milliseconds until the cluster is looked for again; anything but a number ends the client. */
  // biome-ignore lint/suspicious/noConfusingVoidType: functions that return nothing at times are given
  clusterRetryStrategy?: ((times: number, reason?: Error) => number | undefined | null | void) | null | undefined;
  clusterNodeRetryStrategy?: CommonRedisOptions['retryStrategy'];
  /**
   * Where reads go: `slave` and `all` read from replicas, which may be behind. A function takes the clients of the nodes
   * that have the keys, the primary first, and the command; it returns one of them, or several to choose among.
   */
  // biome-ignore lint/complexity/noBannedTypes: the type that applications use
  scaleReads?: NodeRole | Function | undefined;
  maxRedirections?: number | undefined;
  retryDelayOnFailover?: number | undefined;
  retryDelayOnClusterDown?: number | undefined;
  retryDelayOnTryAgain?: number | undefined;
  retryDelayOnMoved?: number | undefined;
  slotsRefreshTimeout?: number | undefined;
  /** Milliseconds between looks at the topology; default 30 000. */
  slotsRefreshInterval?: number | undefined;
  shardedSubscribers?: boolean | undefined;
  redisOptions?: RedisOptions | undefined;
  // biome-ignore lint/complexity/noBannedTypes: node's own functions are given
  dnsLookup?: Function | undefined;
  natMap?: NatMap | null | undefined;
  scripts?: Record<string, ScriptDefinition> | undefined;
  /** Redkeep's own: which hosts besides the startup nodes' may be followed. */
  redirectPolicy?: RedirectPolicyOptions | undefined;
}

export const CLUSTER_OPTIONS: Readonly<Record<string, OptionEffect>> = {
  clusterRetryStrategy: 'acts',
  clusterNodeRetryStrategy: 'ignored',
  enableOfflineQueue: 'acts',
  enableReadyCheck: 'acts',
  scaleReads: 'acts',
  maxRedirections: 'acts',
  retryDelayOnFailover: 'ignored',
  retryDelayOnClusterDown: 'ignored',
  retryDelayOnTryAgain: 'ignored',
  retryDelayOnMoved: 'ignored',
  slotsRefreshTimeout: 'ignored',
  slotsRefreshInterval: 'acts',
  shardedSubscribers: 'acts',
  redisOptions: 'acts',
  lazyConnect: 'acts',
  useSRVRecords: 'refused',
  resolveSrv: 'ignored',
  dnsLookup: 'ignored',
  natMap: 'acts',
  enableAutoPipelining: 'acts',
  autoPipeliningIgnoredCommands: 'ignored',
  scripts: 'acts',
  keyPrefix: 'acts',
  showFriendlyErrorStack: 'acts',
  himportFieldsets: 'refused',
  argumentsInErrors: 'own',
  idempotentCommands: 'own',
  allowCommands: 'own',
  commandPolicy: 'own',
  denyCommands: 'own',
  validateCommand: 'own',
  redirectPolicy: 'own',
};

/** Options of every node: those of `redisOptions`, and what the cluster itself was given of them. */
export function sharedOptions(given: ClusterOptions): RedisOptions {
  const { redisOptions = {} } = given;
  const own: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) if (name in OPTIONS && value !== undefined) own[name] = value;
  return { ...redisOptions, ...own };
}

/**
 * ioredis names the nodes and the options by position, so that both may be missing or swapped.
 * @throws InvalidOptionError
 */
export function judgeClusterArguments(startupNodes: unknown, options: unknown): void {
  rule(
    (nodes) => Array.isArray(nodes) && nodes.length > 0,
    'should contain at least one node, as { host, port }, a port or a URL',
  )(startupNodes, 'startupNodes');
  anyObject(options, 'options');
}

/** @throws InvalidOptionError */
export function clusterOptions(startupNodes: readonly ClusterNode[], given: ClusterOptions): CoreOptions {
  judgeOptions(given, CLUSTER_OPTIONS);
  judgeOptions(given.redisOptions ?? {});
  const { scaleReads = 'master', natMap, maxRedirections, slotsRefreshInterval, redirectPolicy } = given;
  if (typeof scaleReads !== 'function' && !['all', 'master', 'slave'].includes(scaleReads))
    throw new InvalidOptionError('scaleReads', 'Expected "all", "master", "slave" or a custom function');
  const shared = { ...sharedOptions(given), keyPrefix: undefined };
  const seeds = startupNodes.map((node) => {
    const { host, port, path: _path, ...more } = readArguments([node]);
    // What a node itself says (a password in its URL) wins.
    const options = connectionOptions({ ...more, ...shared, ...specific(node) }, host);
    return { ...options, socket: { ...options.socket, host: host!, port: port! } } satisfies ClientOptions;
  });
  const { database: _database, ...defaults } = connectionOptions(shared, seeds[0]?.socket.host ?? 'localhost');
  const keyPrefix = given.keyPrefix || given.redisOptions?.keyPrefix || undefined;
  return withoutUndefined<CoreOptions>({
    rootNodes: seeds.map(({ database: _db, ...seed }) => seed),
    defaults,
    useReplicas: scaleReads !== 'master',
    keyPrefix,
    maxCommandRedirections: maxRedirections,
    topologyRefreshIntervalMs: slotsRefreshInterval,
    redirectPolicy,
    nodeAddressMap: natMap
      ? (address: string) => (typeof natMap === 'function' ? natMap(address) : natMap[address]) ?? undefined
      : undefined,
  });
}

/** Credentials and TLS that a startup node names for itself. */
function specific(node: ClusterNode): RedisOptions {
  if (typeof node === 'number') return {};
  const { username, password, tls } = readArguments([node]);
  return withoutUndefined({ username, password, tls });
}
