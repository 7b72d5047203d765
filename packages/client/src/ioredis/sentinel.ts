/** ioredis's Sentinel options: one connection to whoever is primary (or a replica), found by asking the sentinels. */
import type { NodeAddress } from '../cluster/topology.js';
import type { Secret } from '../credentials/secret.js';
import { RedkeepError } from '../errors.js';
import { type ResolvedOptions, resolveOptions } from '../options/options.js';
import { SentinelMonitor } from '../sentinel/sentinel-monitor.js';
import { resolveSentinelOptions } from '../sentinel/sentinel-options.js';
import { connectionOptions, type GivenOptions, type NatMap, type PreferredSlaves } from './options.js';

const DEFAULT_SENTINEL_PORT = 26_379;

/** @throws InvalidOptionError */
export function sentinelResolved(
  given: GivenOptions,
  emit: (event: 'error' | 'sentinelError', error: Error) => void,
): ResolvedOptions {
  const { sentinelTLS, sentinelUsername, sentinelPassword, allowPlaintext } = given;
  const seeds = (given.sentinels ?? []).map(({ host = 'localhost', port = DEFAULT_SENTINEL_PORT }) => ({ host, port }));
  const data = connectionOptions(given, seeds[0]?.host ?? 'localhost');
  const role = given.role === 'slave' ? 'replica' : 'master';
  const settings = resolveSentinelOptions({
    name: given.name ?? undefined!,
    sentinelRootNodes: seeds,
    nodeClientOptions: data,
    sentinelClientOptions: {
      ...(sentinelUsername ? { username: sentinelUsername } : {}),
      ...(sentinelPassword ? { password: sentinelPassword as string | Secret } : {}),
      ...(sentinelTLS === undefined || sentinelTLS === null ? {} : { tls: sentinelTLS }),
      ...(allowPlaintext === undefined ? {} : { allowPlaintext }),
    },
    ...(given.natMap ? { nodeAddressMap: addressMap(given.natMap) } : {}),
  });
  const monitor = new SentinelMonitor(
    settings,
    () => {},
    (error) => emit('sentinelError', error),
  );
  const { commands } = settings;
  return {
    ...commands,
    connection: {
      ...commands.connection,
      handshake: { ...commands.connection.handshake, role },
      locate: async () => {
        const topology = await monitor.observe();
        const chosen = role === 'master' ? topology.master : prefer(topology.replicas, given.preferredSlaves);
        if (chosen === undefined) throw new RedkeepError('REDKEEP_NO_NODE', 'The sentinels name no replica');
        const { connection } = resolveOptions(settings.data(settings.follow(chosen)));
        return { endpoint: connection.endpoint, tls: connection.tls };
      },
    },
  };
}

function addressMap(map: NatMap) {
  return (address: string): NodeAddress | undefined =>
    (typeof map === 'function' ? map(address) : map[address]) ?? undefined;
}

function prefer(
  replicas: readonly NodeAddress[],
  preferred: PreferredSlaves | null | undefined,
): NodeAddress | undefined {
  const any = () => replicas[Math.floor(Math.random() * replicas.length)];
  if (!preferred) return any();
  const offered = replicas.map(({ host, port }) => ({ ip: host, port: String(port) }));
  const same = (a: { ip: string; port: string | number }, b: { ip: string; port: string | number }) =>
    a.ip === b.ip && String(a.port) === String(b.port);
  const chosen =
    typeof preferred === 'function'
      ? preferred(offered)
      : [preferred]
          .flat()
          .sort((a, b) => (a.prio ?? 1) - (b.prio ?? 1))
          .find((wish) => offered.some((replica) => same(replica, wish)));
  if (!chosen) return any();
  return replicas.find(({ host, port }) => same({ ip: host, port }, chosen)) ?? any();
}
