/** The public pool: the commands, and clients to borrow. */
import { EventEmitter } from 'node:events';
import { inspect } from 'node:util';
import { BasicPooledClientSideCache, type ClientSideCacheProvider } from '../cache/client-side-cache.js';
import { RedisClient } from '../client.js';
import { bindCommands, type CommandMethods } from '../commands/bind.js';
import { type Command, rawCommand } from '../commands/command.js';
import {
  type ClientOptions,
  type CommandOptions,
  type ResolvedOptions,
  resolveCache,
  resolveOptions,
} from '../options.js';
import type { RedisArgument, ReplyValue, TypeMapping } from '../protocol/types.js';
import { bindCustomCommands, type CustomMethods, runScript } from '../scripting/custom-commands.js';
import { Transaction } from '../transaction/transaction.js';
import type { LeasedClient } from './lease.js';
import { PoolCore, type PoolOptions, resolvePoolOptions } from './pool-core.js';

const CORE = Symbol('core');
const OPTIONS = Symbol('options');

export interface PoolCacheOptions {
  /** One cache for all connections: each is told of what it has read. */
  clientSideCache?: ClientOptions['clientSideCache'];
}

/**
 * Several connections to one server. Commands share the connections that nobody has borrowed; `execute` lends one
 * alone, for WATCH, SELECT or anything else that must not be mixed with the work of others.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the methods are defined on the prototype by bindCommands
export class RedisClientPool<M extends TypeMapping = Record<never, never>> extends EventEmitter {
  declare readonly [CORE]: PoolCore;
  declare readonly [OPTIONS]: CommandOptions | undefined;

  constructor(given: ClientOptions = {}, options: Partial<PoolOptions> & PoolCacheOptions = {}) {
    super();
    const { clientSideCache = given.clientSideCache, ...poolOptions } = options;
    const cache = resolveCache({ ...given, clientSideCache }, BasicPooledClientSideCache);
    const clientOptions: ClientOptions = { ...given, clientSideCache: undefined };
    const shareCache = (resolved: ResolvedOptions) => ({ ...resolved, cache });
    const core = new PoolCore(
      () => new RedisClient(clientOptions, shareCache),
      shareCache(resolveOptions(clientOptions)),
      resolvePoolOptions(poolOptions),
      this,
    );
    // Not enumerable: spreading or printing a pool shows nothing of what it holds.
    Object.defineProperty(this, CORE, { value: core });
    Object.defineProperty(this, OPTIONS, { value: undefined });
    bindCustomCommands(this, clientOptions, async (self, command, script) => {
      const { [OPTIONS]: given } = self as RedisClientPool;
      if (script === undefined) return core.dispatch(command, given);
      return runScript((value, other) => core.dispatch(value, other), command, script, given);
    });
  }

  static create(clientOptions?: ClientOptions, options?: Partial<PoolOptions> & PoolCacheOptions): RedisClientPool {
    return new RedisClientPool(clientOptions, options);
  }

  get isOpen(): boolean {
    return this[CORE].state !== 'closed';
  }
  /** The cache that all clients of the pool share. */
  get clientSideCache(): ClientSideCacheProvider | undefined {
    return this[CORE].options.cache?.provider;
  }
  get isClosing(): boolean {
    return this[CORE].state === 'closing';
  }
  /** Clients that nobody has borrowed. */
  get idleClients(): number {
    return this[CORE].idle;
  }
  /** Clients that are borrowed or connecting. */
  get clientsInUse(): number {
    return this[CORE].busy;
  }
  get totalClients(): number {
    return this[CORE].idle + this[CORE].busy;
  }
  /** Who waits for a client. */
  get tasksQueueLength(): number {
    return this[CORE].waiting;
  }

  /** Opens `minimum` connections. */
  async connect(): Promise<this> {
    await this[CORE].open();
    return this;
  }

  /**
   * Lends a client to `fn` for as long as it runs, and cleans it afterwards.
   * @example
   * await pool.execute(async (client) => {
   *   await client.watch('stock');
   *   const left = Number(await client.get('stock'));
   *   return client.multi().set('stock', left - 1).exec();
   * });
   */
  execute<T>(fn: (client: RedisClient) => T | Promise<T>): Promise<T> {
    return this[CORE].execute(fn);
  }
  /** {@link execute} */
  use<T>(fn: (client: RedisClient) => T | Promise<T>): Promise<T> {
    return this[CORE].execute(fn);
  }

  /** Borrows a client; `release()` must follow. Prefer {@link execute}, which cannot forget it. */
  acquire(): Promise<LeasedClient> {
    return this[CORE].acquire();
  }

  /** Any command by its words. */
  sendCommand<T = ReplyValue>(
    args: readonly (RedisArgument | number | bigint)[],
    options?: CommandOptions,
  ): Promise<T> {
    let command: Command<T>;
    try {
      command = rawCommand<T>(args);
    } catch (error) {
      return Promise.reject(error);
    }
    return this[CORE].dispatch(command, options === undefined ? this[OPTIONS] : { ...this[OPTIONS], ...options });
  }

  /** A transaction (MULTI … EXEC) on one of the connections. */
  multi(): Transaction<[], M> {
    return new Transaction<[], M>(this[CORE], this[OPTIONS]) as Transaction<[], M>;
  }
  MULTI(): Transaction<[], M> {
    return this.multi();
  }

  /** The same pool with other options for its commands. */
  withCommandOptions<N extends TypeMapping = M>(options: CommandOptions<N>): RedisClientPool<N> {
    return Object.create(this, {
      [OPTIONS]: { value: { ...this[CORE].options.commandOptions, ...this[OPTIONS], ...options } },
    }) as RedisClientPool<N>;
  }
  /** The same pool with other JavaScript types for replies. */
  withTypeMapping<N extends TypeMapping>(typeMapping: N): RedisClientPool<N> {
    return this.withCommandOptions({ typeMapping });
  }
  /** The same pool; its commands end when the signal fires. */
  withAbortSignal(abortSignal: AbortSignal): RedisClientPool<M> {
    return this.withCommandOptions<M>({ abortSignal });
  }
  /** The same pool; its commands go before those that wait. */
  asap(): RedisClientPool<M> {
    return this.withCommandOptions<M>({ asap: true });
  }

  /** Takes no new work, finishes all that there is, disconnects. */
  close(): Promise<void> {
    return this[CORE].close();
  }
  /** Disconnects now; what is unanswered rejects. */
  destroy(): void {
    this[CORE].destroy();
  }

  [inspect.custom](): string {
    const { state, idle, busy, waiting } = this[CORE];
    return `RedisClientPool { state: '${state}', idle: ${idle}, inUse: ${busy}, waiting: ${waiting} }`;
  }
  toJSON(): object {
    const { state, idle, busy, waiting } = this[CORE];
    return { state, idle, inUse: busy, waiting };
  }
}

export interface RedisClientPool<M extends TypeMapping = Record<never, never>> extends CommandMethods<M> {}

bindCommands(RedisClientPool.prototype, (self, command) => self[CORE].dispatch(command, self[OPTIONS]));

/**
 * A pool of clients for one server. Nothing is sent until `connect()`.
 * @example
 * const pool = createClientPool({ url: 'rediss://cache.internal' }, { maximum: 20 });
 * await pool.connect();
 */
export function createClientPool<const O extends ClientOptions = ClientOptions>(
  clientOptions?: O,
  options?: Partial<PoolOptions> & PoolCacheOptions,
): RedisClientPool & CustomMethods<O> {
  return new RedisClientPool(clientOptions, options) as RedisClientPool & CustomMethods<O>;
}
