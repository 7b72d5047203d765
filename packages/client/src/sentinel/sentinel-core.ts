/**
 * What a Sentinel client is made of: the monitor, a pool of connections to the current master, and pools to replicas.
 *
 * A connection asks before every socket where the master is, and its handshake refuses a server of another role: an
 * old master that still answers is never taken for the new one. What was not sent waits in the connection meanwhile.
 */

import { type EventEmitter, once } from 'node:events';
import { clientClass, type LeasedClient, RedisClient } from '../client/client.js';
import { emitSafely } from '../client/emit-safely.js';
import { CORE } from '../client/symbols.js';
import { clearTimeout, performance, setTimeout } from '../clock.js';
import { addressOf, type NodeAddress } from '../cluster/topology.js';
import { type Command, Flag } from '../commands/command.js';
import type { Connection, DispatchOptions } from '../connection/connection.js';
import type { Dispatcher, TransactionTarget } from '../dispatcher.js';
import { ClientClosedError, DisconnectsClientError, RedkeepError } from '../errors.js';
import type { CommandOptions } from '../options/command-options.js';
import { DEFAULTS } from '../options/defaults.js';
import { type ResolvedOptions, resolveOptions } from '../options/options.js';
import { PoolCore, resolvePoolOptions } from '../pool/pool-core.js';
import { enterParent, leaveParent, setParent } from '../telemetry/client-registry.js';
import { SentinelMonitor, type SentinelTopology } from './sentinel-monitor.js';
import { type ResolvedSentinelOptions, resolveSentinelOptions, type SentinelOptions } from './sentinel-options.js';

/** node-redis's events of `topology-change`. */
export type SentinelEvent =
  | {
      readonly type: 'MASTER_CHANGE' | 'SENTINEL_CHANGE' | 'REPLICA_ADD' | 'REPLICA_REMOVE';
      readonly node: NodeAddress;
    }
  | { readonly type: 'SENTINE_LIST_CHANGE'; readonly size: number };

/** node-redis's event `client-error`: one connection failed; the client as a whole goes on. */
export interface SentinelClientError {
  readonly type: 'MASTER' | 'REPLICA' | 'SENTINEL' | 'PUBSUBPROXY';
  readonly node: NodeAddress;
  readonly error: Error;
}

export type SentinelState = 'closed' | 'connecting' | 'ready' | 'closing';

/** Milliseconds that commands may wait for subscriptions to be made at a new master. */
const SUBSCRIBING_PATIENCE = 1000;
/** Milliseconds, about, until sentinels that were not ready are asked again. */
const RETRY_MS = 100;
const WATCH_VOID = 'sentinel config changed in middle of a WATCH Transaction';

export class SentinelCore implements Dispatcher, TransactionTarget {
  readonly options: ResolvedOptions;
  readonly #settings: ResolvedSentinelOptions;
  readonly #emitter: EventEmitter;
  /** With the scripts, functions and modules that were given. */
  readonly #Client: typeof RedisClient;
  readonly #master: PoolCore<RedisClient>;
  /** Connections to lend; the same as `#master` unless one is reserved for commands. */
  readonly #lent: PoolCore<RedisClient>;
  readonly #replicas = new Map<string, { readonly address: NodeAddress; readonly pool: PoolCore<RedisClient> }>();
  #monitor: SentinelMonitor;
  #topology: SentinelTopology | undefined;
  #state: SentinelState = 'closed';
  #scanTimer: NodeJS.Timeout | undefined;
  #pubSub: Promise<RedisClient> | undefined;
  #turn = 0;

  constructor(given: SentinelOptions, emitter: EventEmitter) {
    this.#settings = resolveSentinelOptions(given);
    this.options = this.#settings.commands;
    this.#emitter = emitter;
    this.#Client = clientClass(given);
    const { masterPoolSize, reserveClient } = this.#settings;
    const pool = (size: number) =>
      this.#newPool(
        size,
        () => this.#masterClient(),
        'MASTER',
        () => this.#masterNode(),
      );
    this.#master = pool(reserveClient ? 1 : masterPoolSize);
    this.#lent = reserveClient ? pool(Math.max(1, masterPoolSize - 1)) : this.#master;
    this.#monitor = this.#newMonitor();
  }

  get state(): SentinelState {
    return this.#state;
  }
  get topology(): SentinelTopology | undefined {
    return this.#topology;
  }
  /** Before anything is known: the seed that is asked. */
  #masterNode(): NodeAddress {
    return this.#topology?.master ?? this.#settings.seeds[0]!;
  }
  get replicaNodes(): Map<NodeAddress, number> {
    return new Map([...this.#replicas.values()].map(({ address, pool }) => [address, pool.idle + pool.busy]));
  }

  #newMonitor(): SentinelMonitor {
    return new SentinelMonitor(
      this.#settings,
      () => void this.#look(),
      (error, node) => this.#clientError('SENTINEL', node, error),
    );
  }

  #newPool(
    size: number,
    newClient: () => RedisClient,
    type: SentinelClientError['type'],
    node: () => NodeAddress,
  ): PoolCore<RedisClient> {
    const options = resolvePoolOptions({
      minimum: size,
      maximum: size,
      acquireTimeout: 0,
      maxLifetimeMs: 0,
      healthCheckAfterMs: 0,
    });
    const emit = (event: string, ...args: unknown[]) => {
      if (event !== 'error') return emitSafely(this.#emitter, event, ...args);
      this.#clientError(type, node(), args[0] as Error);
      return true;
    };
    return new PoolCore(newClient, this.options, options, emit, this);
  }

  /** Errors of single connections belong to a failover; as `error` they are shown when asked for. */
  #clientError(type: SentinelClientError['type'], node: NodeAddress, error: Error): void {
    if (this.#settings.passErrors) this.#emitError(error);
    const event: SentinelClientError = { type, node, error };
    emitSafely(this.#emitter, 'client-error', event);
  }

  #emitError(error: unknown): void {
    emitSafely(this.#emitter, 'error', error);
  }

  /** A client that connects to the current master. */
  #masterClient(cached = true): RedisClient {
    const seed = this.#settings.seeds[0]!;
    /** Times in a row that no sentinel named the master. */
    let failures = 0;
    const client = new this.#Client(this.#settings.data(seed), (resolved) => ({
      ...resolved,
      cache: cached ? this.options.cache : undefined,
      rateLimit: this.options.rateLimit,
      connection: {
        ...resolved.connection,
        handshake: { ...resolved.connection.handshake, role: 'master' },
        locate: async () => {
          let topology: SentinelTopology;
          try {
            topology = await this.#monitor.observe();
          } catch (error) {
            // Who waits has waited long enough; the client goes on looking.
            if (++failures > this.#settings.maxRediscovers)
              for (const handed of client[CORE].connection.takeUnsent()) handed.fail(error);
            throw error;
          }
          failures = 0;
          this.#apply(topology);
          if (cached) await this.#subscribed();
          const { connection } = resolveOptions(this.#settings.data(this.#settings.follow(topology.master)));
          return { endpoint: connection.endpoint, tls: connection.tls };
        },
      },
    }));
    client[CORE].connection.followsPrimary = this.#settings.maxRediscovers;
    return client;
  }

  /** After a failover subscriptions come first, so that the next messages arrive; but not at any price. */
  async #subscribed(): Promise<void> {
    if (this.#pubSub === undefined) return;
    const signal = AbortSignal.timeout(SUBSCRIBING_PATIENCE);
    const client = await Promise.race([this.#pubSub.catch(() => undefined), once(signal, 'abort')]);
    if (client instanceof RedisClient && !client.isReady) await once(client, 'ready', { signal }).catch(() => {});
  }

  // ---------------------------------------------------------------- life

  async open(): Promise<void> {
    if (this.#state !== 'closed') throw new RedkeepError('REDKEEP_ALREADY_CONNECTED', 'already attempting to open');
    this.#state = 'connecting';
    this.#monitor = this.#newMonitor();
    enterParent(this, ...this.#settings.seeds.map(addressOf));
    try {
      this.#apply(await this.#firstTopology());
      await Promise.all([this.#master.open(), this.#lent.open()]);
      this.#state = 'ready';
      // One replica is enough to read from; the start does not fail if none can be reached.
      await Promise.any(this.#applyReplicas(this.#topology!.replicas)).catch(() => {});
      this.#scheduleScan();
    } catch (error) {
      if (this.#isClosed()) throw new DisconnectsClientError();
      this.destroy();
      throw error;
    }
  }

  #isClosed(): boolean {
    return this.#state === 'closed';
  }

  /** Sentinels that are not ready yet are waited for, as a server is. */
  async #firstTopology(): Promise<SentinelTopology> {
    const until = performance.now() + DEFAULTS.startupTimeout;
    for (;;) {
      try {
        return await this.#monitor.observe();
      } catch (error) {
        const isPassing = (error as { cause?: { code?: unknown } }).cause?.code === 'REDKEEP_SERVER_NOT_READY';
        if (!isPassing || this.#isClosed() || performance.now() > until) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS * (0.5 + Math.random())));
      }
    }
  }

  #scheduleScan(): void {
    const { scanInterval } = this.#settings;
    if (scanInterval <= 0 || this.#state !== 'ready') return;
    this.#scanTimer = setTimeout(() => void this.#look().then(() => this.#scheduleScan()), scanInterval).unref();
  }

  async #look(): Promise<void> {
    try {
      this.#apply(await this.#monitor.observe());
    } catch (error) {
      if (this.#state === 'ready') this.#emitError(error);
    }
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closing';
    clearTimeout(this.#scanTimer);
    const pubSub = await this.#pubSub?.catch(() => undefined);
    await Promise.all([
      this.#master.close(),
      this.#lent.close(),
      pubSub?.isOpen ? pubSub.close() : undefined,
      ...[...this.#replicas.values()].map(({ pool }) => pool.close()),
    ]);
    this.#end();
  }

  destroy(): void {
    if (this.#state === 'closed') return;
    this.#master.destroy();
    this.#lent.destroy();
    for (const { pool } of this.#replicas.values()) pool.destroy();
    this.#pubSub?.then(
      (client) => client.isOpen && client.destroy(),
      () => {},
    );
    this.#end();
  }

  #end(): void {
    clearTimeout(this.#scanTimer);
    this.#monitor.destroy();
    this.#replicas.clear();
    this.#topology = this.#pubSub = undefined;
    this.#state = 'closed';
    leaveParent(this);
  }

  // ---------------------------------------------------------------- topology

  #apply(topology: SentinelTopology): void {
    if (this.#state === 'closed') return;
    const before = this.#topology;
    this.#topology = topology;
    if (before === undefined) {
      this.#event({ type: 'MASTER_CHANGE', node: topology.master });
    } else if (addressOf(before.master) !== addressOf(topology.master)) {
      this.#event({ type: 'MASTER_CHANGE', node: topology.master });
      const moved = new RedkeepError('REDKEEP_WRONG_ROLE', 'The sentinels name another master');
      const clients = new Set([...this.#master.clients, ...this.#lent.clients]);
      for (const client of clients) {
        if (client.isWatching || client.isDirtyWatch) client.setDirtyWatch(WATCH_VOID);
        client[CORE].connection.leave(moved);
      }
      void this.#pubSub?.then(
        (client) => client[CORE].connection.drop(moved),
        () => {},
      );
    }
    if (before === undefined || addressOf(before.source) !== addressOf(topology.source))
      this.#event({ type: 'SENTINEL_CHANGE', node: topology.source });
    if (before === undefined || before.sentinels.length !== topology.sentinels.length)
      this.#event({ type: 'SENTINE_LIST_CHANGE', size: topology.sentinels.length });
    if (this.#state === 'ready') this.#applyReplicas(topology.replicas);
  }

  /** Returns what is opened by this. */
  #applyReplicas(replicas: readonly NodeAddress[]): Promise<void>[] {
    const opening: Promise<void>[] = [];
    const size = this.#settings.replicaPoolSize;
    if (size === 0) return opening;
    const present = new Set(replicas.map(addressOf));
    for (const [key, { address, pool }] of this.#replicas) {
      if (present.has(key)) continue;
      this.#replicas.delete(key);
      pool.destroy();
      this.#event({ type: 'REPLICA_REMOVE', node: address });
    }
    for (const address of replicas) {
      if (this.#replicas.has(addressOf(address))) continue;
      let target: NodeAddress;
      try {
        target = this.#settings.follow(address);
      } catch (error) {
        this.#emitError(error);
        continue;
      }
      const pool = this.#newPool(
        size,
        () =>
          new this.#Client(this.#settings.data(target), (resolved) => ({
            ...resolved,
            cache: this.options.cache,
            rateLimit: this.options.rateLimit,
          })),
        'REPLICA',
        () => address,
      );
      const key = addressOf(address);
      this.#replicas.set(key, { address, pool });
      const opened = pool.open();
      // A replica that cannot be reached is tried again at the next look.
      opened.catch(() => this.#replicas.delete(key));
      opening.push(opened);
      this.#event({ type: 'REPLICA_ADD', node: address });
    }
    return opening;
  }

  #event(event: SentinelEvent): void {
    emitSafely(this.#emitter, 'topology-change', event);
  }

  // ---------------------------------------------------------------- commands

  dispatch<T>(command: Command<T>, options?: DispatchOptions): Promise<T> {
    const reads = Flag.READONLY | Flag.BLOCKING;
    const pool = (command.spec.flags & reads) === Flag.READONLY ? this.#reader() : this.#master;
    return pool.dispatch(command, options);
  }

  /** {@link dispatch}, past the replicas. */
  dispatchToMaster<T>(command: Command<T>, options?: DispatchOptions): Promise<T> {
    return this.#master.dispatch(command, options);
  }

  /** Replicas in turn; the master when none is connected. */
  #reader(): PoolCore<RedisClient> {
    if (this.#replicas.size === 0) return this.#master;
    const ready = [...this.#replicas.values()].filter(({ pool }) => pool.clients.some((client) => client.isReady));
    this.#turn = (this.#turn + 1) % 1_000_003;
    return ready[this.#turn % ready.length]?.pool ?? this.#master;
  }

  withConnection<T>(commands: readonly Command[], use: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#master.withConnection(commands, use);
  }

  pipeline(commands: readonly Command[], options?: DispatchOptions): Promise<readonly Promise<unknown>[]> {
    return this.#master.pipeline(commands, options);
  }

  execute<T>(fn: (client: RedisClient) => T | Promise<T>, options?: CommandOptions): Promise<T> {
    return this.#lent.execute(fn, options);
  }
  acquire(options?: CommandOptions): Promise<LeasedClient> {
    return this.#lent.acquire(options);
  }

  /** A connection to the master for subscriptions; they follow it through failovers. */
  pubSub(): Promise<RedisClient> {
    if (this.#state !== 'ready') return Promise.reject(new ClientClosedError());
    this.#pubSub ??= (async () => {
      const client = this.#masterClient(false);
      setParent(client[CORE].connection, this);
      client.on('error', (error) => this.#clientError('PUBSUBPROXY', this.#masterNode(), error));
      await client.connect();
      return client;
    })();
    return this.#pubSub;
  }
}
