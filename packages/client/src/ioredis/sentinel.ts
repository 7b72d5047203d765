import { addressOf, type NodeAddress } from '../cluster/topology.js';
import type { Connection } from '../connection/connection.js';
import type { Secret } from '../credentials/secret.js';
import { RedkeepError, SocketClosedUnexpectedlyError } from '../errors.js';
import { type ResolvedOptions, resolveOptions } from '../options/options.js';
import { SentinelMonitor } from '../sentinel/sentinel-monitor.js';
import { type ResolvedSentinelOptions, resolveSentinelOptions } from '../sentinel/sentinel-options.js';
import { connectionOptions, type GivenOptions, type NatMap, type PreferredSlaves } from './options.js';

const DEFAULT_SENTINEL_PORT = 26_379;

export class SentinelLocator {
  /** Options of the data connection, which asks before every socket where to go. */
  readonly resolved: ResolvedOptions;
  readonly #settings: ResolvedSentinelOptions;
  readonly #role: 'master' | 'replica';
  readonly #preferred: PreferredSlaves | null | undefined;
  readonly #onError: (error: Error) => void;
  #monitor: SentinelMonitor | undefined;
  #connection: Connection | undefined;
  /** Where the sentinels last led to. */
  #at: string | undefined;

  /**
   * `onError`: one sentinel failed; the others are asked.
   * @throws InvalidOptionError
   */
  constructor(given: GivenOptions, onError: (error: Error) => void) {
    const { sentinelTLS, sentinelUsername, sentinelPassword, allowPlaintext } = given;
    const seeds = (given.sentinels ?? []).map(({ host = 'localhost', port = DEFAULT_SENTINEL_PORT }) => ({
      host,
      port,
    }));
    this.#onError = onError;
    this.#preferred = given.preferredSlaves;
    this.#role = given.role === 'slave' ? 'replica' : 'master';
    this.#settings = resolveSentinelOptions({
      name: given.name ?? undefined!,
      sentinelRootNodes: seeds,
      nodeClientOptions: connectionOptions(given, seeds[0]?.host ?? 'localhost'),
      sentinelClientOptions: {
        ...(sentinelUsername ? { username: sentinelUsername } : {}),
        ...(sentinelPassword ? { password: sentinelPassword as string | Secret } : {}),
        ...(sentinelTLS === undefined || sentinelTLS === null ? {} : { tls: sentinelTLS }),
        ...(allowPlaintext === undefined ? {} : { allowPlaintext }),
      },
      ...(given.natMap ? { nodeAddressMap: addressMap(given.natMap) } : {}),
    });
    const { commands } = this.#settings;
    this.resolved = {
      ...commands,
      connection: {
        ...commands.connection,
        handshake: { ...commands.connection.handshake, role: this.#role },
        locate: () => this.#locate(),
      },
    };
  }

  /** The connection that is led. */
  attach(connection: Connection): void {
    this.#connection = connection;
    if (this.#role === 'master') connection.followsPrimary = this.#settings.maxRediscovers;
  }

  /** Ends the connections to the sentinels; the next question makes new ones. */
  stop(): void {
    this.#monitor?.destroy();
    this.#monitor = this.#at = undefined;
  }

  async #locate(): Promise<Pick<ResolvedOptions['connection'], 'endpoint' | 'tls'>> {
    this.#monitor ??= new SentinelMonitor(this.#settings, () => void this.#look(), this.#onError);
    const topology = await this.#monitor.observe();
    const chosen = this.#role === 'master' ? topology.master : prefer(topology.replicas, this.#preferred);
    if (chosen === undefined) throw new RedkeepError('REDKEEP_NO_NODE', 'The sentinels name no replica');
    const { connection } = resolveOptions(this.#settings.data(this.#settings.follow(chosen)));
    this.#at = addressOf(chosen);
    return { endpoint: connection.endpoint, tls: connection.tls };
  }

  /** A sentinel announced a change: an old primary that hangs, or was cut off, would keep its connection open. */
  async #look(): Promise<void> {
    const monitor = this.#monitor;
    if (this.#role !== 'master' || monitor === undefined) return;
    // Sentinels that do not answer say nothing of the primary.
    const topology = await monitor.observe().catch(() => undefined);
    if (topology === undefined || monitor !== this.#monitor || this.#at === undefined) return;
    if (addressOf(topology.master) === this.#at) return;
    this.#at = undefined;
    this.#connection?.leave(new SocketClosedUnexpectedlyError());
  }
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
