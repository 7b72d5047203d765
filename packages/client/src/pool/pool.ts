/** The public pool: the commands, and clients to borrow. */
import { inspect } from 'node:util';
import { BasicPooledClientSideCache, type ClientSideCacheProvider } from '../cache/client-side-cache.js';
import { clientClass, type RedisClient } from '../client/client.js';
import { equip, Facade, runCustom, sendWords, transactionOf, viewOf } from '../client/facade.js';
import { CORE, OPTIONS } from '../client/symbols.js';
import { bindSharedCommands, type SharedCommandMethods } from '../commands/bind.js';
import type { CommandOptions } from '../options/command-options.js';
import { CLIENT_SCHEMA, checkOptions, POOL_SCHEMA } from '../options/option-schema.js';
import { type ClientOptions, type ResolvedOptions, resolveCache, resolveOptions } from '../options/options.js';
import type { RedisArgument, ReplyValue, TypeMapping } from '../protocol/types.js';
import { bindCustomCommands, type CustomMethods, type CustomOf, type MappingOf } from '../scripting/custom-commands.js';
import type { Multi } from '../transaction/transaction.js';
import type { LeasedClient, LentClient } from './lease.js';
import { PoolCore, type PoolOptions, resolvePoolOptions } from './pool-core.js';

export interface PoolCacheOptions {
  /** One cache for all connections: each is told of what it has read. */
  clientSideCache?: ClientOptions['clientSideCache'];
}

export type PoolArguments = Partial<PoolOptions> & PoolCacheOptions;

/**
 * Several connections to one server. Commands share the connections that nobody has borrowed; `execute` lends one
 * alone, for WATCH, SELECT or anything else that must not be mixed with the work of others.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the methods are defined on the prototype by bindCommands
export class RedisClientPool<M extends TypeMapping = Record<never, never>, O = Record<never, never>> extends Facade<
  PoolCore,
  ClientOptions
> {
  constructor(given: ClientOptions = {}, options: PoolArguments = {}) {
    super();
    checkOptions(given, CLIENT_SCHEMA);
    checkOptions(options, POOL_SCHEMA);
    const { clientSideCache = given.clientSideCache, ...poolOptions } = options;
    const cache = resolveCache({ ...given, clientSideCache }, BasicPooledClientSideCache);
    const clientOptions: ClientOptions = { ...given, clientSideCache: undefined };
    const own: ResolvedOptions = { ...resolveOptions(clientOptions), cache };
    const { rateLimit } = own;
    const Client = clientClass(clientOptions);
    const core = new PoolCore(
      () => new Client(clientOptions, (resolved) => ({ ...resolved, cache, rateLimit })),
      own,
      resolvePoolOptions(poolOptions),
      this,
    );
    equip(this, core, clientOptions);
    bindCustomCommands(this, clientOptions, (self, command, script) =>
      runCustom(self as RedisClientPool, command, script),
    );
  }

  static create(clientOptions?: ClientOptions, options?: PoolArguments): RedisClientPool {
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
  execute<T>(fn: (client: LentClient<M, O>) => T | Promise<T>): Promise<T> {
    return this[CORE].execute(fn as (client: RedisClient) => T | Promise<T>, this[OPTIONS]);
  }
  /** {@link execute} */
  use<T>(fn: (client: LentClient<M, O>) => T | Promise<T>): Promise<T> {
    return this[CORE].execute(fn as (client: RedisClient) => T | Promise<T>, this[OPTIONS]);
  }

  /** Borrows a client; `release()` must follow. Prefer {@link execute}, which cannot forget it. */
  acquire(): Promise<LeasedClient<M, O>> {
    return this[CORE].acquire(this[OPTIONS]) as unknown as Promise<LeasedClient<M, O>>;
  }

  /** Any command by its words. */
  sendCommand<T = ReplyValue>(
    args: readonly (RedisArgument | number | bigint)[],
    options?: CommandOptions,
  ): Promise<T> {
    return sendWords(this, args, options);
  }

  /** A transaction (MULTI … EXEC) on one of the connections. */
  multi(): Multi<[], M, O> {
    return transactionOf(this) as unknown as Multi<[], M, O>;
  }
  MULTI(): Multi<[], M, O> {
    return this.multi();
  }

  /** The same pool with other options for its commands. */
  withCommandOptions<N extends TypeMapping = M>(
    options: CommandOptions<N>,
  ): RedisClientPool<N, O> & CustomMethods<O, N> {
    return viewOf(this, options);
  }
  /** The same pool with other JavaScript types for replies. */
  withTypeMapping<N extends TypeMapping>(typeMapping: N): RedisClientPool<N, O> & CustomMethods<O, N> {
    return this.withCommandOptions({ typeMapping });
  }
  /** The same pool; its commands end when the signal fires. */
  withAbortSignal(abortSignal: AbortSignal): RedisClientPool<M, O> & CustomMethods<O, M> {
    return this.withCommandOptions<M>({ abortSignal });
  }
  /** The same pool; its commands go before those that wait. */
  asap(): RedisClientPool<M, O> & CustomMethods<O, M> {
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

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
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

// biome-ignore lint/correctness/noUnusedVariables: declarations that merge must have the same parameters
export interface RedisClientPool<M extends TypeMapping = Record<never, never>, O = Record<never, never>>
  extends SharedCommandMethods<M> {}

bindSharedCommands(RedisClientPool.prototype, (self, command) => self[CORE].dispatch(command, self[OPTIONS]));

/**
 * A pool of clients for one server. Nothing is sent until `connect()`.
 * @example
 * const pool = createClientPool({ url: 'rediss://cache.internal' }, { maximum: 20 });
 * await pool.connect();
 */
export function createClientPool<const O extends ClientOptions = ClientOptions>(
  clientOptions?: O,
  options?: PoolArguments,
): RedisClientPool<MappingOf<O>, CustomOf<O>> & CustomMethods<O, MappingOf<O>> {
  return new RedisClientPool(clientOptions, options) as RedisClientPool<MappingOf<O>, CustomOf<O>> &
    CustomMethods<O, MappingOf<O>>;
}
