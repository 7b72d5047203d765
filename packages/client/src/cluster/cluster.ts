/** The public cluster client: the commands, each to the node of its slot. */
import { inspect } from 'node:util';
import type { ClientSideCacheProvider } from '../cache/client-side-cache.js';
import type { LeasedClient, LentClient, RedisClient } from '../client/client.js';
import { equip, Facade, runCustom, sendWords, transactionOf, viewOf, type Words } from '../client/facade.js';
import { CORE, GIVEN, OPTIONS } from '../client/symbols.js';
import { bindSharedCommands, type SharedCommandMethods } from '../commands/bind.js';
import { bindUppercaseAliases } from '../node-redis/uppercase-aliases.js';
import type { CommandOptions } from '../options/command-options.js';
import type { RedisArgument, ReplyValue, TypeMapping } from '../protocol/types.js';
import type { PubSubListener } from '../pubsub/pub-sub.js';
import { bindCustomCommands, type CustomMethods, type CustomOf, type MappingOf } from '../scripting/custom-commands.js';
import type { Multi } from '../transaction/transaction.js';
import { ClusterCore } from './cluster-core.js';
import type { ClusterOptions } from './cluster-options.js';
import type { ClusterNode, Shard } from './nodes.js';

/**
 * A client for a cluster. Commands go to the node of their keys' slot, redirects are followed, MGET, MSET, DEL, UNLINK,
 * EXISTS and TOUCH are split when their keys lie in several slots (each part is atomic, the whole is not).
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the methods are defined on the prototype by bindCommands
export class RedisCluster<M extends TypeMapping = Record<never, never>, O = Record<never, never>> extends Facade<
  ClusterCore,
  ClusterOptions
> {
  declare readonly SUBSCRIBE: RedisCluster['subscribe'];
  declare readonly UNSUBSCRIBE: RedisCluster['unsubscribe'];
  declare readonly PSUBSCRIBE: RedisCluster['pSubscribe'];
  declare readonly PUNSUBSCRIBE: RedisCluster['pUnsubscribe'];
  declare readonly SSUBSCRIBE: RedisCluster['sSubscribe'];
  declare readonly SUNSUBSCRIBE: RedisCluster['sUnsubscribe'];

  constructor(options: ClusterOptions) {
    super();
    const core = new ClusterCore(options, this);
    equip(this, core, options);
    bindCustomCommands(this, options, (self, command, script) => runCustom(self as RedisCluster, command, script));
  }

  static create(options: ClusterOptions): RedisCluster {
    return new RedisCluster(options);
  }

  get isOpen(): boolean {
    return this[CORE].state === 'connecting' || this[CORE].state === 'ready';
  }
  get isReady(): boolean {
    return this[CORE].state === 'ready';
  }
  /** The cache that the connections of all nodes share. */
  get clientSideCache(): ClientSideCacheProvider | undefined {
    return this[CORE].options.cache?.provider;
  }
  /** Master and replicas by slot. */
  get slots(): readonly Shard[] {
    return this[CORE].nodes.slots as Shard[];
  }
  get masters(): readonly ClusterNode[] {
    return this[CORE].nodes.masters;
  }
  get replicas(): readonly ClusterNode[] {
    return this[CORE].nodes.replicas;
  }
  /** Nodes by their announced `host:port`. */
  get nodeByAddress(): ReadonlyMap<string, ClusterNode> {
    return this[CORE].nodes.byAddress;
  }

  /**
   * Discovers the cluster and connects to its masters.
   * @throws RootNodesUnavailableError with the last reason in `cause`
   */
  async connect(): Promise<this> {
    await this[CORE].open();
    return this;
  }
  /** Finishes what is in flight, then disconnects. */
  close(): Promise<void> {
    return this[CORE].close();
  }
  /** Disconnects now; what is unanswered rejects. */
  destroy(): void {
    this[CORE].destroy();
  }
  /** @deprecated use {@link close} */
  async quit(): Promise<void> {
    await this.close();
  }
  /** @deprecated use {@link destroy} */
  async disconnect(): Promise<void> {
    this.destroy();
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.isOpen ? this.close() : Promise.resolve();
  }

  /** A new, unconnected client with the same options, those of this view and `overrides`. */
  duplicate(overrides?: Partial<ClusterOptions>): RedisCluster<M, O> & CustomMethods<O, M> {
    const commandOptions = {
      ...this[GIVEN]().defaults?.commandOptions,
      ...this[GIVEN]().commandOptions,
      ...this[OPTIONS],
    };
    return new RedisCluster<M, O>({ ...this[GIVEN](), commandOptions, ...overrides }) as unknown as RedisCluster<M, O> &
      CustomMethods<O, M>;
  }

  /**
   * Any command by its words. Where the keys stand is known for all commands of Redis and Valkey; `firstKey` says it
   * for others. `isReadonly` is accepted for compatibility: whether a command reads is known.
   */
  sendCommand<T = ReplyValue>(
    firstKey: RedisArgument | undefined,
    isReadonly: boolean | undefined,
    args: Words,
    options?: CommandOptions,
  ): Promise<T>;
  sendCommand<T = ReplyValue>(args: Words, options?: CommandOptions): Promise<T>;
  sendCommand<T = ReplyValue>(
    first: RedisArgument | undefined | Words,
    second?: boolean | CommandOptions,
    third?: Words,
    fourth?: CommandOptions,
  ): Promise<T> {
    const [firstKey, args, given] = Array.isArray(first)
      ? [undefined, first as Words, second as CommandOptions | undefined]
      : [first as RedisArgument | undefined, third, fourth];
    return sendWords<T>(this, args, given, (command, options) =>
      firstKey !== undefined && command.spec.keys(command.args).length === 0
        ? this[CORE].dispatchTo(firstKey, command, options)
        : this[CORE].dispatch(command, options),
    );
  }

  /**
   * A transaction (MULTI … EXEC) on the slot of its keys, or of `routing` when it has none.
   * @throws CrossSlotError (from `exec`) when the keys lie in several slots
   */
  multi(routing?: RedisArgument): Multi<[], M, O> {
    const core = this[CORE];
    const target =
      routing === undefined
        ? core
        : {
            options: core.options,
            pipeline: core.pipeline.bind(core),
            withConnection: ((commands, use) =>
              core.withConnection(commands, use, routing)) as ClusterCore['withConnection'],
          };
    return transactionOf(this, target) as unknown as Multi<[], M, O>;
  }
  MULTI(routing?: RedisArgument): Multi<[], M, O> {
    return this.multi(routing);
  }

  /**
   * Lends a connection to the master of `key`'s slot, alone, for as long as `fn` runs: for WATCH with MULTI.
   * @example
   * await cluster.execute('stock', async (client) => {
   *   await client.watch('stock');
   *   const left = Number(await client.get('stock'));
   *   return client.multi().set('stock', left - 1).exec();
   * });
   */
  async execute<T>(key: RedisArgument, fn: (client: LentClient<M, O>) => T | Promise<T>): Promise<T> {
    const pool = await this[CORE].pool(key);
    return pool.execute(fn as (client: RedisClient) => T | Promise<T>, this[OPTIONS]);
  }
  /** {@link execute}, to be given back by `release()`. */
  async acquire(key: RedisArgument): Promise<LeasedClient<M, O>> {
    const pool = await this[CORE].pool(key);
    return pool.acquire(this[OPTIONS]) as unknown as Promise<LeasedClient<M, O>>;
  }

  /** The shared client of a node, connected. */
  nodeClient(node: ClusterNode): Promise<LentClient<Record<never, never>, O>> {
    return this[CORE].nodes.ready(node) as Promise<LentClient<Record<never, never>, O>>;
  }
  /** Nodes in turn. */
  getRandomNode(): ClusterNode {
    const { all } = this[CORE].nodes;
    return all[nextTurn() % all.length]!;
  }
  /** Nodes of a slot in turn. */
  getSlotRandomNode(slot: number): ClusterNode {
    const { master, replicas } = this.slots[slot]!;
    return [master, ...replicas][nextTurn() % (1 + replicas.length)]!;
  }
  /** The shared client of the node that serves a key. WATCH on it would meet others: use {@link execute} for that. */
  async getNodeClientForKey(key: RedisArgument, isReadonly?: boolean): Promise<LentClient<Record<never, never>, O>> {
    return this.nodeClient(this[CORE].nodeForKey(key, isReadonly));
  }
  /** @deprecated use `masters` */
  getMasters(): readonly ClusterNode[] {
    return this.masters;
  }
  /** @deprecated use `slots[slot].master` */
  getSlotMaster(slot: number): ClusterNode {
    return this.slots[slot]!.master;
  }

  /**
   * Keys of all masters, page by page. A key may come twice while slots move.
   * @example for await (const keys of cluster.scanIterator({ MATCH: 'user:*', COUNT: 1000 })) {}
   */
  async *scanIterator(options?: {
    cursor?: RedisArgument;
    MATCH?: RedisArgument;
    COUNT?: number;
    TYPE?: RedisArgument;
  }): AsyncGenerator<string[]> {
    const { cursor: from = '0', ...filter } = options ?? {};
    let cursor: unknown = from;
    do {
      const page = (await (this as unknown as RedisCluster).scan(cursor as string, filter as never)) as {
        cursor: unknown;
        keys: string[];
      };
      cursor = page.cursor;
      yield page.keys;
    } while (String(cursor) !== '0');
  }

  /** The node that serves channels and patterns, while there are any. */
  get pubSubNode(): ClusterNode | undefined {
    return this[CORE].pubSub.node;
  }
  /** Messages of channels. @example await cluster.subscribe('news', (message) => console.log(message)); */
  async subscribe(...args: Parameters<RedisClient['subscribe']>): Promise<void> {
    await this[CORE].pubSub.change((client) => client.subscribe(...args));
  }
  async unsubscribe(...args: Parameters<RedisClient['unsubscribe']>): Promise<void> {
    await this[CORE].pubSub.end((client) => client.unsubscribe(...args));
  }
  /** {@link subscribe} to all channels that match glob patterns. */
  async pSubscribe(...args: Parameters<RedisClient['pSubscribe']>): Promise<void> {
    await this[CORE].pubSub.change((client) => client.pSubscribe(...args));
  }
  async pUnsubscribe(...args: Parameters<RedisClient['pUnsubscribe']>): Promise<void> {
    await this[CORE].pubSub.end((client) => client.pUnsubscribe(...args));
  }
  /** {@link subscribe} to sharded channels (Redis 7.0); they follow their slot when it moves. */
  sSubscribe<B extends boolean = false>(
    channels: string | readonly string[],
    listener: PubSubListener<B>,
    buffers?: B,
  ): Promise<void> {
    return this[CORE].pubSub.sSubscribe(channels, listener, buffers);
  }
  sUnsubscribe<B extends boolean = false>(
    channels: string | readonly string[],
    listener?: PubSubListener<B>,
    buffers?: B,
  ): Promise<void> {
    return this[CORE].pubSub.sUnsubscribe(channels, listener, buffers);
  }

  /** The same cluster with other options for its commands. */
  withCommandOptions<N extends TypeMapping = M>(options: CommandOptions<N>): RedisCluster<N, O> & CustomMethods<O, N> {
    return viewOf(this, options);
  }
  /** The same cluster with other JavaScript types for replies. */
  withTypeMapping<N extends TypeMapping>(typeMapping: N): RedisCluster<N, O> & CustomMethods<O, N> {
    return this.withCommandOptions({ typeMapping });
  }
  /** The same cluster; its commands end when the signal fires. */
  withAbortSignal(abortSignal: AbortSignal): RedisCluster<M, O> & CustomMethods<O, M> {
    return this.withCommandOptions<M>({ abortSignal });
  }
  /** The same cluster; its commands go before those that wait. */
  asap(): RedisCluster<M, O> & CustomMethods<O, M> {
    return this.withCommandOptions<M>({ asap: true });
  }

  [inspect.custom](): string {
    return `RedisCluster { state: '${this[CORE].state}', masters: ${this.masters.length}, replicas: ${this.replicas.length} }`;
  }
  toJSON(): object {
    return { state: this[CORE].state, nodes: [...this.nodeByAddress.keys()] };
  }
}

// biome-ignore lint/correctness/noUnusedVariables: declarations that merge must have the same parameters
export interface RedisCluster<M extends TypeMapping = Record<never, never>, O = Record<never, never>>
  extends SharedCommandMethods<M> {}

bindSharedCommands(RedisCluster.prototype, (self, command) => self[CORE].dispatch(command, self[OPTIONS]));
bindUppercaseAliases(RedisCluster.prototype);

let turn = 0;
function nextTurn(): number {
  turn = (turn + 1) % 1_000_003;
  return turn;
}

/**
 * A client for a cluster. Nothing is sent until `connect()`.
 * @example
 * const cluster = createCluster({
 *   rootNodes: [{ url: 'rediss://node-1.internal' }, { url: 'rediss://node-2.internal' }],
 *   defaults: { username: 'app', password: secret, tls: { caFile: 'ca.crt' } },
 * });
 * await cluster.connect();
 */
export function createCluster<const O extends ClusterOptions>(
  options: O,
): RedisCluster<MappingOf<O>, CustomOf<O>> & CustomMethods<O, MappingOf<O>> {
  return new RedisCluster(options) as RedisCluster<MappingOf<O>, CustomOf<O>> & CustomMethods<O, MappingOf<O>>;
}
