/**
 * ioredis's `Redis` on Redkeep's core: its constructor forms, statuses, events and command shapes. What the core
 * promises (no write sent twice, limits, TLS, policy, deadlines) holds here as well; docs/migrating-from-ioredis.md
 * lists where that differs from ioredis.
 */

import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { inspect } from 'node:util';
import { ClientCore } from '../client/client-core.js';
import { setImmediate } from '../clock.js';
import { Command, Flag, spec } from '../commands/command.js';
import type { Connection, DispatchOptions, HandedOver } from '../connection/connection.js';
import type { HandshakeStep } from '../connection/handshake.js';
import {
  ErrorReply,
  RedkeepError,
  RootNodesUnavailableError,
  SocketClosedUnexpectedlyError,
  TimeoutError,
} from '../errors.js';
import { mergeOptions } from '../options/command-options.js';
import { type ResolvedOptions, resolveOptions } from '../options/options.js';
import type { PubSubListener, PubSubType } from '../pubsub/pub-sub.js';
import { BaseClient } from './base-client.js';
import { blockingTimeoutOf } from './blocking-timeout.js';
import { entryOf } from './command-entry.js';
import { type Callback, type CommandSource, Script, withCallback } from './commander.js';
import type { RedisCommander } from './commander-types.js';
import { connectionClosed, MaxRetriesPerRequestError, translateError } from './errors.js';
import {
  type GivenOptions,
  judgeOptions,
  type RedisOptions,
  type RetryStrategy,
  readArguments,
  standaloneOptions,
} from './options.js';
import { withSecrets } from './secrets.js';
import { SentinelLocator } from './sentinel.js';
import { CALL_OPTIONS, CORE, READY, RUN, TARGET } from './symbols.js';

export type RedisStatus = 'wait' | 'connecting' | 'connect' | 'ready' | 'reconnecting' | 'close' | 'end' | 'monitoring';

const INFO = new Command(spec('INFO'), ['persistence']);
/** Times that `reconnectOnError` may send one command again. */
const MAX_RESENDS = 16;
/** RESP2 takes nothing else on a subscribed connection. */
const IN_SUBSCRIBER_MODE = new Set(['PING', 'RESET', 'QUIT']);

class Around {
  readonly core: ClientCore;
  readonly options: RedisOptions;
  constructor(core: ClientCore, options: RedisOptions) {
    this.core = core;
    this.options = options;
  }
}

// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the methods are defined on the prototype by bindCommander
export class Redis extends BaseClient<RedisStatus> {
  declare readonly [CORE]: ClientCore;
  /** As given, with defaults; credentials in it are Secrets, which do not print. */
  readonly options: RedisOptions;
  status: RedisStatus = 'wait';
  readonly isCluster = false;
  /** After how many losses of the connection a script was last sent as text. */
  readonly #known = new Map<string, number>();
  #losses = 0;
  /** The database of the last `select`. */
  #selected: number | undefined;
  /** Attempts since the connection was last ready. */
  #attempts = 0;
  #sentinels: SentinelLocator | undefined;
  /** Times in a row that no sentinel named a server. */
  #sentinelAttempts = 0;
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
    const around = args[0] instanceof Around ? args[0] : undefined;
    const given = readArguments(around === undefined ? args : [around.options]);
    super(given);
    this.options = withSecrets(given);
    if (around !== undefined) {
      Object.defineProperty(this, CORE, { value: around.core });
      this.#listen(around.core.emitter);
      this.status = around.core.connection.state === 'ready' ? 'ready' : 'connecting';
      return;
    }
    judgeOptions(given);
    const events = new EventEmitter();
    const core = new ClientCore(this.#resolve(given), events);
    Object.defineProperty(this, CORE, { value: core });
    this.#sentinels?.attach(core.connection);
    core.connection.redirector = this.#redirector(core.connection.redirector);
    this.#listen(events);
    for (const [name, definition] of Object.entries(given.scripts ?? {})) this.defineCommand(name, definition);
    if (!given.lazyConnect) this.connect().catch(() => {});
    else this.emitLater('wait');
  }

  /** A client of a connection that a cluster has. */
  static around(core: ClientCore, options: RedisOptions): Redis {
    return new Redis(new Around(core, options));
  }

  static createClient(...args: unknown[]): Redis {
    return new Redis(...args);
  }

  #resolve(given: GivenOptions): ResolvedOptions {
    if (given.sentinels !== undefined && given.sentinels !== null)
      this.#sentinels = new SentinelLocator(given, (error) => this.emitSilently('sentinelError', error));
    const resolved = this.#sentinels?.resolved ?? resolveOptions(standaloneOptions(given));
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
      .on('connect', () => this.setStatus('connect'))
      .on('ready', () => {
        this.#attempts = this.#sentinelAttempts = 0;
        this.setStatus('ready');
        for (const { resolve } of this.#waiting()) resolve();
        if (this.options.monitor === true) this.#monitor();
      })
      .on('reconnecting', () => this.setStatus('connecting'))
      .on('error', (error: Error) => {
        this.#lastError = error;
        // A connection that the server closed is reported by 'close'.
        if (error instanceof SocketClosedUnexpectedlyError && error.cause === undefined) return;
        this.emitSilently('error', error);
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

  #closed(): void {
    if (this.status === 'close' || this.status === 'wait') return;
    this.#losses++;
    this.setStatus('close');
    if (this.options.autoResubscribe === false) {
      this.subscriptions.clear();
      this[CORE].pubSub.reset();
    }
    const cause = this.#lastError;
    for (const { reject } of this.#waiting()) reject(connectionClosed(cause));
  }

  #end(): void {
    this.#sentinels?.stop();
    this.#closed();
    if (this.status === 'end') return;
    this.#closing = false;
    this.setStatus('end');
    this.subscriptions.clear();
    this[CORE].pubSub.reset();
  }

  /** The connection is lost or could not be had: what `retryStrategy` says. */
  #retry(cause: Error): number | false {
    this.#lastError = cause;
    this.#closed();
    if (this.#closing) return false;
    const { maxRetriesPerRequest } = this.options;
    const lacksSentinels = cause instanceof RootNodesUnavailableError;
    const strategy = (lacksSentinels ? this.options.sentinelRetryStrategy : this.options.retryStrategy) as
      | RetryStrategy
      | null
      | undefined;
    const loading = this.#loadingFor;
    this.#loadingFor = undefined;
    if (typeof strategy !== 'function') return false;
    // A server that loads its data is there: that is no attempt.
    if (loading === undefined) this.#attempts++;
    const delay = loading ?? strategy(lacksSentinels ? ++this.#sentinelAttempts : this.#attempts);
    if (typeof delay !== 'number') return false;
    this.setStatus('reconnecting', delay);
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
      const decision = reconnectOnError(this.translate(error, handed.command) as Error);
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
        reject(new RedkeepError('REDKEEP_ALREADY_CONNECTED', 'Redis is already connecting/connected'));
        return;
      }
      this.#connecting.push({ resolve, reject });
      if (this.status === 'reconnecting') return;
      const { connection } = this[CORE];
      if (connection.state !== 'idle' && connection.state !== 'closed') return;
      this.#closing = false;
      this.setStatus('connecting');
      this[CORE].connect().catch(() => {});
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
      this.setStatus('close');
      this.setStatus('end');
      this.#closing = false;
    } else if (connection.state !== 'closed' && connection.state !== 'idle') this[CORE].destroy();
  }
  /** @deprecated use {@link disconnect} */
  end(): void {
    this.disconnect();
  }

  /** The socket of now, for tests that break it: `stream.destroy()`. Undefined while there is none. */
  get stream(): Socket | undefined {
    return this[CORE].connection.socket;
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

  protected override addListeners(
    type: PubSubType,
    names: readonly string[],
    listener: PubSubListener<boolean>,
    buffers: boolean,
  ): Promise<void> {
    return this[CORE].pubSub.subscribe(type, names, listener, buffers);
  }
  protected override removeListeners(type: PubSubType, names: readonly string[]): Promise<void> {
    return this[CORE].pubSub.unsubscribe(type, names);
  }

  /** Commands wait in the connection. */
  [READY](): undefined {
    return undefined;
  }
  [TARGET](): ClientCore {
    if (this.status === 'wait') this.connect().catch(() => {});
    return this[CORE];
  }

  protected override run(source: CommandSource, args: unknown[], bytes: boolean): Promise<unknown> {
    if (this.status === 'wait') this.connect().catch(() => {});
    const command = source.build(args);
    const options = this.optionsOf(source, bytes);
    if (source instanceof Script) return this.#runScript(source, command, options);
    if ((command.spec.flags & Flag.BLOCKING) !== 0) return this.#block(command, options);
    if (this.mode === 'subscriber' && !IN_SUBSCRIBER_MODE.has(command.spec.name))
      throw new RedkeepError(
        'REDKEEP_INVALID_ARGUMENT',
        'Connection in subscriber mode, only subscriber commands may be used',
      );
    return this[CORE].dispatch(command, options);
  }

  async #block(command: Command, options: DispatchOptions): Promise<unknown> {
    const timeout = blockingTimeoutOf(command, this.options, this.status === 'ready');
    try {
      return await this[CORE].dispatch(
        command,
        timeout === undefined ? options : mergeOptions(this[CORE].options, options, { timeout }),
      );
    } catch (error) {
      // Its connection was given up: as if the server had found nothing.
      if (timeout !== undefined && error instanceof TimeoutError) return null;
      // Connections of blocking commands fail with errors of their own.
      throw translateError(error);
    }
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
    const before = this.#selected;
    this.#selected = Number(db);
    const promise = (this[RUN](entryOf('select'), [db], false, undefined) as Promise<'OK'>).then((reply) => {
      if (before !== Number(db)) this.emit('select', Number(db));
      return reply;
    });
    return withCallback(promise, callback as never);
  }

  // ---------------------------------------------------------------- pub/sub

  get mode(): 'normal' | 'subscriber' | 'monitor' {
    if (this.options.monitor === true) return 'monitor';
    return this.subscriptions.isActive && this[CORE].connection.resp === 2 ? 'subscriber' : 'normal';
  }

  /** Back to the state of a fresh connection: no subscriptions, MONITOR or WATCH. */
  reset(callback?: Callback<'RESET'>): Promise<'RESET'> {
    this[TARGET]();
    this.subscriptions.clear();
    return withCallback(
      this[CORE].reset().then(() => 'RESET' as const),
      callback as never,
    );
  }

  // ---------------------------------------------------------------- monitor

  /** A connection of its own that emits `monitor` for every command of the server. Dangerous: see `allowCommands`. */
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
      this.setStatus('monitoring');
      return;
    }
    this.#isMonitoring = true;
    const onLine = (line: string) => {
      const { time, args, source, database } = parseMonitorLine(line);
      this.emit('monitor', time, args, source, database);
    };
    this[CORE].monitor(onLine).then(
      () => this.setStatus('monitoring'),
      (error: unknown) => {
        this.#isMonitoring = false;
        this.emit('error', error);
        this.disconnect();
      },
    );
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

/** `1339518083.107412 [0 127.0.0.1:60866] "set" "key" "value"` */
function parseMonitorLine(line: string): { time: string; args: string[]; source: string; database: string } {
  const [, time = '', database = '', source = '', rest = ''] = /^(\S+) \[(\S+) (.*?)\] (.*)$/s.exec(line) ?? [];
  const args = [...rest.matchAll(/"((?:[^"\\]|\\.)*)"/gs)].map(([, arg]) => arg!.replace(/\\(["\\])/g, '$1'));
  return { time, args, source, database };
}
