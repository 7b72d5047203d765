/**
 * The public client, with the commands and node-redis's API, and the pool of such clients. Both are in one file because
 * each has the other in its public types: `createPool` returns a pool, and a pool lends clients.
 */
import { EventEmitter } from 'node:events';
import type { Readable } from 'node:stream';
import { inspect } from 'node:util';
import type { ClientSideCacheProvider } from '../cache/client-side-cache.js';
import type { ScanCommonOptions } from '../commands/arguments.js';
import { bindCommands, type CommandMethods, type SharedCommandMethods } from '../commands/bind.js';
import { Command, spec } from '../commands/command.js';
import type { CommandReply } from '../commands/command-info.js';
import { auth } from '../commands/connection.js';
import type { ScanOptions } from '../commands/keys.js';
import type { BasicAuth } from '../credentials/credentials.js';
import { InvalidArgumentError } from '../errors.js';
import { createLegacyClient, type LegacyClient } from '../node-redis/legacy-client.js';
import { bindUppercaseAliases } from '../node-redis/uppercase-aliases.js';
import type { CommandOptions } from '../options/command-options.js';
import { CLIENT_SCHEMA, checkOptions } from '../options/option-schema.js';
import { type ClientOptions, type ResolvedOptions, resolveOptions } from '../options/options.js';
import { writableOptions } from '../options/secret-options.js';
import { parseOptions, parseURL } from '../options/url-options.js';
import type { Lease } from '../pool/lease.js';
import { ClientPool, type PoolArguments } from '../pool/pool.js';
import {
  type BlobString,
  type Double,
  type Mapped,
  RESP_TYPES,
  type RedisArgument,
  type ReplyValue,
  type TypeMapping,
} from '../protocol/types.js';
import { type MessagesOptions, messages, type PubSubEvent } from '../pubsub/message-iterator.js';
import type { ChannelListeners, PubSubListener, PubSubType, PubSubTypeListeners } from '../pubsub/pub-sub.js';
import {
  bindCustomCommands,
  type CustomCommandOptions,
  type CustomMethods,
  type CustomOf,
  hasCustomCommands,
  type MappingOf,
} from '../scripting/custom-commands.js';
import type { TlsInfo } from '../security/tls-info.js';
import { type ConsumedEntry, type ConsumeOptions, consumeGroup } from '../streaming/consumer-group.js';
import { type ValueStreamOptions, valueStream } from '../streaming/value-stream.js';
import type { Multi } from '../transaction/transaction.js';
import { ClientCore } from './client-core.js';
import { equip, Facade, runCustom, sendWords, transactionOf, viewOf } from './facade.js';
import { type Health, healthCheck } from './health-check.js';
import { type Pages, pages, type ScanIteratorOptions } from './scan-iterators.js';
import { CORE, GIVEN, OPTIONS, SELF } from './symbols.js';

const SELECT = spec('SELECT');
const WATCH = spec('WATCH');
const UNWATCH = spec('UNWATCH');
/** `client.options` of each client that was asked for them. */
const shownOptions = new WeakMap<RedisClient, ClientOptions>();
/** Answered by pushes, which a raw command would await for ever. */
const SUBSCRIPTIONS = new Set(['SUBSCRIBE', 'PSUBSCRIBE', 'SSUBSCRIBE', 'UNSUBSCRIBE', 'PUNSUBSCRIBE', 'SUNSUBSCRIBE']);

// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the methods are defined on the prototype by bindCommands
export class RedisClient<M extends TypeMapping = Record<never, never>, O = Record<never, never>> extends Facade<
  ClientCore,
  ClientOptions
> {
  declare readonly [SELF]: RedisClient;
  declare readonly SUBSCRIBE: RedisClient['subscribe'];
  declare readonly UNSUBSCRIBE: RedisClient['unsubscribe'];
  declare readonly PSUBSCRIBE: RedisClient['pSubscribe'];
  declare readonly PUNSUBSCRIBE: RedisClient['pUnsubscribe'];
  declare readonly SSUBSCRIBE: RedisClient['sSubscribe'];
  declare readonly SUNSUBSCRIBE: RedisClient['sUnsubscribe'];

  /**
   * `adjust` is for pools, clusters and Sentinel clients, which decide where their clients connect to.
   * @throws InvalidOptionError
   */
  constructor(options: ClientOptions = {}, adjust?: (resolved: ResolvedOptions) => ResolvedOptions) {
    super();
    const resolved = resolveOptions(options);
    const core = new ClientCore(typeof adjust === 'function' ? adjust(resolved) : resolved, this);
    equip(this, core, options);
    Object.defineProperty(this, SELF, { value: this });
  }

  static create<const O extends ClientOptions = ClientOptions>(this: void, options?: O): ClientOf<O> {
    return createClient(options);
  }

  /** A maker of clients that share modules, functions and scripts. */
  static factory<const O extends CustomCommandOptions>(
    this: void,
    config?: O,
  ): (options?: ClientOptions) => ClientOf<O> {
    const Client = clientClass(config ?? {});
    return (options) => new Client({ ...options, ...config }) as ClientOf<O>;
  }

  static readonly parseURL = parseURL;
  static readonly parseOptions = parseOptions;

  /** Between `connect()` and `close()`. */
  get isOpen(): boolean {
    const { state } = this[CORE].connection;
    return state !== 'idle' && state !== 'closed' && state !== 'closing';
  }

  /** Connected, authenticated, able to run commands. */
  get isReady(): boolean {
    return this[CORE].connection.isReady;
  }

  /** Something is subscribed to, or about to be. */
  get isPubSubActive(): boolean {
    return this[CORE].pubSub.isActive;
  }

  /** Keys are watched for the next transaction. */
  get isWatching(): boolean {
    return this[CORE].isWatching;
  }
  /** The WATCH is void: the next transaction fails. */
  get isDirtyWatch(): boolean {
    return this[CORE].isDirtyWatch;
  }
  setDirtyWatch(why: string): void {
    this[CORE].setDirtyWatch(why);
  }

  /** Grows with every connection: a value kept from before a reconnect differs. */
  get socketEpoch(): number {
    return this[CORE].connection.epoch;
  }

  /**
   * What the client was created with, the URL taken apart. The password is a {@link Secret}: it does not print, and the
   * `url` is without it. `disableOfflineQueue`, `commandsQueueMaxLength`, `maxRetriesPerCommand`,
   * `socket.reconnectStrategy` and `socket.connectTimeout` can be written and act from then on; what else is written
   * acts on clients made by `duplicate()`, and a warning says so.
   */
  get options(): ClientOptions {
    const self = this[SELF];
    let options = shownOptions.get(self);
    if (options === undefined) {
      options = writableOptions(self[GIVEN](), (path, value) => self.#written(path, value));
      shownOptions.set(self, options);
    }
    return options;
  }

  #written(path: readonly string[], value: unknown): void {
    const given = this[GIVEN]() as Record<string, unknown>;
    const name = path.join('.');
    const written =
      path.length === 1
        ? { ...given, [name]: value }
        : { ...given, [path[0]!]: { ...(given[path[0]!] as object | undefined), [path[1]!]: value } };
    Object.defineProperty(this, GIVEN, { value: () => written, configurable: true });
    if (!this[CORE].connection.change(name, value))
      process.emitWarning(`client.options.${name} was written: it acts on duplicates, and not on this client`, {
        code: 'REDKEEP_OPTION_IGNORED',
      });
  }

  get clientSideCache(): ClientSideCacheProvider | undefined {
    return this[CORE].cache;
  }

  /**
   * Connects, authenticates and resolves when commands can run.
   * @throws RedkeepError with a code that says what to do (docs/errors.md)
   */
  async connect(): Promise<this> {
    await this[CORE].connect();
    return this;
  }

  /** Resolves when the queue has room: await it to produce no faster than the server consumes. */
  ready(): Promise<void> {
    return this[CORE].connection.room();
  }

  /**
   * Proof that the connection works now: the server has answered a question asked for it, within `limit` milliseconds
   * (at most and by default 5000). Never rejects; fit for a load balancer's probe.
   * @example
   * const health = await client.healthCheck();
   * response.writeHead(health.ok ? 200 : 503).end(JSON.stringify(health));
   */
  healthCheck(limit?: number): Promise<Health> {
    return healthCheck(this[CORE].connection, limit);
  }

  /**
   * Protocol, cipher, verified chain and days left of the live TLS session; undefined in plaintext or while not
   * connected. The event `certificate-expiring` brings the same when less than 30 days are left.
   */
  tlsInfo(): TlsInfo | undefined {
    return this[CORE].tlsInfo();
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

  /** A new, unconnected client with the same options, those of this view and `overrides`. */
  duplicate(overrides?: Partial<ClientOptions>): this {
    const Client = this[SELF].constructor as new (options: ClientOptions) => this;
    const given = this[GIVEN]();
    const commandOptions = { ...given.commandOptions, ...this[OPTIONS] };
    return new Client({ ...given, commandOptions, ...overrides });
  }

  /** A pool of clients with the options of this one. It has connections of its own. */
  createPool(options?: PoolArguments): RedisClientPool {
    return new RedisClientPool(this[GIVEN](), options);
  }

  /** Authenticates the living connection anew, and every one after it. */
  async reAuthenticate(credentials: BasicAuth): Promise<void> {
    const { username, password } = credentials;
    if (password === undefined) throw new InvalidArgumentError('reAuthenticate', 'password', 'is missing');
    await this[CORE].dispatch(auth(username === undefined ? { password } : { username, password }));
  }

  /** The callback interface of node-redis 3. */
  legacy(): LegacyClient {
    return createLegacyClient(this[SELF]);
  }

  /**
   * Any command by its words. Each element is one argument, whatever it contains.
   * @example await client.sendCommand(['OBJECT', 'ENCODING', 'key']);
   */
  sendCommand<T = ReplyValue>(
    args: readonly (RedisArgument | number | bigint)[],
    options?: CommandOptions,
  ): Promise<T> {
    return sendWords<T>(this as unknown as RedisClient, args, options, (command, merged) => {
      if (SUBSCRIPTIONS.has(command.spec.name))
        throw new InvalidArgumentError(command.spec.name, 0, 'needs a listener; use subscribe() and its like');
      return this[CORE].dispatch(command, merged);
    });
  }

  /**
   * Any command as a template. Words of the text are the command's own; each `${value}` is one argument, whatever it
   * contains.
   * @example await client.command`SET ${key} ${value} EX ${60}`;
   */
  command<T = ReplyValue>(text: TemplateStringsArray, ...values: (RedisArgument | number | bigint)[]): Promise<T>;
  /** Without a template: all commands of the server (COMMAND), as in node-redis. */
  command(): Promise<CommandReply[]>;
  command<T>(text?: TemplateStringsArray, ...values: (RedisArgument | number | bigint)[]): Promise<T | CommandReply[]> {
    if (text === undefined) return this.COMMAND();
    return this.sendCommand<T>(templateWords(text, values));
  }

  /** The same client with other options for its commands: `client.withCommandOptions({ timeout: 100 }).get(key)`. */
  withCommandOptions<N extends TypeMapping = M>(options: CommandOptions<N>): View<this, N, O> {
    return viewOf(this as unknown as RedisClient, options);
  }

  /** The same client with other JavaScript types for replies. */
  withTypeMapping<N extends TypeMapping>(typeMapping: N): View<this, N, O> {
    return this.withCommandOptions({ typeMapping });
  }

  /** The same client; its commands end when the signal fires. */
  withAbortSignal(abortSignal: AbortSignal): View<this, M, O> {
    return this.withCommandOptions<M>({ abortSignal });
  }

  /** The same client; its commands go before those that wait. */
  asap(): View<this, M, O> {
    return this.withCommandOptions<M>({ asap: true });
  }

  /** Changes the database of this client, also after a reconnect. */
  async select(database: number): Promise<void> {
    await this[CORE].dispatch(new Command(SELECT, [String(database)]));
  }
  SELECT(database: number): Promise<void> {
    return this.select(database);
  }

  /** Back to the state of a fresh connection: no subscriptions, MONITOR or WATCH; database, name, user as created. */
  reset(): Promise<void> {
    return this[CORE].reset();
  }
  /** Calls back with each command that the server runs, as text, until {@link reset}. Dangerous: see `allowCommands`. */
  monitor(callback: (line: Mapped<SimpleLine, M>) => void): Promise<void> {
    const asBytes = this[OPTIONS]?.typeMapping?.[RESP_TYPES.SIMPLE_STRING] === Buffer;
    const listener = callback as (line: string | Buffer) => void;
    return this[CORE].monitor(asBytes ? (line) => listener(Buffer.from(line)) : listener, this[OPTIONS]);
  }
  MONITOR(callback: (line: Mapped<SimpleLine, M>) => void): Promise<void> {
    return this.monitor(callback);
  }

  // ---------------------------------------------------------------- iterators

  /**
   * Pages of keys. With a `keyPrefix` they come as they are stored, prefix included.
   * @example for await (const keys of client.scanIterator({ MATCH: 'user:*', COUNT: 500 })) await client.unlink(keys);
   */
  scanIterator(options?: ScanOptions & ScanIteratorOptions): Pages<BlobString, M> {
    return pages(
      options,
      (cursor) => this.scan(cursor, options),
      ({ keys }) => keys,
    );
  }
  /** Pages of `{ field, value }` of a hash. */
  hScanIterator(
    key: RedisArgument,
    options?: ScanCommonOptions & ScanIteratorOptions,
  ): Pages<{ field: BlobString; value: BlobString }, M> {
    return pages(
      options,
      (cursor) => this.hScan(key, cursor, options),
      ({ entries }) => entries,
    );
  }
  /** Pages of values of a hash. */
  hScanValuesIterator(key: RedisArgument, options?: ScanCommonOptions & ScanIteratorOptions): Pages<BlobString, M> {
    return pages(
      options,
      (cursor) => this.hScan(key, cursor, options),
      ({ entries }) => entries.map(({ value }) => value),
    );
  }
  /** Pages of fields of a hash, without their values (Redis 7.4). */
  hScanNoValuesIterator(key: RedisArgument, options?: ScanCommonOptions & ScanIteratorOptions): Pages<BlobString, M> {
    return pages(
      options,
      (cursor) => this.hScanNoValues(key, cursor, options),
      ({ fields }) => fields,
    );
  }
  /** Pages of members of a set. */
  sScanIterator(key: RedisArgument, options?: ScanCommonOptions & ScanIteratorOptions): Pages<BlobString, M> {
    return pages(
      options,
      (cursor) => this.sScan(key, cursor, options),
      ({ members }) => members,
    );
  }
  /** Pages of `{ value, score }` of a sorted set. */
  zScanIterator(
    key: RedisArgument,
    options?: ScanCommonOptions & ScanIteratorOptions,
  ): Pages<{ value: BlobString; score: Double }, M> {
    return pages(
      options,
      (cursor) => this.zScan(key, cursor, options),
      ({ members }) => members,
    );
  }

  /**
   * A large string value as a stream of bytes, in ranges of `chunkBytes`; null when there is no such key. Memory stays
   * at one range whatever the value's size. Not a snapshot: the stream fails when the length changes meanwhile.
   * @example
   * const video = await client.getStream('video');
   * if (video) await pipeline(video, response);
   */
  getStream(key: RedisArgument, options?: ValueStreamOptions): Promise<Readable | null> {
    return valueStream(this[CORE], key, options);
  }

  /**
   * Works through a stream as a member of a consumer group. Creates group and stream if need be; entries that were
   * delivered and not acknowledged, by this or a vanished consumer, come again. Redis 6.2.
   * @example
   * for await (const entry of client.consumeGroup('jobs', { group: 'workers', consumer: 'one' })) {
   *   await work(entry.message);
   *   await entry.ack();
   * }
   */
  consumeGroup(stream: RedisArgument, options: ConsumeOptions): AsyncGenerator<ConsumedEntry, void, undefined> {
    return consumeGroup(this as unknown as RedisClient, stream, options);
  }

  // ---------------------------------------------------------------- transactions

  /** A transaction (MULTI … EXEC): commands are collected and sent together by `exec`. */
  multi(): Multi<[], M, O> {
    return transactionOf(this as unknown as RedisClient) as unknown as Multi<[], M, O>;
  }
  MULTI(): Multi<[], M, O> {
    return this.multi();
  }

  /** `exec` of the next transaction on this connection fails if one of the keys changes until then. */
  async watch(keys: RedisArgument | readonly RedisArgument[]): Promise<Mapped<string, M>> {
    const reply = await this[CORE].dispatch(new Command(WATCH, Array.isArray(keys) ? keys : [keys]), this[OPTIONS]);
    this[CORE].markWatching();
    return reply as Mapped<string, M>;
  }
  WATCH(keys: RedisArgument | readonly RedisArgument[]): Promise<Mapped<string, M>> {
    return this.watch(keys);
  }
  async unwatch(): Promise<Mapped<string, M>> {
    const reply = await this[CORE].dispatch(new Command(UNWATCH, []), this[OPTIONS]);
    this[CORE].clearWatch();
    return reply as Mapped<string, M>;
  }
  UNWATCH(): Promise<Mapped<string, M>> {
    return this.unwatch();
  }

  // ---------------------------------------------------------------- pub/sub

  /**
   * Calls `listener` with each message of the channels. Subscriptions survive reconnects; messages published while
   * there is no connection are lost, as Redis keeps none. Resolves when the server has confirmed.
   * @example await client.subscribe('news', (message, channel) => console.log(channel, message));
   */
  subscribe<B extends boolean = false>(
    channels: string | readonly string[],
    listener: PubSubListener<B>,
    buffers?: B,
  ): Promise<void> {
    return this[CORE].pubSub.subscribe('CHANNELS', channels, listener, buffers);
  }
  /** Ends one listener, all of the channels, or (without arguments) all. */
  unsubscribe<B extends boolean = false>(
    channels?: string | readonly string[],
    listener?: PubSubListener<B>,
    buffers?: B,
  ): Promise<void> {
    return this[CORE].pubSub.unsubscribe('CHANNELS', channels, listener, buffers);
  }
  /** {@link subscribe} to all channels that match glob patterns. */
  pSubscribe<B extends boolean = false>(
    patterns: string | readonly string[],
    listener: PubSubListener<B>,
    buffers?: B,
  ): Promise<void> {
    return this[CORE].pubSub.subscribe('PATTERNS', patterns, listener, buffers);
  }
  pUnsubscribe<B extends boolean = false>(
    patterns?: string | readonly string[],
    listener?: PubSubListener<B>,
    buffers?: B,
  ): Promise<void> {
    return this[CORE].pubSub.unsubscribe('PATTERNS', patterns, listener, buffers);
  }
  /** {@link subscribe} to sharded channels (Redis 7.0). */
  sSubscribe<B extends boolean = false>(
    channels: string | readonly string[],
    listener: PubSubListener<B>,
    buffers?: B,
  ): Promise<void> {
    return this[CORE].pubSub.subscribe('SHARDED', channels, listener, buffers);
  }
  sUnsubscribe<B extends boolean = false>(
    channels?: string | readonly string[],
    listener?: PubSubListener<B>,
    buffers?: B,
  ): Promise<void> {
    return this[CORE].pubSub.unsubscribe('SHARDED', channels, listener, buffers);
  }

  /**
   * Messages as an async iterator with a bound. Reports a `gap` where messages may be missing: after a reconnect, or
   * at the bound when it drops. Leaving the loop unsubscribes.
   * @example
   * for await (const event of subscriber.messages('news')) {
   *   if (event.kind === 'gap') await readEverythingAgain();
   *   else handle(event.message);
   * }
   */
  messages(
    channels: string | readonly string[],
    options?: MessagesOptions,
  ): AsyncGenerator<PubSubEvent, void, undefined> {
    return messages(this[CORE], channels, options);
  }

  /** The listeners of a type by channel or pattern. */
  getPubSubListeners(type: PubSubType): PubSubTypeListeners {
    return this[CORE].pubSub.listeners[type];
  }
  /** Takes over the listeners of another client's channel. */
  extendPubSubChannelListeners(type: PubSubType, channel: string, listeners: ChannelListeners): Promise<void> {
    return this[CORE].pubSub.adopt(type, new Map([[channel, listeners]]));
  }
  /** Takes over another client's listeners. */
  extendPubSubListeners(type: PubSubType, listeners: PubSubTypeListeners): Promise<void> {
    return this[CORE].pubSub.adopt(type, listeners);
  }

  [inspect.custom](): string {
    const { connection, server } = this[CORE];
    return `RedisClient { server: '${server}', state: '${connection.state}' }`;
  }
  toJSON(): object {
    return { server: this[CORE].server, state: this[CORE].connection.state };
  }
}

// biome-ignore lint/correctness/noUnusedVariables: declarations that merge must have the same parameters
export interface RedisClient<M extends TypeMapping = Record<never, never>, O = Record<never, never>>
  extends CommandMethods<M> {}

type SimpleLine = import('../protocol/types.js').SimpleString;
/** The same client under another type mapping, with its scripts, functions and modules. */
type View<C, N extends TypeMapping, O> = RedisClient<N, O> &
  CustomMethods<O, N> &
  Omit<C, keyof RedisClient | keyof CustomMethods<O, N>>;
/** The client that options `O` make. */
type ClientOf<O> = RedisClient<MappingOf<O>, CustomOf<O>> & CustomMethods<O, MappingOf<O>>;

bindCommands(RedisClient.prototype, (self, command) => self[CORE].dispatch(command, self[OPTIONS]));

bindUppercaseAliases(RedisClient.prototype);

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

/** The class of clients with these modules, functions and scripts; RedisClient itself when there are none. */
export function clientClass(options: CustomCommandOptions): typeof RedisClient {
  if (!hasCustomCommands(options)) return RedisClient;
  class CustomRedisClient extends RedisClient {}
  bindCustomCommands(CustomRedisClient.prototype, options, (self, command, script) =>
    runCustom(self as RedisClient, command, script),
  );
  return CustomRedisClient as typeof RedisClient;
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
export function createClient<const O extends ClientOptions = ClientOptions>(options?: O): ClientOf<O> {
  if (options !== undefined) checkOptions(options, CLIENT_SCHEMA);
  const Client = clientClass(options ?? {});
  return new Client(options) as ClientOf<O>;
}

/** A leased client. It has the lender's type mapping, scripts, functions and modules. */
export type LentClient<M extends TypeMapping, O> = RedisClient<M, O> & CustomMethods<O, M>;

/** A client of the pool that nobody else uses until `release()`. */
export type LeasedClient<M extends TypeMapping = Record<never, never>, O = Record<never, never>> = LentClient<M, O> &
  Lease;

/**
 * Several connections to one server. Commands share the connections that nobody has borrowed; `execute` lends one
 * alone, for WATCH, SELECT or anything else that must not be mixed with the work of others.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: ClientPool defines the methods on its prototype
export class RedisClientPool<M extends TypeMapping = Record<never, never>, O = Record<never, never>> extends ClientPool<
  RedisClient,
  M,
  O
> {
  constructor(given: ClientOptions = {}, options: PoolArguments = {}) {
    super(given, options, (own, adjust) => new (clientClass(own))(own, adjust));
  }

  static create(clientOptions?: ClientOptions, options?: PoolArguments): RedisClientPool {
    return new RedisClientPool(clientOptions, options);
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
}

// biome-ignore lint/correctness/noUnusedVariables: declarations that merge must have the same parameters
export interface RedisClientPool<M extends TypeMapping = Record<never, never>, O = Record<never, never>>
  extends SharedCommandMethods<M> {}

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
