/** A pool without the class of its clients: `RedisClientPool` (`client/client.ts`) adds that, and the types that need it. */
import { inspect } from 'node:util';
import { BasicPooledClientSideCache, type ClientSideCacheProvider } from '../cache/client-side-cache.js';
import { emitSafely } from '../client/emit-safely.js';
import { equip, Facade, runCustom, sendWords, transactionOf } from '../client/facade.js';
import { CORE, OPTIONS } from '../client/symbols.js';
import { bindSharedCommands } from '../commands/bind.js';
import type { CommandOptions } from '../options/command-options.js';
import { CLIENT_SCHEMA, checkOptions, POOL_SCHEMA } from '../options/option-schema.js';
import { type ClientOptions, type ResolvedOptions, resolveCache, resolveOptions } from '../options/options.js';
import type { RedisArgument, ReplyValue, TypeMapping } from '../protocol/types.js';
import { bindCustomCommands } from '../scripting/custom-commands.js';
import type { Multi } from '../transaction/transaction.js';
import type { PooledClient } from './lease.js';
import { PoolCore, type PoolOptions, resolvePoolOptions } from './pool-core.js';

export interface PoolCacheOptions {
  /** One cache for all connections; each connection tracks the keys that it has read. */
  clientSideCache?: ClientOptions['clientSideCache'];
}

export type PoolArguments = Partial<PoolOptions> & PoolCacheOptions;

export abstract class ClientPool<C extends PooledClient, M extends TypeMapping, O> extends Facade<
  PoolCore<C>,
  ClientOptions
> {
  /** `newClient` makes a client of `options`; `adjust` gives all of them the cache and the rate limit of the pool. */
  constructor(
    given: ClientOptions,
    options: PoolArguments,
    newClient: (options: ClientOptions, adjust: (resolved: ResolvedOptions) => ResolvedOptions) => C,
  ) {
    super();
    checkOptions(given, CLIENT_SCHEMA);
    checkOptions(options, POOL_SCHEMA);
    const { clientSideCache = given.clientSideCache, ...poolOptions } = options;
    const cache = resolveCache({ ...given, clientSideCache }, BasicPooledClientSideCache);
    const clientOptions: ClientOptions = { ...given, clientSideCache: undefined };
    const own: ResolvedOptions = { ...resolveOptions(clientOptions), cache };
    const { rateLimit } = own;
    const core = new PoolCore(
      () => newClient(clientOptions, (resolved) => ({ ...resolved, cache, rateLimit })),
      own,
      resolvePoolOptions(poolOptions),
      (event, ...args) => emitSafely(this, event, ...args),
    );
    equip(this, core, clientOptions);
    bindCustomCommands(this, clientOptions, (self, command, script) => runCustom(self as this, command, script));
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
  /** Requests that wait for a client. */
  get tasksQueueLength(): number {
    return this[CORE].waiting;
  }

  /** Opens `minimum` connections. */
  async connect(): Promise<this> {
    await this[CORE].open();
    return this;
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

bindSharedCommands(ClientPool.prototype, (self, command) => self[CORE].dispatch(command, self[OPTIONS]));
