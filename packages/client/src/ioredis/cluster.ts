/** ioredis's `Cluster` on Redkeep's cluster core. */

import { EventEmitter } from 'node:events';
import { inspect } from 'node:util';
import type { ClientCore } from '../client/client-core.js';
import { CORE as CLIENT_CORE } from '../client/symbols.js';
import { clearInterval, clearTimeout, performance, setInterval, setTimeout } from '../clock.js';
import { ClusterCore } from '../cluster/cluster-core.js';
import type { Command } from '../commands/command.js';
import type { TransactionTarget } from '../dispatcher.js';
import { ErrorReply, QueueFullError, RedkeepError, TimeoutError } from '../errors.js';
import { DEFAULTS } from '../options/defaults.js';
import { checkArguments } from '../protocol/encoder.js';
import type { PubSubListener, PubSubType } from '../pubsub/pub-sub.js';
import { BaseClient } from './base-client.js';
import {
  type ClusterNode,
  type ClusterOptions,
  clusterOptions,
  judgeClusterArguments,
  type NodeRole,
  sharedOptions,
} from './cluster-options.js';
import { IoredisCommand } from './command.js';
import { entryOf } from './command-entry.js';
import { type Callback, type CommandSource, Script, withCallback } from './commander.js';
import type { RedisCommander } from './commander-types.js';
import { ClusterAllFailedError, connectionClosed, translateError } from './errors.js';
import { commandTimeoutOf, type RedisOptions } from './options.js';
import { Redis } from './redis.js';
import { withSecrets } from './secrets.js';
import { CALL_OPTIONS, CORE, READY, TARGET } from './symbols.js';

export type ClusterStatus =
  | 'wait'
  | 'connecting'
  | 'connect'
  | 'ready'
  | 'reconnecting'
  | 'disconnecting'
  | 'close'
  | 'end';

const defaultRetry = (times: number): number => Math.min(100 + times * 2, 2000);

const unavailable = (cause: unknown): RedkeepError =>
  new RedkeepError('REDKEEP_NO_NODE', 'None of startup nodes is available', { cause });

/** A command that waits for the cluster to be found. */
interface Waiting {
  readonly bytes: number;
  readonly deadline: number;
  readonly name: string;
  run(): void;
  reject(error: unknown): void;
}

// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the methods are defined on the prototype by bindCommander
export class Cluster extends BaseClient<ClusterStatus> {
  declare readonly [CORE]: ClusterCore;
  /** As given; credentials in it are Secrets, which do not print. */
  readonly options: ClusterOptions;
  readonly startupNodes: readonly ClusterNode[];
  status: ClusterStatus = 'wait';
  readonly isCluster = true;
  readonly #shared: RedisOptions;
  /** Clients of single nodes, by the core that they run on. */
  readonly #clients = new WeakMap<ClientCore, Redis>();
  readonly #watched = new Set<ClientCore>();
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #deadlineTimer: NodeJS.Timeout | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #attempts = 0;
  #closing = false;

  constructor(startupNodes: readonly ClusterNode[], options: ClusterOptions = {}) {
    judgeClusterArguments(startupNodes, options);
    const shared = sharedOptions(options);
    super(shared);
    this.#shared = shared;
    this.startupNodes = startupNodes.map((node) => (typeof node === 'object' ? withSecrets(node) : node));
    this.options = {
      ...options,
      ...(options.redisOptions === undefined ? {} : { redisOptions: withSecrets(options.redisOptions) }),
    };
    // Nodes' own credentials stay out of what can be printed.
    Object.defineProperty(this, 'startupNodes', { enumerable: false });
    const events = new EventEmitter();
    Object.defineProperty(this, CORE, { value: new ClusterCore(clusterOptions(startupNodes, options), events) });
    const { scaleReads } = options;
    if (typeof scaleReads === 'function') this[CORE].chooseReader = this.#chooser(scaleReads);
    this.#listen(events);
    for (const [name, definition] of Object.entries(options.scripts ?? {})) this.defineCommand(name, definition);
    if (options.lazyConnect === true) this.emitLater('wait');
    else this.connect().catch(() => {});
  }

  #listen(events: EventEmitter): void {
    const address = (where: { host: string; port: number } | undefined) =>
      where === undefined ? undefined : `${where.host}:${where.port}`;
    const nodeAt = (where: { host: string; port: number }) => {
      const node = this[CORE].nodes.byAddress.get(address(where)!);
      return node?.client === undefined ? undefined : this.#clientOf(node.client[CLIENT_CORE], where);
    };
    events
      .on('node-connect', (where) => this.emit('+node', nodeAt(where)))
      .on('node-disconnect', (where) => this.emit('-node', nodeAt(where) ?? address(where)))
      .on('node-error', (error: Error, where) => this.emit('node error', error, address(where)))
      .on('error', (error: Error) => this.emitSilently('error', error));
    for (const event of ['command-refused', 'certificate-expiring', 'reauthenticated', 'circuit', 'retry'])
      events.on(event, (...details: unknown[]) => this.emit(event, ...details));
  }

  #clientOf(core: ClientCore, where: { host: string; port: number }): Redis {
    let client = this.#clients.get(core);
    if (client === undefined) {
      client = Redis.around(core, { ...this.#shared, host: where.host, port: where.port });
      this.#clients.set(core, client);
    }
    return client;
  }

  // ---------------------------------------------------------------- life

  /** Finds the cluster. Rejects when this attempt failed, while the client goes on as `clusterRetryStrategy` says. */
  connect(callback?: Callback<void>): Promise<void> {
    return withCallback(this.#connect(), callback as never);
  }
  async #connect(): Promise<void> {
    if (this.status === 'connecting' || this.status === 'connect' || this.status === 'ready')
      throw new RedkeepError('REDKEEP_ALREADY_CONNECTED', 'Redis is already connecting/connected');
    clearTimeout(this.#retryTimer);
    this.#closing = false;
    this.setStatus('connecting');
    try {
      await this[CORE].open();
    } catch (error) {
      this.#failed(error as Error);
      throw unavailable(error);
    }
    this.#attempts = 0;
    this.setStatus('connect');
    this.setStatus('ready');
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    clearInterval(this.#deadlineTimer);
    this.#deadlineTimer = undefined;
    for (const one of waiting) one.run();
  }

  #failed(cause: Error): void {
    if (this.#closing) return;
    const error = new ClusterAllFailedError(ClusterAllFailedError.defaultMessage, cause);
    this.emitSilently('error', error);
    this.setStatus('close');
    const { clusterRetryStrategy = defaultRetry } = this.options;
    const delay =
      typeof clusterRetryStrategy === 'function'
        ? clusterRetryStrategy(++this.#attempts, unavailable(cause))
        : undefined;
    if (typeof delay !== 'number') {
      this.#end(unavailable(cause));
      return;
    }
    this.setStatus('reconnecting', delay);
    this.#retryTimer = setTimeout(() => this.connect().catch(() => {}), delay);
  }

  #end(error: unknown): void {
    clearInterval(this.#deadlineTimer);
    this.#deadlineTimer = undefined;
    this.setStatus('end');
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (const one of waiting) one.reject(error);
    this.#watched.clear();
    this.subscriptions.clear();
  }

  /** Disconnects from every node now. With `reconnect` the cluster is looked for again. */
  disconnect(reconnect = false): void {
    if (this.status === 'end' || this.status === 'disconnecting') return;
    clearTimeout(this.#retryTimer);
    this.#closing = true;
    this.setStatus('disconnecting');
    this[CORE].destroy();
    this.setStatus('close');
    if (!reconnect) {
      this.#end(connectionClosed());
      return;
    }
    this.setStatus('reconnecting', 0);
    this.#retryTimer = setTimeout(() => this.connect().catch(() => {}), 0);
  }

  /** Finishes what is in flight, then disconnects. */
  quit(callback?: Callback<'OK'>): Promise<'OK'> {
    return withCallback(this.#quit(), callback as never);
  }
  async #quit(): Promise<'OK'> {
    if (this.status === 'end') return 'OK';
    if (this.status !== 'ready') {
      this.disconnect();
      return 'OK';
    }
    this.#closing = true;
    this.setStatus('disconnecting');
    await this[CORE].close();
    this.setStatus('close');
    this.#end(connectionClosed());
    return 'OK';
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.quit();
  }

  duplicate(startupNodes: readonly ClusterNode[] = [], options: ClusterOptions = {}): Cluster {
    const { redisOptions, ...given } = this.options;
    return new Cluster(startupNodes.length > 0 ? startupNodes : this.startupNodes, {
      ...given,
      ...options,
      redisOptions: { ...redisOptions, ...options.redisOptions },
    });
  }

  // ---------------------------------------------------------------- nodes

  /** A client for each node of a role; their commands go nowhere else. */
  nodes(role: NodeRole = 'all'): Redis[] {
    const { nodes } = this[CORE];
    const wanted = { all: nodes.all, master: nodes.masters, slave: nodes.replicas }[role];
    if (wanted === undefined)
      throw new RedkeepError('REDKEEP_INVALID_ARGUMENT', 'nodes: expected "all", "master" or "slave"');
    return wanted
      .filter((node) => nodes.refusal(node) === undefined)
      .map((node) => this.#clientOf(nodes.client(node)[CLIENT_CORE], node));
  }

  /** Asks the application which node answers. */
  // biome-ignore lint/complexity/noBannedTypes: the type that applications use
  #chooser(scaleReads: Function): NonNullable<ClusterCore['chooseReader']> {
    return (nodes, { spec, args }) => {
      const clients = nodes.map((node) => this.#clientOf(this[CORE].nodes.client(node)[CLIENT_CORE], node));
      const chosen: unknown = scaleReads(clients.slice(), new IoredisCommand(spec.name.toLowerCase(), args.slice()));
      const client = Array.isArray(chosen) ? chosen[Math.floor(Math.random() * chosen.length)] : chosen;
      return nodes[clients.indexOf(client)];
    };
  }

  /** `host:port` of the nodes that serve each slot, its primary first. */
  get slots(): string[][] {
    return this[CORE].nodes.slots.flatMap((shard) =>
      shard === undefined ? [] : [[shard.master.address, ...shard.replicas.map(({ address }) => address)]],
    );
  }

  /** Looks at the topology now. */
  refreshSlotsCache(callback?: Callback<void>): void {
    withCallback(this[CORE].refresh(), callback as never).catch(() => {});
  }

  // ---------------------------------------------------------------- commands

  #whenReady(): void {
    if (this.status === 'wait') this.connect().catch(() => {});
  }

  [TARGET](): TransactionTarget {
    this.#whenReady();
    const core = this[CORE];
    return {
      options: core.options,
      pipeline: (commands, options) => core.pipeline(commands, options),
      withConnection: (commands, use) => core.withConnection(commands, use),
      beginTransaction: () => {
        const watched = [...this.#watched];
        this.#watched.clear();
        return watched.map((client) => client.beginTransaction()).some(Boolean);
      },
    };
  }

  [READY](): Promise<void> | undefined {
    if (this[CORE].state === 'ready') return undefined;
    return new Promise((resolve, reject) => this.#wait('pipeline', 0, resolve, reject));
  }

  /** Why a command may not wait. */
  #refusal(): Error | undefined {
    if (this.status === 'end' || this.status === 'disconnecting') return connectionClosed();
    if (this.options.enableOfflineQueue === false)
      return new RedkeepError('REDKEEP_CLIENT_OFFLINE', "Cluster isn't ready and enableOfflineQueue options is false");
    const { maxQueueBytes = DEFAULTS.maxQueueBytes, commandsQueueMaxLength = DEFAULTS.maxCommands } = this.#shared;
    if (this.#waiting.length < commandsQueueMaxLength && this.#waitingBytes < maxQueueBytes) return undefined;
    return new QueueFullError(`${maxQueueBytes} bytes or ${commandsQueueMaxLength} commands`);
  }

  #wait(name: string, bytes: number, run: () => void, reject: (error: unknown) => void): void {
    this.#whenReady();
    const refusal = this.#refusal();
    if (refusal !== undefined) {
      reject(refusal);
      return;
    }
    const timeout = commandTimeoutOf(this.#shared);
    const deadline = timeout > 0 ? performance.now() + timeout : Number.POSITIVE_INFINITY;
    this.#waiting.push({ name, bytes, deadline, run, reject });
    this.#waitingBytes += bytes;
    this.#deadlineTimer ??= setInterval(() => this.#expire(), 50);
  }

  #expire(): void {
    const now = performance.now();
    // They came in this order, and all may wait as long.
    while (this.#waiting.length > 0 && this.#waiting[0]!.deadline <= now) {
      const { bytes, reject } = this.#waiting.shift()!;
      this.#waitingBytes -= bytes;
      reject(translateError(new TimeoutError('The cluster was not found within the command timeout')));
    }
  }

  protected override run(source: CommandSource, args: unknown[], bytes: boolean): Promise<unknown> {
    const command = source.build(args);
    if (this[CORE].state === 'ready') return this.#send(source, command, bytes);
    return new Promise((resolve, reject) =>
      this.#wait(
        command.spec.name,
        checkArguments(command.spec.name, command.args),
        () => this.#send(source, command, bytes).then(resolve, reject),
        reject,
      ),
    );
  }

  #send(source: CommandSource, command: Command, bytes: boolean): Promise<unknown> {
    const options = this.optionsOf(source, bytes);
    const core = this[CORE];
    if (!(source instanceof Script)) return core.dispatch(command, options);
    return core.dispatch(command, options).catch((error: unknown) => {
      // It did not run.
      if (!(error instanceof ErrorReply) || error.prefix !== 'NOSCRIPT') throw error;
      return core.dispatch(source.withText(command), options);
    });
  }

  /** Each node knows scripts of its own. */
  knowsScript(): boolean {
    return true;
  }
  runScriptText(script: Script, command: Command, bytes: boolean): Promise<unknown> {
    const [answer] = this[CORE].pipeline([script.withText(command)], this[CALL_OPTIONS](bytes));
    return answer!;
  }

  /** Keys of one slot; the next transaction on it fails if one of them changes until then. */
  async watch(...keys: unknown[]): Promise<'OK'> {
    const callback = typeof keys.at(-1) === 'function' ? (keys.pop() as never) : undefined;
    return withCallback(this.#watch(entryOf('watch').build(keys)), callback);
  }
  async #watch(command: Command): Promise<'OK'> {
    await this[READY]();
    const core = this[CORE];
    const reply = await core.dispatch<'OK'>(command as Command<'OK'>, this[CALL_OPTIONS](false));
    const client = core.nodes.client(core.nodeForKey(command.args[0] as string))[CLIENT_CORE];
    client.markWatching();
    this.#watched.add(client);
    return reply;
  }
  async unwatch(callback?: Callback<'OK'>): Promise<'OK'> {
    const watched = [...this.#watched];
    this.#watched.clear();
    const all = Promise.all(
      watched.map(async (client) => {
        client.clearWatch();
        await client.dispatch(entryOf('unwatch').build([]));
      }),
    );
    return withCallback(
      all.then(() => 'OK' as const),
      callback as never,
    );
  }

  // ---------------------------------------------------------------- pub/sub

  protected override async addListeners(
    type: PubSubType,
    names: readonly string[],
    listener: PubSubListener<boolean>,
    buffers: boolean,
  ): Promise<void> {
    await this[READY]();
    const { pubSub } = this[CORE];
    if (type === 'SHARDED') await pubSub.sSubscribe(names, listener, buffers);
    else
      await pubSub.change((client) =>
        type === 'CHANNELS' ? client.subscribe(names, listener, buffers) : client.pSubscribe(names, listener, buffers),
      );
  }
  protected override async removeListeners(type: PubSubType, names: readonly string[]): Promise<void> {
    const { pubSub } = this[CORE];
    if (type === 'SHARDED') await pubSub.sUnsubscribe(names);
    else await pubSub.end((client) => (type === 'CHANNELS' ? client.unsubscribe(names) : client.pUnsubscribe(names)));
  }

  [inspect.custom](): string {
    return `Cluster { status: '${this.status}', nodes: ${this[CORE].nodes.all.length} }`;
  }
  toJSON(): object {
    return { status: this.status, nodes: this[CORE].nodes.all.map(({ address }) => address) };
  }
}

export interface Cluster extends RedisCommander {}
