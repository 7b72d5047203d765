/** The public client: binds the commands to a connection and speaks node-redis's dialect. */
import { EventEmitter } from 'node:events';
import { inspect } from 'node:util';
import { ClientCore } from './client-core.js';
import { bindCommands, type CommandMethods } from './commands/bind.js';
import { type Command, rawCommand, spec, Command as Value } from './commands/command.js';
import { type ClientOptions, type CommandOptions, resolveOptions } from './options.js';
import type { Mapped, RedisArgument, ReplyValue, TypeMapping } from './protocol/types.js';
import { Transaction } from './transaction/transaction.js';

/** Leads pools, clusters and Sentinel clients to a client's inside; not exported by the package. */
export const CORE = Symbol('core');
const OPTIONS = Symbol('options');
/** What the client was created with. */
const GIVEN = Symbol('given');
/** The client itself, on views made by `withCommandOptions` and its like. */
const SELF = Symbol('self');
const SELECT = spec('SELECT');
const WATCH = spec('WATCH');
const UNWATCH = spec('UNWATCH');

// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the methods are defined on the prototype by bindCommands
export class RedisClient<M extends TypeMapping = Record<never, never>> extends EventEmitter {
  declare readonly [CORE]: ClientCore;
  declare readonly [OPTIONS]: CommandOptions | undefined;
  declare readonly [GIVEN]: ClientOptions;
  declare readonly [SELF]: RedisClient;

  constructor(options: ClientOptions = {}) {
    super();
    const core = new ClientCore(resolveOptions(options), this);
    // Not enumerable: spreading or printing a client shows nothing of what it holds.
    Object.defineProperty(this, CORE, { value: core });
    Object.defineProperty(this, OPTIONS, { value: undefined });
    Object.defineProperty(this, GIVEN, { value: options });
    Object.defineProperty(this, SELF, { value: this });
  }

  static create(options?: ClientOptions): RedisClient {
    return new RedisClient(options);
  }

  /** Between `connect()` and `close()`. */
  get isOpen(): boolean {
    const { state } = this[CORE].connection;
    return state !== 'idle' && state !== 'closed' && state !== 'closing';
  }

  /** Connected, authenticated, able to run commands. */
  get isReady(): boolean {
    return this[CORE].connection.state === 'ready';
  }

  /** Grows with every connection: a value kept from before a reconnect differs. */
  get socketEpoch(): number {
    return this[CORE].connection.epoch;
  }

  /**
   * Connects, authenticates and resolves when commands can run.
   * @throws RedkeepError with a code that says what to do (docs/errors.md)
   */
  async connect(): Promise<this> {
    await this[CORE].connection.connect();
    return this;
  }

  /** Resolves when the queue has room: await it to produce no faster than the server consumes. */
  ready(): Promise<void> {
    return this[CORE].connection.room();
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
  async quit(): Promise<string> {
    await this.close();
    return 'OK';
  }
  /** @deprecated use {@link close} */
  QUIT(): Promise<string> {
    return this.quit();
  }
  /** @deprecated use {@link destroy} */
  async disconnect(): Promise<void> {
    this.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.isOpen ? this.close() : Promise.resolve();
  }

  /** The connection keeps the process alive (default). */
  ref(): void {
    this[CORE].connection.ref();
  }
  /** The connection does not keep the process alive. */
  unref(): void {
    this[CORE].connection.unref();
  }

  /** A new, unconnected client with the same options and `overrides`. */
  duplicate(overrides?: Partial<ClientOptions>): RedisClient<M> {
    return new RedisClient<M>({ ...this[GIVEN], ...overrides });
  }

  /**
   * Any command by its words. Each element is one argument, whatever it contains.
   * @example await client.sendCommand(['OBJECT', 'ENCODING', 'key']);
   */
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

  /**
   * Any command as a template. Words of the text are the command's own; each `${value}` is one argument, whatever it
   * contains.
   * @example await client.command`SET ${key} ${value} EX ${60}`;
   */
  command<T = ReplyValue>(text: TemplateStringsArray, ...values: (RedisArgument | number | bigint)[]): Promise<T> {
    return this.sendCommand<T>(templateWords(text, values));
  }

  /** The same client with other options for its commands: `client.withCommandOptions({ timeout: 100 }).get(key)`. */
  withCommandOptions<N extends TypeMapping = M>(options: CommandOptions<N>): RedisClient<N> {
    return Object.create(this, {
      [OPTIONS]: { value: { ...this[CORE].options.commandOptions, ...this[OPTIONS], ...options } },
    }) as RedisClient<N>;
  }

  /** The same client with other JavaScript types for replies. */
  withTypeMapping<N extends TypeMapping>(typeMapping: N): RedisClient<N> {
    return this.withCommandOptions({ typeMapping });
  }

  /** The same client; its commands end when the signal fires. */
  withAbortSignal(abortSignal: AbortSignal): RedisClient<M> {
    return this.withCommandOptions<M>({ abortSignal });
  }

  /** The same client; its commands go before those that wait. */
  asap(): RedisClient<M> {
    return this.withCommandOptions<M>({ asap: true });
  }

  /** Changes the database of this client, also after a reconnect. */
  async select(database: number): Promise<void> {
    await this[CORE].dispatch(new Value(SELECT, [String(database)]));
    this[CORE].connection.remember({ database });
  }
  SELECT(database: number): Promise<void> {
    return this.select(database);
  }

  /** A transaction (MULTI … EXEC): commands are collected and sent together by `exec`. */
  multi(): Transaction<[], M> {
    return new Transaction<[], M>(this[CORE], this[OPTIONS]) as Transaction<[], M>;
  }
  MULTI(): Transaction<[], M> {
    return this.multi();
  }

  /** `exec` of the next transaction on this connection fails if one of the keys changes until then. */
  watch(keys: RedisArgument | readonly RedisArgument[]): Promise<Mapped<string, M>> {
    return this[CORE].dispatch(new Value(WATCH, Array.isArray(keys) ? keys : [keys])) as Promise<Mapped<string, M>>;
  }
  unwatch(): Promise<Mapped<string, M>> {
    return this[CORE].dispatch(new Value(UNWATCH, [])) as Promise<Mapped<string, M>>;
  }

  [inspect.custom](): string {
    const { connection, server } = this[CORE];
    return `RedisClient { server: '${server}', state: '${connection.state}' }`;
  }
  toJSON(): object {
    return { server: this[CORE].server, state: this[CORE].connection.state };
  }
}

export interface RedisClient<M extends TypeMapping = Record<never, never>> extends CommandMethods<M> {}

bindCommands(RedisClient.prototype, (self, command) => self[CORE].dispatch(command, self[OPTIONS]));

// A view shares the listeners of its client.
const EMITTER_METHODS = [
  'on',
  'once',
  'off',
  'addListener',
  'removeListener',
  'removeAllListeners',
  'prependListener',
  'prependOnceListener',
  'emit',
  'listenerCount',
  'listeners',
  'rawListeners',
  'eventNames',
  'setMaxListeners',
  'getMaxListeners',
] as const;
for (const name of EMITTER_METHODS) {
  const original = EventEmitter.prototype[name] as (...args: unknown[]) => unknown;
  Object.defineProperty(RedisClient.prototype, name, {
    value: function (this: RedisClient, ...args: unknown[]): unknown {
      const result = original.apply(this[SELF] ?? this, args);
      return result === this[SELF] ? this : result;
    },
    writable: true,
    configurable: true,
  });
}

/** Words of the text between values, and the values, in order. */
export function templateWords(
  text: readonly string[],
  values: readonly (RedisArgument | number | bigint)[],
): (RedisArgument | number | bigint)[] {
  const words: (RedisArgument | number | bigint)[] = [];
  for (const [i, part] of text.entries()) {
    for (const word of part.split(/\s+/)) if (word !== '') words.push(word);
    if (i < values.length) words.push(values[i]!);
  }
  return words;
}

/**
 * A client for one server. Nothing is sent until `connect()`.
 * @example
 * const client = createClient({ url: 'rediss://cache.internal:6379', tls: { caFile: 'ca.crt' } });
 * await client.connect();
 */
export function createClient(options?: ClientOptions): RedisClient {
  return new RedisClient(options);
}
