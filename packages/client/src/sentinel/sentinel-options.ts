/** Options of a Sentinel client, and from them those of its connections. */

import { BasicPooledClientSideCache } from '../cache/client-side-cache.js';
import type { NodeAddressMap } from '../cluster/cluster-options.js';
import { addressOf, type NodeAddress } from '../cluster/topology.js';
import { InvalidOptionError } from '../errors.js';
import type { CommandOptions } from '../options/command-options.js';
import { checkOptions, ownOptions, SENTINEL_SCHEMA, within } from '../options/option-schema.js';
import { type ClientOptions, type ResolvedOptions, resolveCache, resolveOptions } from '../options/options.js';
import type { RedisArgument, RespVersion } from '../protocol/types.js';
import type { CustomCommandOptions } from '../scripting/custom-commands.js';
import type { CommandPolicyOptions } from '../security/command-policy.js';
import { POLICY_OPTIONS } from '../security/command-policy.js';
import { RedirectPolicy, type RedirectPolicyOptions } from '../security/redirect-policy.js';

export interface SentinelOptions extends CommandPolicyOptions, CustomCommandOptions {
  /** The name under which the sentinels monitor the master. */
  name: string;
  /** Some of the sentinels; three are enough. The others are learned from them. */
  sentinelRootNodes: NodeAddress[];
  /** Options of the connections to master and replicas: credentials, TLS, timeouts. */
  nodeClientOptions?: ClientOptions;
  /**
   * Options of the connections to the sentinels. Credentials are never taken from `nodeClientOptions`; TLS is, unless
   * it is given here, so that data connections with TLS cannot be led astray by sentinels without.
   */
  sentinelClientOptions?: ClientOptions;
  /** Times one command may be tried again because the master changed; default 16. */
  maxCommandRediscovers?: number;
  /** Connections to the master; default 1. */
  masterPoolSize?: number;
  /** Connections to each replica; default 0: reads go to the master too. */
  replicaPoolSize?: number;
  /** Where a node is reached whose own address is not reachable from here: by `host:port`, or a function. */
  nodeAddressMap?: NodeAddressMap;
  /** Milliseconds between questions to the sentinels; default 10 000. 0 = only when something happens. */
  scanInterval?: number;
  /** Emit the errors of single connections as `error` of this client. */
  passthroughClientErrorEvents?: boolean;
  /** Keep a connection for commands, however many are borrowed. */
  reserveClient?: boolean;
  /** Which hosts besides the sentinels' may be followed. */
  redirectPolicy?: RedirectPolicyOptions;
  commandOptions?: CommandOptions;
  keyPrefix?: RedisArgument;
  /** One cache for the connections to master and replicas. */
  clientSideCache?: ClientOptions['clientSideCache'];
  RESP?: RespVersion;
}

export interface ResolvedSentinelOptions {
  readonly name: string;
  readonly seeds: readonly NodeAddress[];
  /** Policy, prefix and the like of the commands. */
  readonly commands: ResolvedOptions;
  readonly redirects: RedirectPolicy;
  readonly maxRediscovers: number;
  readonly masterPoolSize: number;
  readonly replicaPoolSize: number;
  readonly scanInterval: number;
  readonly reserveClient: boolean;
  readonly passErrors: boolean;
  data(address: NodeAddress): ClientOptions;
  sentinel(address: NodeAddress): ClientOptions;
  /** Where to connect to for an address that a sentinel named. @throws RedirectRefusedError */
  follow(address: NodeAddress): NodeAddress;
}

/** @throws InvalidOptionError */
export function resolveSentinelOptions(options: SentinelOptions): ResolvedSentinelOptions {
  checkOptions(options, SENTINEL_SCHEMA);
  const given = ownOptions(options);
  const { nodeClientOptions: dataOptions = {}, sentinelClientOptions: askOptions = {}, nodeAddressMap } = given;
  for (const name of ['nodeClientOptions', 'sentinelClientOptions'] as const)
    if (given[name]?.url !== undefined || given[name]?.socket?.host !== undefined)
      throw new InvalidOptionError(
        `${name}.${given[name]?.url === undefined ? 'socket.host' : 'url'}`,
        'is not asked: addresses come from sentinelRootNodes and the sentinels',
      );
  const shared: ClientOptions = { ...dataOptions, clientSideCache: undefined };
  for (const name of [...POLICY_OPTIONS, 'commandOptions', 'keyPrefix', 'RESP'] as const)
    if (given[name] !== undefined) Object.assign(shared, { [name]: given[name] });
  const at = (options: ClientOptions, { host, port }: NodeAddress): ClientOptions => ({
    ...options,
    socket: { ...options.socket, host, port },
  });
  const sample = given.sentinelRootNodes[0]!;
  const cache = resolveCache(
    { RESP: shared.RESP, clientSideCache: given.clientSideCache ?? dataOptions.clientSideCache },
    BasicPooledClientSideCache,
  );
  const commands = { ...within('nodeClientOptions', () => resolveOptions(at(shared, sample))), cache };
  const saysTls = askOptions.tls !== undefined || askOptions.socket?.tls !== undefined;
  const sentinelOptions: ClientOptions = saysTls
    ? askOptions
    : {
        ...askOptions,
        tls: commands.connection.tls ?? false,
        allowPlaintext: askOptions.allowPlaintext ?? dataOptions.allowPlaintext,
      };
  // Each of them: a seed on another host may not be in plaintext beside one on this.
  const sentinels = given.sentinelRootNodes.map((seed) =>
    within('sentinelClientOptions', () => resolveOptions(at(sentinelOptions, seed))),
  );
  const sentinelTls = sentinels[0]!.connection.tls;
  if (commands.connection.tls !== undefined && sentinelTls === undefined && askOptions.allowPlaintext !== true)
    throw new InvalidOptionError(
      'sentinelClientOptions.tls',
      'sentinels in plaintext could lead data connections anywhere; use TLS for them too, or set sentinelClientOptions.allowPlaintext',
    );
  const hosts = given.sentinelRootNodes.map(({ host }) => host);
  const redirects = new RedirectPolicy(given.redirectPolicy ?? {}, hosts, commands.connection.tls);
  return {
    name: given.name,
    seeds: given.sentinelRootNodes,
    commands,
    redirects,
    maxRediscovers: given.maxCommandRediscovers ?? 16,
    masterPoolSize: given.masterPoolSize ?? 1,
    replicaPoolSize: given.replicaPoolSize ?? 0,
    scanInterval: given.scanInterval ?? 10_000,
    reserveClient: given.reserveClient ?? false,
    passErrors: given.passthroughClientErrorEvents ?? false,
    data: (address) => at(shared, address),
    sentinel: (address) => at(sentinelOptions, address),
    follow(address) {
      const text = addressOf(address);
      const mapped = typeof nodeAddressMap === 'function' ? nodeAddressMap(text) : nodeAddressMap?.[text];
      // Where the application itself says to go needs no vouching.
      if (mapped !== undefined) return mapped;
      const refused = redirects.refusalOf(address.host);
      if (refused !== undefined) throw refused;
      return address;
    },
  };
}
