/** A cluster's options, and from them those of each node. */
import { BasicPooledClientSideCache } from '../cache/client-side-cache.js';
import { InvalidOptionError } from '../errors.js';
import type { CommandOptions } from '../options/command-options.js';
import { CLUSTER_SCHEMA, checkOptions, ownOptions, within } from '../options/option-schema.js';
import { type ClientOptions, type ResolvedOptions, resolveCache, resolveOptions } from '../options/options.js';
import { SecretOptions } from '../options/secret-options.js';
import type { RedisArgument, RespVersion } from '../protocol/types.js';
import { RateLimit } from '../resilience/rate-limit.js';
import type { CustomCommandOptions } from '../scripting/custom-commands.js';
import { CommandPolicy, type CommandPolicyOptions, POLICY_OPTIONS } from '../security/command-policy.js';
import { RedirectPolicy, type RedirectPolicyOptions } from '../security/redirect-policy.js';
import type { NodeAddress } from './topology.js';

/** A client's options; host and port may stand in them as they do in other clients' lists of nodes. */
export type RootNode = ClientOptions & { host?: string; port?: number | string };

/** From announced to reachable addresses, `host:port` each: for NAT and tunnels. */
export type NodeAddressMap = Readonly<Record<string, NodeAddress>> | ((address: string) => NodeAddress | undefined);

export interface ClusterOptions extends CommandPolicyOptions, CustomCommandOptions {
  /** Some nodes of the cluster, three or more; used to discover it, each with its own options. */
  rootNodes: RootNode[];
  /** Options of every connection: credentials, TLS, timeouts. */
  defaults?: ClientOptions;
  /** Connect to nodes when they are needed, not all at once. @default false */
  minimizeConnections?: boolean;
  /** Run reads on replicas too, which may be behind. @default false */
  useReplicas?: boolean;
  /** With `useReplicas`: read from replicas of this availability zone where there are any (Valkey 8.0). */
  availabilityZone?: string;
  /** Redirects and retries that one command may take. @default 16 */
  maxCommandRedirections?: number;
  /** Where a node is reached whose own address is not reachable from here: by `host:port`, or a function. */
  nodeAddressMap?: NodeAddressMap;
  /** Milliseconds between refreshes of the topology, ±25 %; 0 = only after errors. @default 30000 */
  topologyRefreshIntervalMs?: number;
  /**
   * Milliseconds from a lost connection to a refresh of the topology; `false` = no refresh. @default 0
   */
  topologyRefreshOnReconnectionAttemptStrategy?:
    | false
    | number
    | ((firstReconnectionAt: number) => false | number | undefined);
  /** Which hosts besides the seeds may be followed. */
  redirectPolicy?: RedirectPolicyOptions;
  commandOptions?: CommandOptions;
  keyPrefix?: RedisArgument;
  /** One cache for the connections of all nodes. */
  clientSideCache?: ClientOptions['clientSideCache'];
  RESP?: RespVersion;
}

export interface ResolvedClusterOptions {
  readonly policy: CommandPolicy;
  readonly redirects: RedirectPolicy;
  readonly keyPrefix: RedisArgument | undefined;
  readonly commandOptions: CommandOptions;
  readonly cache: ResolvedOptions['cache'];
  readonly rateLimit: ResolvedOptions['rateLimit'];
  readonly maxRedirects: number;
  readonly refreshInterval: number;
  /** Clients that ask one seed each. */
  readonly seeds: readonly ClientOptions[];
  /** Options of a node's client. */
  node(address: NodeAddress, isReplica: boolean): ClientOptions;
  mapped(address: string): NodeAddress | undefined;
}

/** @throws InvalidOptionError */
export function resolveClusterOptions(options: ClusterOptions): ResolvedClusterOptions {
  checkOptions(options, CLUSTER_SCHEMA);
  const given = ownOptions(options);
  const { defaults = {}, rootNodes } = given;
  if (defaults.url !== undefined) throw new InvalidOptionError('defaults.url', 'belongs into rootNodes');
  const policyOptions: CommandPolicyOptions = {};
  for (const name of POLICY_OPTIONS) {
    const value = given[name] ?? defaults[name];
    if (value !== undefined) Object.assign(policyOptions, { [name]: value });
  }
  const shared: ClientOptions = {
    ...defaults,
    clientSideCache: undefined,
    ...policyOptions,
    ...(given.RESP === undefined ? {} : { RESP: given.RESP }),
    ...(given.commandOptions === undefined ? {} : { commandOptions: given.commandOptions }),
  };
  const seeds = rootNodes.map(ownAddress).map((root) => ({
    ...shared,
    ...root,
    socket: { ...defaults.socket, ...root.socket, reconnectStrategy: false as const },
  }));
  const resolved: ResolvedOptions[] = seeds.map((seed, i) => within(`rootNodes[${i}]`, () => resolveOptions(seed)));
  // A node speaks TLS as its seeds do, unless `defaults` say.
  const saysTls = defaults.tls !== undefined || defaults.socket?.tls !== undefined;
  const first = resolved[0];
  const tls: Pick<ClientOptions, 'tls' | 'allowPlaintext'> =
    saysTls || first === undefined
      ? {}
      : { tls: first.connection.tls ?? false, allowPlaintext: defaults.allowPlaintext ?? rootNodes[0]!.allowPlaintext };
  const node = (address: NodeAddress, isReplica: boolean): ClientOptions => ({
    ...shared,
    ...tls,
    socket: { ...defaults.socket, host: address.host, port: address.port },
    // A master that is demoted while nobody looks must refuse reads, not answer them with what it last knew.
    readonly: given.useReplicas === true && isReplica,
  });
  const hosts = resolved.flatMap(({ connection }) =>
    connection.endpoint.kind === 'tcp' ? [connection.endpoint.host] : [],
  );
  const nodeTls =
    hosts.length === 0
      ? undefined
      : within('defaults', () => resolveOptions(node({ host: hosts[0]!, port: 6379 }, false))).connection.tls;
  const { nodeAddressMap } = given;
  return {
    policy: new CommandPolicy(policyOptions),
    redirects: new RedirectPolicy(given.redirectPolicy ?? {}, hosts, nodeTls),
    keyPrefix: given.keyPrefix === undefined || given.keyPrefix.length === 0 ? undefined : given.keyPrefix,
    commandOptions: shared.commandOptions ?? {},
    cache: resolveCache(
      { RESP: shared.RESP, clientSideCache: given.clientSideCache ?? defaults.clientSideCache },
      BasicPooledClientSideCache,
    ),
    rateLimit: shared.rateLimit === undefined ? undefined : new RateLimit(shared.rateLimit),
    maxRedirects: given.maxCommandRedirections ?? 16,
    refreshInterval: given.topologyRefreshIntervalMs ?? 30_000,
    // Taken apart, so that printing a cluster shows no password.
    seeds: seeds.map((seed) => SecretOptions.of(seed)),
    node,
    mapped: (address) => (typeof nodeAddressMap === 'function' ? nodeAddressMap(address) : nodeAddressMap?.[address]),
  };
}

/** Host and port beside a URL repeat it; without one they are the address. */
function ownAddress({ host, port, ...root }: RootNode): ClientOptions {
  if (host === undefined && port === undefined) return root;
  const beside = { ...(host === undefined ? {} : { host }), ...(port === undefined ? {} : { port }) };
  return { ...root, socket: { ...beside, ...root.socket } };
}
