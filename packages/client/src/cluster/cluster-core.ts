/**
 * What a cluster is made of: a slot map, the nodes' connections, and what to do when a node says no.
 *
 *     command -> slot -> node -> connection ──> promise
 *                          ^         │ MOVED, ASK, TRYAGAIN, READONLY … or the node is gone
 *                          └─ #place ┘
 *
 * On the happy path a command costs its slot and two look-ups more than on a single server: the connection itself
 * hands back what a server refused (see Connection.redirector), with the caller's promise in it.
 */

import type { EventEmitter } from 'node:events';
import { clientClass, RedisClient } from '../client/client.js';
import { emitSafely } from '../client/emit-safely.js';
import { CORE } from '../client/symbols.js';
import { clearTimeout, performance, setImmediate, setTimeout } from '../clock.js';
import { Command, Flag, spec } from '../commands/command.js';
import { prefixKey, prefixKeys } from '../commands/key-prefix.js';
import type { Connection, DispatchOptions, HandedOver } from '../connection/connection.js';
import { isDemoted, isNotReady, isNotServed } from '../connection/refusals.js';
import { type ProtectionMessage, protectionChannel, serverInfo } from '../diagnostics.js';
import type { Dispatcher, TransactionTarget } from '../dispatcher.js';
import {
  ClientClosedError,
  ClientOfflineError,
  CrossSlotError,
  DisconnectsClientError,
  ErrorReply,
  MaxCommandRedirectionsError,
  RedkeepError,
  RootNodesUnavailableError,
  SocketClosedUnexpectedlyError,
} from '../errors.js';
import { clientError } from '../node-redis/channels.js';
import { DEFAULTS } from '../options/defaults.js';
import { type ClientOptions, resolveOptions } from '../options/options.js';
import type { PoolCore } from '../pool/pool-core.js';
import { SCRIPT_COMMANDS } from '../server-message.js';
import { enterParent, leaveParent, nameOf } from '../telemetry/client-registry.js';
import { type ClusterOptions, type ResolvedClusterOptions, resolveClusterOptions } from './cluster-options.js';
import { ClusterPubSub } from './cluster-pub-sub.js';
import { type ClusterNode, ClusterNodes, isDirect, type Shard } from './nodes.js';
import { nextCursor, readCursor } from './scan-cursor.js';
import { slotOf } from './slot.js';
import { FAN_OUT, splitBySlot } from './split.js';
import { type AnnouncedShard, parseRedirect, parseSlots, type Redirect } from './topology.js';

const CLUSTER_SLOTS = new Command(spec('CLUSTER SLOTS'), []);
const ASKING = new Command(spec('ASKING'), []);

/** How long to wait for one node's CLUSTER SLOTS before asking the next, ms. */
const TOPOLOGY_TIMEOUT = 2000;
/** Milliseconds between two looks at the topology that errors cause. */
const REFRESH_GAP = 500;
/** Milliseconds before a command that found its slot unserved or on the move tries again; doubles each time. */
const RETRY_BASE = 20;
const RETRY_CAP = 1000;
/** Redirects that are followed at once; more look like nodes that disagree, and wait a little. */
const QUICK_REDIRECTS = 4;

export type ClusterState = 'closed' | 'connecting' | 'ready' | 'closing';

export class ClusterCore implements Dispatcher, TransactionTarget {
  readonly options: ResolvedClusterOptions;
  readonly nodes: ClusterNodes;
  readonly pubSub: ClusterPubSub;
  /** Which node of a shard answers a read, with `useReplicas`; the primary where it names none. */
  chooseReader: ((nodes: readonly ClusterNode[], command: Command<unknown>) => ClusterNode | undefined) | undefined;
  readonly #given: ClusterOptions;
  readonly #emitter: EventEmitter;
  /** Commands that wait for their next try. */
  readonly #parked = new Map<NodeJS.Timeout, () => void>();
  /** Clients that ask seeds at this moment. */
  readonly #asking = new Set<RedisClient>();
  #state: ClusterState = 'closed';
  #turn = 0;
  #refreshing: Promise<void> | undefined;
  #refreshTimer: NodeJS.Timeout | undefined;
  #periodicTimer: NodeJS.Timeout | undefined;
  #refreshedAt = Number.NEGATIVE_INFINITY;

  constructor(given: ClusterOptions, emitter: EventEmitter) {
    this.#given = given;
    this.options = resolveClusterOptions(given);
    this.#emitter = emitter;
    this.pubSub = new ClusterPubSub(this, emitter);
    this.options.policy.onRefused = (refusal) => emitSafely(emitter, 'command-refused', refusal);
    const askZones = given.availabilityZone !== undefined;
    this.nodes = new ClusterNodes(this.options, clientClass(given), askZones, emitter, {
      onRefused: (node, error, handed) => this.#onRefused(node, error, handed),
      onTrouble: () => this.#onTrouble(),
    });
  }

  get state(): ClusterState {
    return this.#state;
  }

  // ---------------------------------------------------------------- life

  async open(): Promise<void> {
    if (this.#state !== 'closed') throw new RedkeepError('REDKEEP_ALREADY_CONNECTED', 'Cluster already open');
    this.#state = 'connecting';
    try {
      const seeds = this.options.seeds.map((seed) => serverInfo(resolveOptions(seed).connection.endpoint).server);
      enterParent(this.nodes, ...seeds);
      this.#apply(await this.#firstTopology());
      if (this.#given.minimizeConnections !== true) {
        const wanted = this.#given.useReplicas === true ? this.nodes.all : this.nodes.masters;
        await Promise.all(wanted.map((node) => (node.readonly ? this.#tryReady(node) : this.nodes.ready(node))));
      }
      if (this.#isClosed()) throw new DisconnectsClientError();
      this.#state = 'ready';
      this.#schedulePeriodic();
      emitSafely(this.#emitter, 'connect');
    } catch (error) {
      if (!this.#isClosed()) this.destroy();
      throw error;
    }
  }

  /** A cluster that is loading or failing over is waited for, as a server is. */
  async #firstTopology(): Promise<AnnouncedShard[]> {
    const until = performance.now() + DEFAULTS.startupTimeout;
    for (let tries = 1; ; tries++) {
      try {
        return await this.#askSeeds();
      } catch (error) {
        const isPassing = (error as { cause?: { code?: unknown } }).cause?.code === 'REDKEEP_SERVER_NOT_READY';
        if (!isPassing || this.#isClosed() || performance.now() > until) throw error;
        await this.#pause(tries);
      }
    }
  }

  /** A replica that is down does not prevent the start. */
  async #tryReady(node: ClusterNode): Promise<void> {
    await this.nodes.ready(node).catch(() => {});
  }

  #isClosed(): boolean {
    return this.#state === 'closed';
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#stopTimers();
    // What waits for another try gets it now, before the connections finish.
    for (const [timer, run] of this.#parked) {
      clearTimeout(timer);
      run();
    }
    this.#parked.clear();
    this.#state = 'closing';
    await Promise.all([this.nodes.close(), this.pubSub.close()]);
    this.#state = 'closed';
    leaveParent(this.nodes);
    emitSafely(this.#emitter, 'disconnect');
  }

  destroy(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    leaveParent(this.nodes);
    this.#stopTimers();
    for (const [timer, run] of this.#parked) {
      clearTimeout(timer);
      run();
    }
    this.#parked.clear();
    for (const client of this.#asking) if (client.isOpen) client.destroy();
    this.nodes.destroy();
    void this.pubSub.close();
    emitSafely(this.#emitter, 'disconnect');
  }

  #stopTimers(): void {
    clearTimeout(this.#refreshTimer);
    clearTimeout(this.#periodicTimer);
    this.#refreshTimer = this.#periodicTimer = undefined;
  }

  // ---------------------------------------------------------------- commands

  dispatch<T>(command: Command<T>, options: DispatchOptions = this.options.commandOptions): Promise<T> {
    const refused = this.options.policy.refusalOf(command);
    if (refused !== undefined) return Promise.reject(refused);
    const { keyPrefix } = this.options;
    return this.#send(keyPrefix === undefined ? command : prefixKeys(command, keyPrefix), options);
  }

  /** Like {@link dispatch}, for a command whose keys the caller knows better than this package. */
  dispatchTo<T>(
    key: RedisKey,
    command: Command<T>,
    options: DispatchOptions = this.options.commandOptions,
  ): Promise<T> {
    const refused = this.options.policy.refusalOf(command);
    if (refused !== undefined) return Promise.reject(refused);
    return this.#sendToSlot(slotOf(key), command, options);
  }

  #send<T>(command: Command<T>, options?: DispatchOptions): Promise<T> {
    if (this.#state !== 'ready') return Promise.reject(this.#closedError());
    const { args } = command;
    const positions = command.spec.keys(args);
    if (positions.length === 0) return this.#sendKeyless(command, options);
    const slot = slotOf(args[positions[0]!]);
    for (let i = 1; i < positions.length; i++)
      if (slotOf(args[positions[i]!]) !== slot) return this.#sendSplit(command, options);
    return this.#sendToSlot(slot, command, options);
  }

  #sendToSlot<T>(slot: number, command: Command<T>, options?: DispatchOptions): Promise<T> {
    if (this.#state !== 'ready') return Promise.reject(this.#closedError());
    const { flags } = command.spec;
    const shard = this.nodes.slots[slot];
    const node = shard === undefined ? this.anyMaster() : this.#nodeOf(shard, command);
    if ((flags & Flag.BLOCKING) !== 0) return this.#sendBlocking(slot, node, command, options);
    return this.#sendToNode(node, command, options);
  }

  #sendToNode<T>(node: ClusterNode, command: Command<T>, options?: DispatchOptions): Promise<T> {
    if (node.client === undefined) {
      const refusal = this.nodes.refusal(node);
      if (refusal !== undefined) return Promise.reject(refusal);
    }
    return (node.client ?? this.nodes.client(node))[CORE].send(command, options);
  }

  #closedError(): Error {
    return this.#state === 'connecting' ? new ClientOfflineError() : new ClientClosedError();
  }

  #nodeOf(shard: Shard, command: Command<unknown>): ClusterNode {
    const { flags } = command.spec;
    if (this.#given.useReplicas !== true || (flags & Flag.READONLY) === 0 || shard.replicas.length === 0)
      return shard.master;
    if (this.chooseReader !== undefined) {
      const reachable = [shard.master, ...shard.replicas].filter((node) => this.nodes.refusal(node) === undefined);
      return this.chooseReader(reachable, command) ?? shard.master;
    }
    return this.#reader(shard);
  }

  /** The node to read from: near replicas if there are any, else all of the shard in turn; only those that can answer now. */
  #reader(shard: Shard): ClusterNode {
    const zone = this.#given.availabilityZone;
    const near =
      zone === undefined ? [] : [shard.master, ...shard.replicas].filter((node) => this.nodes.zone(node) === zone);
    const candidates = near.length > 0 ? near : [...shard.replicas, shard.master];
    for (let i = 0; i < candidates.length; i++) {
      this.#turn = (this.#turn + 1) % 1_000_003;
      const node = candidates[this.#turn % candidates.length]!;
      if (this.nodes.refusal(node) === undefined && this.nodes.client(node).isReady) return node;
    }
    return shard.master;
  }

  /** A master that can answer, in turn. */
  anyMaster(): ClusterNode {
    const { masters } = this.nodes;
    for (let i = 0; i < masters.length; i++) {
      this.#turn = (this.#turn + 1) % 1_000_003;
      const node = masters[this.#turn % masters.length]!;
      if (node.client?.isReady) return node;
    }
    return masters[this.#turn % masters.length]!;
  }

  async #sendKeyless<T>(command: Command<T>, options?: DispatchOptions): Promise<T> {
    if (command.spec.name === 'SCAN') return this.#scan(command, options);
    const fanOut = FAN_OUT[command.spec.name];
    if (fanOut === undefined) {
      // One node for each channel: through several nodes messages would overtake each other.
      const home = command.spec.name === 'PUBLISH' ? this.nodes.slots[slotOf(command.args[0])]?.master : undefined;
      const node = home ?? this.anyMaster();
      return this.#sendToNode(node, command, options);
    }
    const targets = fanOut.to === 'masters' ? this.nodes.masters : this.nodes.all;
    return fanOut.merge(await Promise.all(targets.map((node) => this.#sendToNode(node, command, options)))) as T;
  }

  async #sendSplit<T>(command: Command<T>, options?: DispatchOptions): Promise<T> {
    const split = splitBySlot(command);
    if (split === undefined) throw new CrossSlotError(command.spec.name);
    const replies = split.parts.map((part) => this.#sendToSlot(part.slot, part.command, options));
    return split.merge(await Promise.all(replies)) as T;
  }

  /** SCAN of one master after the other, behind one cursor. */
  async #scan<T>(command: Command<T>, options?: DispatchOptions): Promise<T> {
    const { starts, slots } = this.nodes;
    const { start, cursor } = readCursor(command.args[0], starts);
    const master = slots[start]?.master ?? this.anyMaster();
    const args = [cursor, ...command.args.slice(1)];
    const reply = await this.#sendToNode(master, new Command<unknown>(command.spec, args, command.preserve), options);
    const next = (said: unknown) => {
      const token = nextCursor(String(said), start, starts);
      return Buffer.isBuffer(said) ? Buffer.from(token) : token;
    };
    if (Array.isArray(reply)) return [next(reply[0]), ...reply.slice(1)] as T;
    const page = reply as { cursor: unknown };
    return { ...page, cursor: next(page.cursor) } as T;
  }

  /** On a connection of the node that nobody else waits for. */
  async #sendBlocking<T>(slot: number, node: ClusterNode, command: Command<T>, options?: DispatchOptions): Promise<T> {
    return this.#following(slot, node, async (target, asking) => {
      if (!asking) return this.nodes.client(target)[CORE].send(command, options);
      const pool = await this.nodes.pool(target);
      return pool.alone(async (connection) => {
        const [asked, reply] = connection.dispatchAll([ASKING, command], { ...options, atomic: true });
        return (await Promise.all([asked, reply]))[1] as T;
      });
    });
  }

  // ---------------------------------------------------------------- transactions

  pipeline(commands: readonly Command[], options?: DispatchOptions): readonly Promise<unknown>[] {
    return commands.map((command) => this.#send(command, options));
  }

  /** The connection of the slot that all these commands' keys lie in; they are prefixed already, `key` is not. */
  withConnection<T>(
    commands: readonly Command[],
    use: (connection: Connection, asking?: boolean) => Promise<T>,
    key?: RedisKey,
  ): Promise<T> {
    if (this.#state !== 'ready') return Promise.reject(this.#closedError());
    let slot = key === undefined ? undefined : slotOf(prefixKey(key, this.options.keyPrefix));
    for (const { spec, args } of commands) {
      for (const position of spec.keys(args)) {
        const other = slotOf(args[position]);
        if (slot !== undefined && other !== slot) return Promise.reject(new CrossSlotError('MULTI'));
        slot = other;
      }
    }
    const node = slot === undefined ? this.anyMaster() : (this.nodes.slots[slot]?.master ?? this.anyMaster());
    return this.#following(slot, node, (target, asking) =>
      this.nodes.client(target)[CORE].withConnection(commands, (connection) => use(connection, asking)),
    );
  }

  /** Calls `attempt` with one node after the other, as the servers' refusals say. */
  async #following<T>(
    slot: number | undefined,
    first: ClusterNode,
    attempt: (node: ClusterNode, asking: boolean) => Promise<T>,
  ): Promise<T> {
    let node = first;
    let asking = false;
    for (let tries = 1; ; tries++) {
      const refusal = this.nodes.refusal(node);
      if (refusal !== undefined) throw refusal;
      try {
        return await attempt(node, asking);
      } catch (error) {
        // It waited for a node that was given up: not sent, or a read.
        if (error instanceof SocketClosedUnexpectedlyError && tries <= this.options.maxRedirects) {
          await this.#pause(tries);
          if (this.#state !== 'ready') throw this.#closedError();
          node = (slot === undefined ? undefined : this.nodes.slots[slot]?.master) ?? this.anyMaster();
          asking = false;
          continue;
        }
        const reply = refusalOf(error);
        const redirect = reply === undefined ? undefined : parseRedirect(reply.serverMessage);
        if (reply === undefined || (redirect === undefined && !isPassing(reply))) throw error;
        if (tries > this.options.maxRedirects)
          throw redirect === undefined ? error : new MaxCommandRedirectionsError(error);
        this.refreshSoon();
        const target = redirect === undefined ? undefined : this.#targetOf(redirect.host, redirect.port, node);
        if (redirect?.kind === 'MOVED' && target !== undefined) this.nodes.move(redirect.slot, target);
        if (target === undefined || tries > QUICK_REDIRECTS) await this.#pause(tries);
        if (this.#state !== 'ready') throw this.#closedError();
        asking = redirect?.kind === 'ASK';
        node = target ?? (slot === undefined ? undefined : this.nodes.slots[slot]?.master) ?? this.anyMaster();
      }
    }
  }

  #pause(tries: number): Promise<void> {
    return new Promise((resolve) => this.#park(tries, resolve));
  }

  // ---------------------------------------------------------------- refusals

  /** A server refused a command without running it: where to take it. */
  #onRefused(from: ClusterNode, error: ErrorReply, handed: HandedOver): boolean {
    if ((handed.command.spec.flags & Flag.BLOCKING) !== 0) return false;
    const redirect = parseRedirect(error.serverMessage);
    if (redirect === undefined ? !isPassing(error) : !isOwnSlot(redirect, handed.command)) return false;
    if (++handed.redirects > this.options.maxRedirects) {
      if (redirect === undefined) return false;
      handed.fail(new MaxCommandRedirectionsError(error));
      return true;
    }
    if (protectionChannel.hasSubscribers)
      protectionChannel.publish({
        event: 'redirect',
        command: handed.command.spec.name,
        kind: error.prefix,
        server: from.address,
      } satisfies ProtectionMessage);
    if (clientError.hasSubscribers)
      clientError.publish({
        error,
        origin: 'cluster',
        internal: true,
        clientId: nameOf(this.nodes.connection(from)),
        retryCount: handed.redirects,
      });
    if (error.prefix !== 'ASK' && error.prefix !== 'TRYAGAIN') this.refreshSoon();
    if (redirect === undefined) {
      // A replica that cannot answer has a master that can.
      if (from.readonly && !isDemoted(error)) this.#place(handed);
      else this.#park(handed.redirects, () => this.#place(handed));
      return true;
    }
    const target = this.#targetOf(redirect.host, redirect.port, from);
    if (redirect.kind === 'MOVED' && target !== undefined && this.nodes.refusal(target) === undefined)
      this.nodes.move(redirect.slot, target);
    const asking = redirect.kind === 'ASK';
    if (target === undefined) this.#park(handed.redirects, () => this.#place(handed));
    else if (handed.redirects > QUICK_REDIRECTS)
      this.#park(handed.redirects, () => (asking ? this.#give(target, handed, true) : this.#place(handed)));
    else this.#give(target, handed, asking);
    return true;
  }

  /** Undefined when the server does not know the host either. */
  #targetOf(host: string, port: number, from: ClusterNode): ClusterNode | undefined {
    if (host === '?') return undefined;
    // An empty host is the one that answered; it has the credentials already.
    return this.nodes.at({ host: host === '' ? from.host : host, port, id: '', aliases: [] }, false);
  }

  /** To the master of its slot, as far as is known now. */
  #place(handed: HandedOver): void {
    if (this.#state !== 'ready') {
      handed.fail(this.#closedError());
      return;
    }
    const { spec, args } = handed.command;
    const [position] = spec.keys(args);
    const shard = position === undefined ? undefined : this.nodes.slots[slotOf(args[position])];
    this.#give(shard?.master ?? this.anyMaster(), handed, false);
  }

  #give(node: ClusterNode, handed: HandedOver, asking: boolean): void {
    const refusal = this.#state === 'ready' ? this.nodes.refusal(node) : this.#closedError();
    if (refusal !== undefined) handed.fail(refusal);
    else this.nodes.connection(node).adopt(handed, asking);
  }

  #park(tries: number, run: () => void): void {
    const delay = Math.min(RETRY_BASE * 2 ** (tries - 1), RETRY_CAP) * (0.5 + Math.random() / 2);
    const timer = setTimeout(() => {
      this.#parked.delete(timer);
      run();
    }, delay);
    this.#parked.set(timer, run);
  }

  // ---------------------------------------------------------------- topology

  #onTrouble(): void {
    const strategy = this.#given.topologyRefreshOnReconnectionAttemptStrategy ?? 1;
    const delay = typeof strategy === 'function' ? strategy(Date.now()) : strategy;
    if (delay === false || delay === undefined || delay === 0) return;
    this.refreshSoon(delay);
  }

  /** Looks at the topology, but not more often than REFRESH_GAP. */
  refreshSoon(delay = 0): void {
    if (this.#state !== 'ready' || this.#refreshTimer !== undefined || this.#refreshing !== undefined) return;
    const wait = Math.max(delay, this.#refreshedAt + REFRESH_GAP - performance.now());
    this.#refreshTimer = setTimeout(
      () => {
        this.#refreshTimer = undefined;
        void this.refresh();
      },
      Math.max(0, wait) * (1 + Math.random() / 4),
    );
  }

  #schedulePeriodic(): void {
    const { refreshInterval } = this.options;
    if (refreshInterval <= 0) return;
    this.#periodicTimer = setTimeout(
      () => {
        void this.refresh().then(() => {
          if (this.#state === 'ready') this.#schedulePeriodic();
        });
      },
      refreshInterval * (0.75 + Math.random() / 2),
    ).unref();
  }

  /** Asks the nodes, one after the other, then the seeds. One at a time. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
      this.#refreshedAt = performance.now();
    });
    return this.#refreshing;
  }

  async #refresh(): Promise<void> {
    try {
      this.#apply((await this.#askNodes()) ?? (await this.#askSeeds()));
    } catch (error) {
      if (this.#state !== 'ready') return;
      emitSafely(this.#emitter, 'error', error);
      setImmediate(() => this.refreshSoon(REFRESH_GAP));
    }
  }

  async #askNodes(): Promise<AnnouncedShard[] | undefined> {
    for (const node of shuffled(this.nodes.all)) {
      if (!node.client?.isReady) continue;
      try {
        const reply = await this.nodes
          .connection(node)
          .dispatch(CLUSTER_SLOTS, { timeout: TOPOLOGY_TIMEOUT, asap: true });
        const shards = parseSlots(reply, node.host);
        if (shards.length > 0) return shards;
      } catch {
        // The next one may know.
      }
    }
    return undefined;
  }

  /** Over new connections, so that names are resolved anew: all addresses may have changed. */
  async #askSeeds(): Promise<AnnouncedShard[]> {
    let cause: unknown;
    for (const seed of shuffled(this.options.seeds)) {
      if (this.#state === 'closed') throw new DisconnectsClientError();
      try {
        return await this.#askSeed(seed);
      } catch (error) {
        if (this.#isClosed()) throw new DisconnectsClientError();
        // Of several reasons, a temporary one counts.
        if ((cause as { code?: unknown } | undefined)?.code !== 'REDKEEP_SERVER_NOT_READY') cause = error;
      }
    }
    throw new RootNodesUnavailableError(cause);
  }

  async #askSeed(seed: ClientOptions): Promise<AnnouncedShard[]> {
    const client = new RedisClient(seed);
    this.#asking.add(client);
    try {
      await client.connect();
      const { connection, options } = client[CORE];
      const { endpoint } = options.connection;
      // Where the seed's own name leads is the seed's host too.
      if (connection.socket?.remoteAddress !== undefined) this.options.redirects.trust(connection.socket.remoteAddress);
      const reply = await connection.dispatch(CLUSTER_SLOTS, { timeout: TOPOLOGY_TIMEOUT });
      const shards = parseSlots(reply, endpoint.kind === 'tcp' ? endpoint.host : '');
      if (shards.length === 0) throw new RedkeepError('REDKEEP_NO_NODE', 'The seed knows of no slot that is served');
      return shards;
    } finally {
      this.#asking.delete(client);
      if (client.isOpen) client.destroy();
    }
  }

  #apply(shards: readonly AnnouncedShard[]): void {
    const gone = this.nodes.apply(shards);
    // What was not sent to nodes that left or do not answer goes to where its slot is now.
    const stuck = this.nodes.all.filter((node) => node.client !== undefined && !node.client.isReady);
    for (const { client } of [...gone, ...stuck]) {
      if (client === undefined) continue;
      const { connection } = client[CORE];
      for (const handed of connection.takeUnsent())
        if (isDirect(client, handed)) connection.adopt(handed);
        else this.#place(handed);
    }
    for (const node of gone) this.nodes.release(node);
    this.pubSub.onTopology();
  }

  /** Connections to lend of the master of a key's slot. Unlike the nodes' own clients they put the prefix before keys. */
  pool(key: RedisKey): Promise<PoolCore<RedisClient>> {
    return this.nodes.pool(this.nodeForKey(prefixKey(key, this.options.keyPrefix)));
  }

  /** The node of a key's slot. */
  nodeForKey(key: RedisKey, readonly = false): ClusterNode {
    const shard = this.nodes.slots[slotOf(key)];
    if (shard === undefined) return this.anyMaster();
    return readonly ? this.#reader(shard) : shard.master;
  }
}

type RedisKey = string | Buffer;

/** It may run elsewhere or later. */
const isPassing = (error: ErrorReply) =>
  isNotServed(error) || isDemoted(error) || (isNotReady(error) && error.prefix !== 'BUSY');

/** A server redirects a command for the slot of its keys; what says otherwise was written by a script. */
function isOwnSlot({ slot }: Redirect, { spec, args }: Command): boolean {
  const [position] = spec.keys(args);
  return position === undefined ? !SCRIPT_COMMANDS.test(spec.name) : slotOf(args[position]) === slot;
}

/** The refusal itself, or the one that made EXEC refuse the whole. */
function refusalOf(error: unknown): ErrorReply | undefined {
  if (!(error instanceof ErrorReply)) return undefined;
  return error.prefix === 'EXECABORT' && error.cause instanceof ErrorReply ? error.cause : error;
}

function shuffled<T>(items: readonly T[]): T[] {
  const copy = [...items];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [copy[i], copy[j]] = [copy[j]!, copy[i]!];
  }
  return copy;
}
