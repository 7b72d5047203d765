/** The nodes of a cluster and their clients; which node serves which slot. */

import type { EventEmitter } from 'node:events';
import type { RedisClient } from '../client/client.js';
import { MEMBER_EVENTS } from '../client/client-core.js';
import { emitSafely } from '../client/emit-safely.js';
import { CORE } from '../client/symbols.js';
import type { Connection, HandedOver } from '../connection/connection.js';
import { type ErrorReply, SocketClosedUnexpectedlyError } from '../errors.js';
import type { ClientOptions, ResolvedOptions } from '../options/options.js';
import { PoolCore, resolvePoolOptions } from '../pool/pool-core.js';
import type { RedisArgument } from '../protocol/types.js';
import { setParent } from '../telemetry/client-registry.js';
import type { ResolvedClusterOptions } from './cluster-options.js';
import { SLOTS } from './slot.js';
import { type AnnouncedNode, type AnnouncedShard, addressOf } from './topology.js';

export interface ClusterNode {
  /** `host:port` as announced. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  id: string;
  /** A replica. */
  readonly: boolean;
  /** Undefined until it is needed, and when it gave up. */
  client: RedisClient | undefined;
}

export interface Shard {
  master: ClusterNode;
  replicas: ClusterNode[];
}

interface NodeState {
  readonly aliases: readonly string[];
  /** Why it may not be connected to. */
  readonly refusal: Error | undefined;
  pool: PoolCore<RedisClient> | undefined;
  zone: string | undefined;
}

export interface NodesListener {
  onRefused(node: ClusterNode, error: ErrorReply, handed: HandedOver): boolean;
  /** A connection is lost, or cannot be had. */
  onTrouble(node: ClusterNode): void;
}

/** Issued on this very node by the application (`nodeClient`): its answer, or refusal, is what was asked for. */
export function isDirect(client: RedisClient | undefined, handed: HandedOver): boolean {
  return client?.[CORE].direct?.has(handed.command.args) === true;
}

/** Connections per node for those who borrow one. */
const LENT_PER_NODE = 100;

export class ClusterNodes {
  slots: (Shard | undefined)[] = new Array(SLOTS).fill(undefined);
  /** First slots of the shards' masters, ascending. */
  starts: readonly number[] = [];
  masters: ClusterNode[] = [];
  replicas: ClusterNode[] = [];
  readonly byAddress = new Map<string, ClusterNode>();
  readonly #states = new WeakMap<ClusterNode, NodeState>();
  /** The first connecting of each client. */
  readonly #connected = new WeakMap<RedisClient, Promise<unknown>>();
  readonly #options: ResolvedClusterOptions;
  /** With the scripts, functions and modules that were given. */
  readonly #Client: typeof RedisClient;
  readonly #emitter: EventEmitter;
  readonly #listener: NodesListener;
  readonly #askZones: boolean;

  constructor(
    options: ResolvedClusterOptions,
    Client: typeof RedisClient,
    askZones: boolean,
    emitter: EventEmitter,
    listener: NodesListener,
  ) {
    this.#options = options;
    this.#Client = Client;
    this.#askZones = askZones;
    this.#emitter = emitter;
    this.#listener = listener;
  }

  get all(): ClusterNode[] {
    return [...this.byAddress.values()];
  }

  /** The node at an announced address, made if it is new. Nothing is connected yet. */
  at(announced: AnnouncedNode, replica: boolean): ClusterNode {
    const address = addressOf(announced);
    let node = this.byAddress.get(address);
    if (node === undefined) {
      const { host, port, id, aliases } = announced;
      node = { address, host, port, id, readonly: replica, client: undefined };
      // Where the application itself says to go needs no vouching.
      const refusal =
        this.#options.mapped(address) === undefined ? this.#options.redirects.refusalOf(host, aliases) : undefined;
      this.#states.set(node, { aliases, refusal, pool: undefined, zone: undefined });
      this.byAddress.set(address, node);
      if (refusal !== undefined) emitSafely(this.#emitter, 'error', refusal);
    }
    return node;
  }

  refusal(node: ClusterNode): Error | undefined {
    return this.#states.get(node)?.refusal;
  }
  zone(node: ClusterNode): string | undefined {
    return this.#states.get(node)?.zone;
  }

  /** The node's client, connected or about to be. Check {@link refusal} first. */
  client(node: ClusterNode): RedisClient {
    if (node.client !== undefined) return node.client;
    const client = this.#newClient(node);
    const where = { host: node.host, port: node.port };
    const pass = (event: string) => (error?: Error) =>
      error === undefined ? emitSafely(this.#emitter, event, where) : emitSafely(this.#emitter, event, error, where);
    client
      .on('connect', pass('node-connect'))
      .on('ready', () => {
        emitSafely(this.#emitter, 'node-ready', where);
        if (this.#askZones) void this.#askZone(node);
      })
      .on('reconnecting', pass('node-reconnecting'))
      .on('error', (error: Error) => {
        emitSafely(this.#emitter, 'node-error', error, where);
        this.#listener.onTrouble(node);
      })
      .on('end', () => {
        if (node.client === client) node.client = undefined;
        emitSafely(this.#emitter, 'node-disconnect', where);
      });
    for (const event of MEMBER_EVENTS)
      client.on(event, (...details: unknown[]) => emitSafely(this.#emitter, event, ...details, where));
    const core = client[CORE];
    core.direct = new WeakSet();
    core.connection.redirector = (error, handed) =>
      !isDirect(client, handed) && this.#listener.onRefused(node, error, handed);
    node.client = client;
    const connected = client.connect();
    this.#connected.set(client, connected);
    // Its failure is reported by 'node-error', and rejects the callers that wait for it.
    connected.catch(() => {});
    return client;
  }

  connection(node: ClusterNode): Connection {
    return (node.client ?? this.client(node))[CORE].connection;
  }

  /** Resolves when the node can run commands; rejects with why not. */
  async ready(node: ClusterNode): Promise<RedisClient> {
    const refusal = this.refusal(node);
    if (refusal !== undefined) throw refusal;
    const client = this.client(node);
    await this.#connected.get(client);
    // It was connected before, and is being replaced.
    if (!client.isReady) await client.ping();
    return client;
  }

  #newClient(node: ClusterNode, keyPrefix?: RedisArgument): RedisClient {
    const { cache, rateLimit } = this.#options;
    const adjust = (resolved: ResolvedOptions) => ({ ...this.adjust(node, resolved), cache, rateLimit, keyPrefix });
    const client = new this.#Client(this.optionsOf(node), adjust);
    setParent(client[CORE].connection, this);
    return client;
  }

  optionsOf(node: ClusterNode): ClientOptions {
    const { host, port } = this.#options.mapped(node.address) ?? node;
    return this.#options.node({ host, port }, node.readonly);
  }

  /** The node may prove any of the names that it was announced under. */
  adjust(node: ClusterNode, resolved: ResolvedOptions): ResolvedOptions {
    const { endpoint } = resolved.connection;
    if (endpoint.kind !== 'tcp') return resolved;
    const names = [node.host, ...(this.#states.get(node)?.aliases ?? [])].filter((name) => name !== endpoint.host);
    return { ...resolved, connection: { ...resolved.connection, endpoint: { ...endpoint, aliases: names } } };
  }

  /** Connections of this node that can be borrowed. */
  async pool(node: ClusterNode): Promise<PoolCore<RedisClient>> {
    const refusal = this.refusal(node);
    if (refusal !== undefined) throw refusal;
    const state = this.#states.get(node)!;
    if (state.pool === undefined) {
      const sample = this.client(node)[CORE].options;
      const options = resolvePoolOptions({ minimum: 0, maximum: LENT_PER_NODE });
      const { keyPrefix } = this.#options;
      const newClient = () => this.#newClient(node, keyPrefix);
      const emit = (event: string, ...details: unknown[]) => emitSafely(this.#emitter, event, ...details);
      state.pool = new PoolCore(newClient, { ...sample, ...this.#options }, options, emit, this);
      await state.pool.open();
    }
    return state.pool;
  }

  async #askZone(node: ClusterNode): Promise<void> {
    const state = this.#states.get(node);
    const text = await node.client?.sendCommand(['INFO', 'server']).catch(() => undefined);
    const zone = /^availability_zone:(.*?)\r?$/m.exec(String(text))?.[1];
    if (state !== undefined) state.zone = zone;
  }

  // ---------------------------------------------------------------- topology

  /** Takes over what was announced; returns the nodes that are no longer part of the cluster. */
  apply(shards: readonly AnnouncedShard[]): ClusterNode[] {
    const slots: (Shard | undefined)[] = new Array(SLOTS).fill(undefined);
    const present = new Set<ClusterNode>();
    const member = (announced: AnnouncedNode, replica: boolean) => {
      const node = this.at(announced, replica);
      node.id = announced.id;
      if (node.readonly !== replica) {
        node.readonly = replica;
        node.client?.[CORE].connection.readAsReplica(this.optionsOf(node).readonly === true);
      }
      present.add(node);
      return node;
    };
    const masters: ClusterNode[] = [];
    const replicas: ClusterNode[] = [];
    for (const announced of shards) {
      const shard: Shard = {
        master: member(announced.master, false),
        replicas: announced.replicas.map((replica) => member(replica, true)),
      };
      masters.push(shard.master);
      replicas.push(...shard.replicas);
      for (const [first, last] of announced.ranges) for (let slot = first; slot <= last; slot++) slots[slot] = shard;
    }
    this.slots = slots;
    this.masters = masters;
    this.replicas = [...new Set(replicas)];
    this.starts = shards.map(({ ranges }) => ranges[0]![0]);
    const gone = this.all.filter((node) => !present.has(node));
    for (const node of gone) this.byAddress.delete(node.address);
    return gone;
  }

  /** One slot moved, as a redirect said; its shard keeps its replicas if it is known. */
  move(slot: number, master: ClusterNode): void {
    if (this.slots[slot]?.master === master) return;
    const known = this.slots.find((shard) => shard?.master === master);
    this.slots[slot] = known ?? { master, replicas: [] };
    if (!this.masters.includes(master)) this.masters.push(master);
  }

  /** Lets a node that left finish what it was sent. */
  release(node: ClusterNode): void {
    const { client } = node;
    node.client = undefined;
    if (client?.isReady) client.close().catch(() => {});
    else client?.[CORE].abandon(new SocketClosedUnexpectedlyError());
    this.#states.get(node)?.pool?.destroy();
  }

  async close(): Promise<void> {
    await Promise.all(
      this.all.flatMap((node) => {
        const { client } = node;
        return [client?.isOpen ? client.close() : undefined, this.#states.get(node)?.pool?.close()];
      }),
    );
  }

  destroy(): void {
    for (const node of this.all) {
      if (node.client?.isOpen) node.client.destroy();
      this.#states.get(node)?.pool?.destroy();
    }
  }
}
