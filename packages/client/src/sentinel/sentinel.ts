/** The public Sentinel client: the commands, run on the current master. */
import { inspect } from 'node:util';
import type { ClientSideCacheProvider } from '../cache/client-side-cache.js';
import type { LeasedClient, LentClient, RedisClient } from '../client/client.js';
import { equip, Facade, runCustom, sendWords, transactionOf, viewOf, type Words } from '../client/facade.js';
import type { ScanIteratorOptions } from '../client/scan-iterators.js';
import { CORE, GIVEN, OPTIONS } from '../client/symbols.js';
import type { NodeAddress } from '../cluster/topology.js';
import { bindSharedCommands, type SharedCommandMethods } from '../commands/bind.js';
import type { ScanOptions } from '../commands/keys.js';
import { bindUppercaseAliases } from '../node-redis/uppercase-aliases.js';
import type { CommandOptions } from '../options/command-options.js';
import type { Mapped, ReplyValue, TypeMapping } from '../protocol/types.js';
import { bindCustomCommands, type CustomMethods, type CustomOf, type MappingOf } from '../scripting/custom-commands.js';
import type { Multi } from '../transaction/transaction.js';
import { masterKeys } from './master-keys.js';
import { SentinelCore } from './sentinel-core.js';
import type { SentinelOptions } from './sentinel-options.js';

/**
 * A client for servers that sentinels watch. Emits `topology-change` when master, replicas or sentinels change.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the methods are defined on the prototype by bindCommands
export class RedisSentinel<M extends TypeMapping = Record<never, never>, O = Record<never, never>> extends Facade<
  SentinelCore,
  SentinelOptions
> {
  declare readonly SUBSCRIBE: RedisSentinel['subscribe'];
  declare readonly UNSUBSCRIBE: RedisSentinel['unsubscribe'];
  declare readonly PSUBSCRIBE: RedisSentinel['pSubscribe'];
  declare readonly PUNSUBSCRIBE: RedisSentinel['pUnsubscribe'];
  declare readonly SSUBSCRIBE: RedisSentinel['sSubscribe'];
  declare readonly SUNSUBSCRIBE: RedisSentinel['sUnsubscribe'];

  constructor(options: SentinelOptions) {
    super();
    const core = new SentinelCore(options, this);
    equip(this, core, options);
    bindCustomCommands(this, options, (self, command, script) => runCustom(self as RedisSentinel, command, script));
  }

  static create(options: SentinelOptions): RedisSentinel {
    return new RedisSentinel(options);
  }

  get isOpen(): boolean {
    return this[CORE].state === 'connecting' || this[CORE].state === 'ready';
  }
  /** The cache that the connections to master and replicas share. */
  get clientSideCache(): ClientSideCacheProvider | undefined {
    return this[CORE].options.cache?.provider;
  }
  get isReady(): boolean {
    return this[CORE].state === 'ready';
  }

  /**
   * Asks the sentinels and connects to the master.
   * @throws RootNodesUnavailableError when no sentinel answers
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
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
  /** A new, unconnected client with the same options, those of this view and `overrides`. */
  duplicate(overrides?: Partial<SentinelOptions>): RedisSentinel<M, O> & CustomMethods<O, M> {
    const commandOptions = { ...this[GIVEN]().commandOptions, ...this[OPTIONS] };
    return new RedisSentinel<M, O>({ ...this[GIVEN](), commandOptions, ...overrides }) as unknown as RedisSentinel<
      M,
      O
    > &
      CustomMethods<O, M>;
  }

  /** Any command by its words. `isReadonly` is accepted for compatibility: whether a command reads is known. */
  sendCommand<T = ReplyValue>(isReadonly: boolean | undefined, args: Words, options?: CommandOptions): Promise<T>;
  sendCommand<T = ReplyValue>(args: Words, options?: CommandOptions): Promise<T>;
  sendCommand<T = ReplyValue>(
    first: boolean | undefined | Words,
    second?: Words | CommandOptions,
    third?: CommandOptions,
  ): Promise<T> {
    const [args, given] = Array.isArray(first) ? [first, second as CommandOptions | undefined] : [second, third];
    return sendWords(this, args as Words | undefined, given);
  }

  /** A transaction (MULTI … EXEC) on the master. */
  multi(): Multi<[], M, O> {
    return transactionOf(this) as unknown as Multi<[], M, O>;
  }
  MULTI(): Multi<[], M, O> {
    return this.multi();
  }

  /** Lends a connection to the master to `fn` for as long as it runs: for WATCH with MULTI. */
  use<T>(fn: (client: LentClient<M, O>) => T | Promise<T>): Promise<T> {
    return this[CORE].execute(fn as (client: RedisClient) => T | Promise<T>, this[OPTIONS]);
  }
  /** Borrows a connection to the master; `release()` must follow. */
  acquire(): Promise<LeasedClient<M, O>> {
    return this[CORE].acquire(this[OPTIONS]) as unknown as Promise<LeasedClient<M, O>>;
  }

  getMasterNode(): NodeAddress | undefined {
    return this[CORE].topology?.master;
  }
  /** The sentinel whose answer was used last. */
  getSentinelNode(): NodeAddress | undefined {
    return this[CORE].topology?.source;
  }
  /** Replicas that are read from, with the number of connections. */
  getReplicaNodes(): Map<NodeAddress, number> {
    return this[CORE].replicaNodes;
  }

  /** Messages of channels on the master; subscriptions follow it through failovers. */
  async subscribe(...args: Parameters<RedisClient['subscribe']>): Promise<void> {
    await (await this[CORE].pubSub()).subscribe(...args);
  }
  async unsubscribe(...args: Parameters<RedisClient['unsubscribe']>): Promise<void> {
    await (await this[CORE].pubSub()).unsubscribe(...args);
  }
  async pSubscribe(...args: Parameters<RedisClient['pSubscribe']>): Promise<void> {
    await (await this[CORE].pubSub()).pSubscribe(...args);
  }
  async pUnsubscribe(...args: Parameters<RedisClient['pUnsubscribe']>): Promise<void> {
    await (await this[CORE].pubSub()).pUnsubscribe(...args);
  }
  async sSubscribe(...args: Parameters<RedisClient['sSubscribe']>): Promise<void> {
    await (await this[CORE].pubSub()).sSubscribe(...args);
  }
  async sUnsubscribe(...args: Parameters<RedisClient['sUnsubscribe']>): Promise<void> {
    await (await this[CORE].pubSub()).sUnsubscribe(...args);
  }

  /**
   * Pages of the master's keys.
   * @throws ScanIteratorInterruptedError when the master changes meanwhile: the new one does not know the cursor
   * @example for await (const keys of client.scanIterator({ MATCH: 'user:*', COUNT: 500 })) await client.unlink(keys);
   */
  scanIterator(options?: ScanOptions & ScanIteratorOptions): AsyncGenerator<Mapped<string, M>[], void, undefined> {
    return masterKeys(this[CORE], this, options, this[OPTIONS]) as AsyncGenerator<Mapped<string, M>[], void, undefined>;
  }

  /** The same client with other options for its commands. */
  withCommandOptions<N extends TypeMapping = M>(options: CommandOptions<N>): RedisSentinel<N, O> & CustomMethods<O, N> {
    return viewOf(this, options);
  }
  /** The same client with other JavaScript types for replies. */
  withTypeMapping<N extends TypeMapping>(typeMapping: N): RedisSentinel<N, O> & CustomMethods<O, N> {
    return this.withCommandOptions({ typeMapping });
  }

  [inspect.custom](): string {
    const master = this.getMasterNode();
    return `RedisSentinel { state: '${this[CORE].state}', master: '${master?.host ?? ''}:${master?.port ?? ''}' }`;
  }
  toJSON(): object {
    return { state: this[CORE].state, master: this.getMasterNode() };
  }
}

// biome-ignore lint/correctness/noUnusedVariables: declarations that merge must have the same parameters
export interface RedisSentinel<M extends TypeMapping = Record<never, never>, O = Record<never, never>>
  extends SharedCommandMethods<M> {}

bindSharedCommands(RedisSentinel.prototype, (self, command) => self[CORE].dispatch(command, self[OPTIONS]));
bindUppercaseAliases(RedisSentinel.prototype);

/**
 * A client for servers that sentinels watch. Nothing is sent until `connect()`.
 * @example
 * const client = createSentinel({
 *   name: 'primary',
 *   sentinelRootNodes: [{ host: 'sentinel-1.internal', port: 26379 }],
 *   nodeClientOptions: { username: 'app', password: secret, tls: { caFile: 'ca.crt' } },
 *   sentinelClientOptions: { password: sentinelSecret },
 * });
 * await client.connect();
 */
export function createSentinel<const O extends SentinelOptions>(
  options: O,
): RedisSentinel<MappingOf<O>, CustomOf<O>> & CustomMethods<O, MappingOf<O>> {
  return new RedisSentinel(options) as RedisSentinel<MappingOf<O>, CustomOf<O>> & CustomMethods<O, MappingOf<O>>;
}
