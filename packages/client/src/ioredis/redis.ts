/**
 * ioredis's `Redis` on Redkeep's core: its constructor forms, statuses, events and command shapes. What the core
 * promises (no write sent twice, limits, TLS, policy, deadlines) holds here as well; docs/migrating-from-ioredis.md
 * lists where that differs from ioredis.
 */
import { EventEmitter } from 'node:events';
import { inspect } from 'node:util';
import { ClientCore } from '../client/client-core.js';
import { Command, Flag, spec } from '../commands/command.js';
import type { Connection, DispatchOptions, HandedOver } from '../connection/connection.js';
import type { HandshakeStep } from '../connection/handshake.js';
import { Secret } from '../credentials/secret.js';
import { ErrorReply, RedkeepError, SocketClosedUnexpectedlyError } from '../errors.js';
import { type ResolvedOptions, resolveOptions } from '../options/options.js';
import type { PubSubListener, PubSubType } from '../pubsub/pub-sub.js';
import type { IoredisCommand } from './command.js';
import { entryOf } from './command-entry.js';
import {
  bindCommander,
  bindScript,
  type Callback,
  type CommandSource,
  type Runner,
  Script,
  type ScriptDefinition,
  withCallback,
} from './commander.js';
import type { ChainableCommander, RedisCommander } from './commander-types.js';
import { connectionClosed, MaxRetriesPerRequestError, translateError, withCallerStack } from './errors.js';
import {
  type GivenOptions,
  judgeOptions,
  type RedisOptions,
  type RetryStrategy,
  readArguments,
  standaloneOptions,
} from './options.js';
import { type PairResult, Pipeline, type PipelineOwner } from './pipeline.js';
import { typeMappings } from './replies.js';
import { ScanStream, type ScanStreamOptions } from './scan-stream.js';
import { sentinelResolved } from './sentinel.js';
import { Subscriptions } from './subscriptions.js';
import { CALL_OPTIONS, CORE, RUN, TARGET } from './symbols.js';

export type RedisStatus = 'wait' | 'connecting' | 'connect' | 'ready' | 'reconnecting' | 'close' | 'end' | 'monitoring';

const INFO = new Command(spec('INFO'), ['persistence']);
/** Times that `reconnectOnError` may send one command again. */
const MAX_RESENDS = 16;
const MULTI_ERROR = 'MULTI calls can not be nested';

/** Commands collected between `multi({ pipeline: false })` and `exec()`. */
type OpenTransaction = Pipeline;

// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the methods are defined on the prototype by bindCommander
export class Redis extends EventEmitter implements Runner, PipelineOwner {
  declare static readonly Command: typeof IoredisCommand;
  declare static readonly ReplyError: typeof ErrorReply;
  declare static readonly Redis: typeof Redis;
  declare static readonly default: typeof Redis;
  declare readonly [CORE]: ClientCore;
  /** As given, with defaults; credentials in it are Secrets, which do not print. */
  readonly options: RedisOptions;
  status: RedisStatus = 'wait';
  readonly isCluster = false;
  /** Scripts by name. */
  readonly scriptsSet: Record<string, Script> = {};
  readonly #text: DispatchOptions;
  readonly #bytes: DispatchOptions;
  readonly #idempotent: ReadonlySet<string>;
  /** After how many losses of the connection a script was last sent as text. */
  readonly #known = new Map<string, number>();
  #losses = 0;
  readonly #subscriptions: Subscriptions;
  #Pipeline: typeof Pipeline = Pipeline;
  #transaction: OpenTransaction | undefined;
  /** Attempts since the connection was last ready. */
  #attempts = 0;
  /** `disconnect` or `quit` was called. */
  #closing = false;
  /** The last error of a connection, for who waits in {@link connect}. */
  #lastError: Error | undefined;
  #connecting: { resolve: () => void; reject: (error: unknown) => void }[] = [];

  constructor(port: number, host: string, options: RedisOptions);
  constructor(path: string, options: RedisOptions);
  constructor(port: number, options: RedisOptions);
  constructor(port: number, host: string);
  constructor(options: RedisOptions);
  constructor(port: number);
  constructor(path: string);
  constructor();
  constructor(...args: unknown[]);
  constructor(...args: unknown[]) {
    super();
    const given = readArguments(args);
    judgeOptions(given);
    this.options = withSecrets(given);
    const events = new EventEmitter();
    const core = new ClientCore(this.#resolve(given), events);
    Object.defineProperty(this, CORE, { value: core });
    core.connection.redirector = this.#redirector(core.connection.redirector);
    const { text, bytes } = typeMappings({
      stringNumbers: given.stringNumbers === true,
      resp3: given.replyMapping === 'resp3',
    });
    this.#text = { ...core.options.commandOptions, typeMapping: text, translateError };
    this.#bytes = { ...core.options.commandOptions, typeMapping: bytes, translateError };
    this.#idempotent = new Set((given.idempotentCommands ?? []).map((name) => name.toLowerCase()));
    this.#subscriptions = new Subscriptions(
      {
        subscribe: (type, names, listener, buffers) =>
          core.pubSub.subscribe(type, names, listener as PubSubListener<boolean>, buffers),
        unsubscribe: (type, names) => core.pubSub.unsubscribe(type, names),
      },
      this,
    );
    this.#listen(events);
    for (const [name, definition] of Object.entries(given.scripts ?? {})) this.defineCommand(name, definition);
    if (!given.lazyConnect) this.connect().catch(() => {});
    else this.#emitLater('wait');
  }

  static createClient(...args: unknown[]): Redis {
    return new Redis(...args);
  }

  #resolve(given: GivenOptions): ResolvedOptions {
    const resolved =
      given.sentinels === undefined || given.sentinels === null
        ? resolveOptions(standaloneOptions(given))
        : sentinelResolved(given, (name, error) => this.#emitSilently(name, error));
    return {
      ...resolved,
      handshake: given.enableReadyCheck ? [this.#loadingStep()] : [],
      connection: {
        ...resolved.connection,
        reconnectStrategy: (_retries, cause) => this.#retry(cause),
        startupTimeout: Number.POSITIVE_INFINITY,
      },
    };
  }

  /** Milliseconds until a server that loads its data should be asked again. */
  #loadingFor: number | undefined;

  /** INFO: a server that still loads its data is not ready. */
  #loadingStep(): HandshakeStep {
    return {
      command: INFO,
      optional: true,
      check: (reply) => {
        const info = String(reply);
        if (!/^loading:1\r?$/m.test(info)) return undefined;
        const eta = Number(/^loading_eta_seconds:(\d+)/m.exec(info)?.[1] ?? 1) || 1;
        this.#loadingFor = Math.min(eta * 1000, this.options.maxLoadingRetryTime ?? eta * 1000);
        return new RedkeepError('REDKEEP_SOCKET_CLOSED', 'The server is loading its data');
      },
    };
  }

  // ---------------------------------------------------------------- life

  #listen(events: EventEmitter): void {
    events
      .on('connect', () => this.#setStatus('connect'))
      .on('ready', () => {
        this.#attempts = 0;
        this.#setStatus('ready');
        for (const { resolve } of this.#waiting()) resolve();
        if (this.options.monitor === true) this.#monitor();
      })
      .on('reconnecting', () => this.#setStatus('connecting'))
      .on('error', (error: Error) => {
        this.#lastError = error;
        // A connection that the server closed is told by 'close'.
        if (error instanceof SocketClosedUnexpectedlyError && error.cause === undefined) return;
        this.#emitSilently('error', error);
      })
      .on('end', () => this.#end());
    for (const event of [
      'command-refused',
      'certificate-expiring',
      'reauthenticated',
      'circuit',
      'rate-limited',
      'retry',
    ])
      events.on(event, (...details: unknown[]) => this.emit(event, ...details));
  }

  #waiting() {
    const waiting = this.#connecting;
    this.#connecting = [];
    return waiting;
  }

  #setStatus(status: RedisStatus, argument?: unknown): void {
    this.status = status;
    this.#emitLater(status, argument);
  }
  #emitLater(event: string, argument?: unknown): void {
    process.nextTick(() => this.emit(event, argument));
  }

  /** Errors without a listener go to the console, as in ioredis, instead of ending the process. */
  #emitSilently(event: string, argument: unknown): void {
    if (this.status === 'end') return;
    if (this.listenerCount(event) > 0) this.emit(event, argument);
    else if (event === 'error' && argument instanceof Error)
      console.error('[redkeep] Unhandled error event:', argument.stack);
  }

  #closed(): void {
    if (this.status === 'close' || this.status === 'wait') return;
    this.#losses++;
    this.#setStatus('close');
    if (this.options.autoResubscribe === false) {
      this.#subscriptions.clear();
      this[CORE].pubSub.reset();
    }
    const cause = this.#lastError;
    for (const { reject } of this.#waiting()) reject(connectionClosed(cause));
  }

  #end(): void {
    this.#closed();
    if (this.status === 'end') return;
    this.#closing = false;
    this.#setStatus('end');
    this.#subscriptions.clear();
    this[CORE].pubSub.reset();
  }

  /** The connection is lost or could not be had: what `retryStrategy` says. */
  #retry(cause: Error): number | false {
    this.#lastError = cause;
    this.#closed();
    if (this.#closing) return false;
    const { maxRetriesPerRequest } = this.options;
    const strategy = this.options.retryStrategy as RetryStrategy | null | undefined;
    const loading = this.#loadingFor;
    this.#loadingFor = undefined;
    if (typeof strategy !== 'function') return false;
    const delay = loading ?? strategy(++this.#attempts);
    if (typeof delay !== 'number') return false;
    this.#setStatus('reconnecting', delay);
    if (typeof maxRetriesPerRequest === 'number' && maxRetriesPerRequest >= 0)
      if (loading === undefined && this.#attempts % (maxRetriesPerRequest + 1) === 0)
        this[CORE].connection.rejectUnsent(new MaxRetriesPerRequestError(maxRetriesPerRequest, cause));
    return Math.max(0, delay);
  }

  /** Calls `reconnectOnError` with what the server refused. */
  #redirector(before: Connection['redirector']): Connection['redirector'] {
    const { reconnectOnError } = this.options;
    if (typeof reconnectOnError !== 'function') return before;
    return (error: ErrorReply, handed: HandedOver) => {
      if (before?.(error, handed) === true) return true;
      const decision = reconnectOnError(translateError(error) as Error);
      if (!decision) return false;
      const { connection } = this[CORE];
      const resend = decision === 2 && ++handed.redirects <= MAX_RESENDS;
      setImmediate(() => {
        connection.drop(new SocketClosedUnexpectedlyError());
        if (resend) connection.adopt(handed);
      });
      return resend;
    };
  }

  /**
   * Connects. Called by the constructor, or by the first command with `lazyConnect`. Resolves when the client is
   * ready; rejects when this attempt failed, while the client goes on trying as `retryStrategy` says.
   */
  connect(callback?: Callback<void>): Promise<void> {
    const promise = new Promise<void>((resolve, reject) => {
      if (this.status === 'connecting' || this.status === 'connect' || this.status === 'ready') {
        reject(new RedkeepError('REDKEEP_CLIENT_CLOSED', 'Redis is already connecting/connected'));
        return;
      }
      this.#connecting.push({ resolve, reject });
      if (this.status === 'reconnecting') return;
      const { connection } = this[CORE];
      if (connection.state !== 'idle' && connection.state !== 'closed') return;
      this.#closing = false;
      this.#setStatus('connecting');
      connection.connect().catch(() => {});
    });
    return withCallback(promise, callback as never);
  }

  /** Disconnects now; what is unanswered rejects. With `reconnect` a new connection follows. */
  disconnect(reconnect = false): void {
    const { connection } = this[CORE];
    if (reconnect) {
      connection.drop(new SocketClosedUnexpectedlyError());
      return;
    }
    this.#closing = true;
    if (this.status === 'wait') {
      this.#setStatus('close');
      this.#setStatus('end');
      this.#closing = false;
    } else if (connection.state !== 'closed' && connection.state !== 'idle') this[CORE].destroy();
  }
  /** @deprecated use {@link disconnect} */
  end(): void {
    this.disconnect();
  }

  /** Finishes what is in flight, then disconnects. */
  quit(callback?: Callback<'OK'>): Promise<'OK'> {
    return withCallback(this.#quit(), callback as never);
  }
  async #quit(): Promise<'OK'> {
    const { connection } = this[CORE];
    if (this.status === 'end') throw connectionClosed();
    this.#closing = true;
    if (this.status === 'wait') this.disconnect();
    else {
      // What waits for the first connection is finished first.
      if (connection.state !== 'ready' && connection.pending > 0 && connection.state !== 'waiting')
        await new Promise<void>((resolve, reject) => this.#connecting.push({ resolve, reject })).catch(() => {});
      if (connection.state !== 'closed' && connection.state !== 'idle') await this[CORE].close();
    }
    return 'OK';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.status !== 'end') await this.quit();
  }

  /** A new client with the same options and scripts' definitions in them, and `override` over them. */
  duplicate(override?: Partial<RedisOptions>): Redis {
    return new (this.constructor as typeof Redis)({ ...this.options, ...override });
  }

  // ---------------------------------------------------------------- commands

  [CALL_OPTIONS](bytes: boolean): DispatchOptions {
    return bytes ? this.#bytes : this.#text;
  }

  [TARGET](): ClientCore {
    if (this.status === 'wait') this.connect().catch(() => {});
    return this[CORE];
  }

  [RUN](source: CommandSource, args: unknown[], bytes: boolean, callback: Parameters<typeof withCallback>[1]): unknown {
    if (this.status === 'wait') this.connect().catch(() => {});
    let promise: Promise<unknown>;
    try {
      promise = this.#run(source, args, bytes);
    } catch (error) {
      promise = Promise.reject(error);
    }
    return callback === undefined ? promise : withCallback(promise, callback);
  }

  #run(source: CommandSource, args: unknown[], bytes: boolean): Promise<unknown> {
    if (this.#transaction !== undefined) {
      this.#transaction[RUN](source, args, bytes, undefined);
      return Promise.resolve('QUEUED');
    }
    const command = source.build(args);
    const options = this.#optionsOf(source, bytes);
    if (source instanceof Script) return this.#runScript(source, command, options);
    const promise = this[CORE].dispatch(command, options);
    // Connections of blocking commands fail with errors of their own.
    if ((command.spec.flags & Flag.BLOCKING) !== 0)
      return promise.catch((error: unknown) => Promise.reject(translateError(error)));
    return promise;
  }

  #optionsOf({ name }: CommandSource, bytes: boolean): DispatchOptions {
    let options = bytes ? this.#bytes : this.#text;
    if (this.#idempotent.size > 0 && this.#idempotent.has(name.toLowerCase()))
      options = { ...options, idempotent: true };
    if (this.options.showFriendlyErrorStack === true) {
      const caller: { stack?: string } = {};
      Error.captureStackTrace(caller, this[RUN]);
      options = { ...options, translateError: withCallerStack(caller) };
    }
    return options;
  }

  /** By its digest where the server has it; an unknown one is sent as text, which keeps the order of commands. */
  #runScript(script: Script, command: Command, options: DispatchOptions): Promise<unknown> {
    const known = this.knowsScript(script);
    const promise = this[CORE].dispatch(known ? command : script.withText(command), options);
    if (!known) return promise;
    return promise.catch((error: unknown) => {
      // It did not run.
      if (!(error instanceof ErrorReply) || error.prefix !== 'NOSCRIPT') throw error;
      return this[CORE].dispatch(script.withText(command), options);
    });
  }

  /** True from the second time that it is asked between two losses of the connection: commands keep their order. */
  knowsScript({ sha }: Script): boolean {
    if (this.#known.get(sha) === this.#losses) return true;
    this.#known.set(sha, this.#losses);
    return false;
  }

  runScriptText(script: Script, command: Command, bytes: boolean): Promise<unknown> {
    // Its keys are prefixed already.
    return this[CORE].send(script.withText(command), this[CALL_OPTIONS](bytes));
  }

  /** Makes a Lua script a method of this client and of its pipelines. */
  defineCommand(name: string, definition: ScriptDefinition): void {
    const script = new Script(name, definition);
    this.scriptsSet[name] = script;
    if (this.#Pipeline === Pipeline) this.#Pipeline = class ScriptedPipeline extends Pipeline {};
    bindScript(this, script);
    bindScript(this.#Pipeline.prototype, script);
  }

  /** Runs a {@link IoredisCommand}. */
  sendCommand(command: IoredisCommand): Promise<unknown> {
    const bytes = command.options.replyEncoding === null || command.options.replyEncoding === undefined;
    return command.settle(this[RUN](entryOf(command.name), command.args.slice(), bytes, undefined) as Promise<unknown>);
  }

  // ---------------------------------------------------------------- transactions

  /** Commands that are sent together; `exec` resolves with `[error, result]` of each. */
  pipeline(commands?: readonly unknown[][]): ChainableCommander {
    const pipeline = new this.#Pipeline(this);
    if (Array.isArray(commands)) pipeline.addBatch(commands);
    return pipeline as unknown as ChainableCommander;
  }

  /** A transaction. With `pipeline: false` the client's own commands belong to it until `exec` or `discard`. */
  multi(options: { pipeline: false }): Promise<'OK'>;
  multi(options: { pipeline: true }): ChainableCommander;
  multi(commands?: readonly unknown[][], options?: { pipeline?: true }): ChainableCommander;
  multi(
    commands?: readonly unknown[][] | { pipeline?: boolean },
    options?: { pipeline?: boolean },
  ): ChainableCommander | Promise<'OK'> {
    const batch = Array.isArray(commands) ? commands : undefined;
    const settings = (Array.isArray(commands) ? options : (commands as { pipeline?: boolean } | undefined)) ?? options;
    const transaction = new this.#Pipeline(this, true);
    if (settings?.pipeline === false) {
      if (this.#transaction !== undefined)
        return Promise.reject(new RedkeepError('REDKEEP_INVALID_ARGUMENT', MULTI_ERROR));
      this[TARGET]();
      this.#transaction = transaction;
      return Promise.resolve('OK');
    }
    if (batch !== undefined) transaction.addBatch(batch);
    return transaction as unknown as ChainableCommander;
  }

  /** Ends `multi({ pipeline: false })`: sends its commands as one transaction. */
  exec(callback?: Callback<PairResult[] | null>): Promise<PairResult[] | null> {
    const transaction = this.#transaction;
    this.#transaction = undefined;
    if (transaction === undefined)
      return withCallback(
        Promise.reject(new RedkeepError('REDKEEP_INVALID_ARGUMENT', 'ERR EXEC without MULTI')),
        callback as never,
      );
    return transaction.exec(callback as never);
  }
  discard(callback?: Callback<'OK'>): Promise<'OK'> {
    const began = this.#transaction !== undefined;
    this.#transaction = undefined;
    return withCallback(
      began
        ? Promise.resolve('OK' as const)
        : Promise.reject(new RedkeepError('REDKEEP_INVALID_ARGUMENT', 'ERR DISCARD without MULTI')),
      callback as never,
    );
  }

  watch(...args: unknown[]): Promise<'OK'> {
    return this.#watching('watch', args, () => this[CORE].markWatching());
  }
  unwatch(...args: unknown[]): Promise<'OK'> {
    return this.#watching('unwatch', args, () => this[CORE].clearWatch());
  }
  #watching(name: string, args: unknown[], done: () => void): Promise<'OK'> {
    const callback = typeof args.at(-1) === 'function' ? (args.pop() as never) : undefined;
    const promise = (this[RUN](entryOf(name), args, false, undefined) as Promise<'OK'>).then((reply) => {
      done();
      return reply;
    });
    return withCallback(promise, callback);
  }

  select(db: number | string, callback?: Callback<'OK'>): Promise<'OK'> {
    const promise = (this[RUN](entryOf('select'), [db], false, undefined) as Promise<'OK'>).then((reply) => {
      this.emit('select', Number(db));
      return reply;
    });
    return withCallback(promise, callback as never);
  }

  // ---------------------------------------------------------------- pub/sub

  #subscription(type: PubSubType, end: boolean, args: unknown[]): Promise<number> {
    const callback = typeof args.at(-1) === 'function' ? (args.pop() as never) : undefined;
    this[TARGET]();
    const promise = end ? this.#subscriptions.unsubscribe(type, args) : this.#subscriptions.subscribe(type, args);
    return withCallback(
      promise.catch((error: unknown) => Promise.reject(translateError(error))),
      callback,
    );
  }
  /** Resolves with the number of channels and patterns subscribed to. Messages arrive as the event `message`. */
  subscribe(...channels: unknown[]): Promise<number> {
    return this.#subscription('CHANNELS', false, channels);
  }
  unsubscribe(...channels: unknown[]): Promise<number> {
    return this.#subscription('CHANNELS', true, channels);
  }
  psubscribe(...patterns: unknown[]): Promise<number> {
    return this.#subscription('PATTERNS', false, patterns);
  }
  punsubscribe(...patterns: unknown[]): Promise<number> {
    return this.#subscription('PATTERNS', true, patterns);
  }
  ssubscribe(...channels: unknown[]): Promise<number> {
    return this.#subscription('SHARDED', false, channels);
  }
  sunsubscribe(...channels: unknown[]): Promise<number> {
    return this.#subscription('SHARDED', true, channels);
  }

  get mode(): 'normal' | 'subscriber' | 'monitor' {
    if (this.options.monitor === true) return 'monitor';
    return this.#subscriptions.isActive && this[CORE].connection.resp === 2 ? 'subscriber' : 'normal';
  }

  // ---------------------------------------------------------------- monitor

  /** A connection of its own whose event `monitor` tells every command of the server. Dangerous: see `allowCommands`. */
  monitor(callback?: Callback<Redis>): Promise<Redis> {
    const promise = new Promise<Redis>((resolve, reject) => {
      const instance = this.duplicate({ monitor: true, lazyConnect: false });
      instance.once('error', reject);
      instance.once('monitoring', () => {
        instance.off('error', reject);
        resolve(instance);
      });
    });
    return withCallback(promise, callback as never);
  }

  #isMonitoring = false;

  #monitor(): void {
    // The core asks again after a reconnect.
    if (this.#isMonitoring) {
      this.#setStatus('monitoring');
      return;
    }
    this.#isMonitoring = true;
    const onLine = (line: string) => {
      const { time, args, source, database } = parseMonitorLine(line);
      this.emit('monitor', time, args, source, database);
    };
    this[CORE].monitor(onLine).then(
      () => this.#setStatus('monitoring'),
      (error: unknown) => {
        this.#isMonitoring = false;
        this.emit('error', error);
        this.disconnect();
      },
    );
  }

  // ---------------------------------------------------------------- streams

  #scanStream(name: string, bytes: boolean, key: string | Buffer | undefined, options: ScanStreamOptions | undefined) {
    return new ScanStream({
      ...options,
      ...(key === undefined ? {} : { key }),
      scan: (args) => this[RUN](entryOf(name), args, bytes, undefined) as never,
    });
  }
  scanStream(options?: ScanStreamOptions): ScanStream {
    return this.#scanStream('scan', false, undefined, options);
  }
  scanBufferStream(options?: ScanStreamOptions): ScanStream {
    return this.#scanStream('scan', true, undefined, options);
  }
  sscanStream(key: string | Buffer, options?: ScanStreamOptions): ScanStream {
    return this.#scanStream('sscan', false, key, options);
  }
  sscanBufferStream(key: string | Buffer, options?: ScanStreamOptions): ScanStream {
    return this.#scanStream('sscan', true, key, options);
  }
  hscanStream(key: string | Buffer, options?: ScanStreamOptions): ScanStream {
    return this.#scanStream('hscan', false, key, options);
  }
  hscanBufferStream(key: string | Buffer, options?: ScanStreamOptions): ScanStream {
    return this.#scanStream('hscan', true, key, options);
  }
  zscanStream(key: string | Buffer, options?: ScanStreamOptions): ScanStream {
    return this.#scanStream('zscan', false, key, options);
  }
  zscanBufferStream(key: string | Buffer, options?: ScanStreamOptions): ScanStream {
    return this.#scanStream('zscan', true, key, options);
  }

  /** Commands of automatic pipelines that wait; every command goes out at the end of its turn. */
  get autoPipelineQueueSize(): number {
    return 0;
  }

  [inspect.custom](): string {
    return `Redis { server: '${this[CORE].server}', status: '${this.status}' }`;
  }
  toJSON(): object {
    return { server: this[CORE].server, status: this.status };
  }
}

export interface Redis extends RedisCommander {
  on(event: 'message', listener: (channel: string, message: string) => void): this;
  on(event: 'messageBuffer', listener: (channel: Buffer, message: Buffer) => void): this;
  on(event: 'pmessage', listener: (pattern: string, channel: string, message: string) => void): this;
  on(event: 'pmessageBuffer', listener: (pattern: string, channel: Buffer, message: Buffer) => void): this;
  on(event: 'error', listener: (error: Error) => void): this;
  on(event: RedisStatus, listener: () => void): this;
  // biome-ignore lint/suspicious/noExplicitAny: events that applications name themselves
  on(event: string | symbol, listener: (...args: any[]) => void): this;
  once(event: 'message', listener: (channel: string, message: string) => void): this;
  once(event: 'messageBuffer', listener: (channel: Buffer, message: Buffer) => void): this;
  once(event: 'pmessage', listener: (pattern: string, channel: string, message: string) => void): this;
  once(event: 'pmessageBuffer', listener: (pattern: string, channel: Buffer, message: Buffer) => void): this;
  once(event: 'error', listener: (error: Error) => void): this;
  once(event: RedisStatus, listener: () => void): this;
  // biome-ignore lint/suspicious/noExplicitAny: events that applications name themselves
  once(event: string | symbol, listener: (...args: any[]) => void): this;
}

bindCommander(Redis.prototype);

/** `1339518083.107412 [0 127.0.0.1:60866] "set" "key" "value"` */
function parseMonitorLine(line: string): { time: string; args: string[]; source: string; database: string } {
  const [, time = '', database = '', source = '', rest = ''] = /^(\S+) \[(\S+) (.*?)\] (.*)$/s.exec(line) ?? [];
  const args = [...rest.matchAll(/"((?:[^"\\]|\\.)*)"/gs)].map(([, arg]) => arg!.replace(/\\(["\\])/g, '$1'));
  return { time, args, source, database };
}

function withSecrets(given: GivenOptions): RedisOptions {
  const options: RedisOptions = { ...given };
  for (const name of ['password', 'sentinelPassword'] as const) {
    const value = options[name];
    if (typeof value === 'string' && value !== '') options[name] = Secret.from(value);
  }
  for (const name of ['tls', 'sentinelTLS'] as const) {
    const tls = options[name];
    if (typeof tls !== 'object' || tls === null) continue;
    const { key, passphrase } = tls;
    options[name] = {
      ...tls,
      ...(key === undefined ? {} : { key: key instanceof Secret ? key : Secret.from(key.toString()) }),
      ...(passphrase === undefined ? {} : { passphrase: Secret.from(passphrase) }),
    };
  }
  return options;
}
