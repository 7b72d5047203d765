/** The public Sentinel client: the commands, run on whoever is master. */
import { EventEmitter } from 'node:events';
import { inspect } from 'node:util';
import type { ClientSideCacheProvider } from '../cache/client-side-cache.js';
import type { RedisClient } from '../client.js';
import type { NodeAddress } from '../cluster/topology.js';
import { bindCommands, type CommandMethods } from '../commands/bind.js';
import { type Command, rawCommand } from '../commands/command.js';
import { InvalidArgumentError } from '../errors.js';
import type { CommandOptions } from '../options.js';
import type { LeasedClient } from '../pool/lease.js';
import type { RedisArgument, ReplyValue, TypeMapping } from '../protocol/types.js';
import { bindCustomCommands, type CustomMethods, runScript } from '../scripting/custom-commands.js';
import { Transaction } from '../transaction/transaction.js';
import { SentinelCore } from './sentinel-core.js';
import type { SentinelOptions } from './sentinel-options.js';

const CORE = Symbol('core');
const OPTIONS = Symbol('options');
const GIVEN = Symbol('given');

type Words = readonly (RedisArgument | number | bigint)[];

/**
 * A client for servers that sentinels watch. Emits `topology-change` when master, replicas or sentinels change.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the methods are defined on the prototype by bindCommands
export class RedisSentinel<M extends TypeMapping = Record<never, never>> extends EventEmitter {
  declare readonly [CORE]: SentinelCore;
  declare readonly [OPTIONS]: CommandOptions | undefined;
  declare readonly [GIVEN]: SentinelOptions;

  constructor(options: SentinelOptions) {
    super();
    const core = new SentinelCore(options, this);
    // Not enumerable: spreading or printing shows nothing of what it holds.
    Object.defineProperty(this, CORE, { value: core });
    Object.defineProperty(this, OPTIONS, { value: undefined });
    bindCustomCommands(this, options, async (self, command, script) => {
      const { [OPTIONS]: given } = self as RedisSentinel;
      if (script === undefined) return core.dispatch(command, given);
      return runScript((value, other) => core.dispatch(value, other), command, script, given);
    });
    Object.defineProperty(this, GIVEN, { value: options });
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
  duplicate(overrides?: Partial<SentinelOptions>): RedisSentinel<M> {
    return new RedisSentinel<M>({ ...this[GIVEN], ...overrides });
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
    let command: Command<T>;
    try {
      if (!Array.isArray(args)) throw new InvalidArgumentError('sendCommand', 'args', 'must be an array');
      command = rawCommand<T>(args);
    } catch (error) {
      return Promise.reject(error);
    }
    return this[CORE].dispatch(command, given === undefined ? this[OPTIONS] : { ...this[OPTIONS], ...given });
  }

  /** A transaction (MULTI … EXEC) on the master. */
  multi(): Transaction<[], M> {
    return new Transaction<[], M>(this[CORE], this[OPTIONS]) as Transaction<[], M>;
  }
  MULTI(): Transaction<[], M> {
    return this.multi();
  }

  /** Lends a connection to the master to `fn` for as long as it runs: for WATCH with MULTI. */
  use<T>(fn: (client: RedisClient) => T | Promise<T>): Promise<T> {
    return this[CORE].execute(fn);
  }
  /** Borrows a connection to the master; `release()` must follow. */
  acquire(): Promise<LeasedClient> {
    return this[CORE].acquire();
  }

  getMasterNode(): NodeAddress | undefined {
    return this[CORE].topology?.master;
  }
  /** The sentinel that was believed last. */
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

  /** The same client with other options for its commands. */
  withCommandOptions<N extends TypeMapping = M>(options: CommandOptions<N>): RedisSentinel<N> {
    return Object.create(this, {
      [OPTIONS]: { value: { ...this[CORE].options.commandOptions, ...this[OPTIONS], ...options } },
    }) as RedisSentinel<N>;
  }
  /** The same client with other JavaScript types for replies. */
  withTypeMapping<N extends TypeMapping>(typeMapping: N): RedisSentinel<N> {
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

export interface RedisSentinel<M extends TypeMapping = Record<never, never>> extends CommandMethods<M> {}

bindCommands(RedisSentinel.prototype, (self, command) => self[CORE].dispatch(command, self[OPTIONS]));

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
export function createSentinel<const O extends SentinelOptions>(options: O): RedisSentinel & CustomMethods<O> {
  return new RedisSentinel(options) as RedisSentinel & CustomMethods<O>;
}
