/** What a client is made of, behind its public face: the policy gate, the connection, its modes and the events. */

import type { EventEmitter } from 'node:events';
import { TLSSocket } from 'node:tls';
import { cacheableKeys, cacheKey } from '../cache/caching.js';
import type { ClientSideCacheProvider } from '../cache/client-side-cache.js';
import { clearInterval, nextTick, performance, setInterval } from '../clock.js';
import { blockTime } from '../commands/block-time.js';
import { Command, Flag, spec } from '../commands/command.js';
import { prefixKeys } from '../commands/key-prefix.js';
import { Connection, type ConnectionListener, type DispatchOptions } from '../connection/connection.js';
import type { HandshakeStep } from '../connection/handshake.js';
import { PatientTimer } from '../connection/patient-timer.js';
import {
  type ConnectionMessage,
  commandChannel,
  connectionChannel,
  errorCode,
  observed,
  observedBatch,
  type ProtectionMessage,
  protectionChannel,
  serverInfo,
} from '../diagnostics.js';
import type { Dispatcher, TransactionTarget } from '../dispatcher.js';
import { AbortError, ErrorReply, TimeoutError, WatchError } from '../errors.js';
import { cacheRequest, clientError, connectionClosed, connectionReady } from '../node-redis/channels.js';
import { isCommandTraced, traceBatch, traceCommand, traceConnect } from '../node-redis/tracing-channels.js';
import { type CommandOptions, hasOwnTimeout } from '../options/command-options.js';
import { DEFAULTS } from '../options/defaults.js';
import type { ResolvedOptions } from '../options/options.js';
import type { RedisArgument } from '../protocol/types.js';
import type { MessageSource } from '../pubsub/message-iterator.js';
import { PubSub } from '../pubsub/pub-sub.js';
import { CircuitBreaker } from '../resilience/circuit-breaker.js';
import { CommandGate } from '../resilience/command-gate.js';
import { type TlsInfo, tlsInfoOf } from '../security/tls-info.js';
import { enter, leave, nameOf } from '../telemetry/client-registry.js';
import { emitSafely } from './emit-safely.js';

const TRACKING_ON = new Command(spec('CLIENT TRACKING'), ['ON']);
const CACHE_BY_CALL = new Command(spec('CLIENT TRACKING'), ['ON', 'OPTIN']);
const CACHE_THIS = new Command(spec('CLIENT CACHING'), ['YES']);
const MONITOR = new Command(spec('MONITOR'), []);
const PING = new Command(spec('PING'), []);

export class ClientCore implements Dispatcher, TransactionTarget, MessageSource {
  readonly options: ResolvedOptions;
  readonly connection: Connection;
  readonly emitter: EventEmitter;
  readonly pubSub: PubSub;
  readonly cache: ClientSideCacheProvider | undefined;
  /** On a cluster's node: arguments of commands that were issued on it by name, and belong nowhere else. */
  direct: WeakSet<readonly unknown[]> | undefined;
  /** Only where an option asks for it: the others pay nothing. */
  readonly #gate: CommandGate | undefined;
  /** A pool has leased it to somebody. */
  isLent = false;
  #pingTimer: NodeJS.Timeout | undefined;
  #certificateTimer: NodeJS.Timeout | undefined;
  /** What a borrower of this client may have left on the connection. */
  #left: 'nothing' | 'watch' | 'state' = 'nothing';
  #monitor: ((line: string) => void) | undefined;
  /** The connection that holds a WATCH, by its epoch. */
  #watchEpoch: number | undefined;
  /** Why the WATCH is void, although its connection lives. */
  #dirtyWatch: string | undefined;
  /** `close` lets blocked commands end by themselves. */
  #finishing = false;

  constructor(options: ResolvedOptions, emitter: EventEmitter) {
    this.options = options;
    this.emitter = emitter;
    this.cache = options.cache?.provider;
    this.connection = new Connection(options.connection, this.#listener());
    this.#gate = this.#newGate();
    options.policy.onRefused = (refusal) => emitSafely(emitter, 'command-refused', refusal);
    this.pubSub = new PubSub(this.connection, {
      refusalOf: (command) => options.policy.refusalOf(command),
      onShardMoved: (channel, listeners) => emitSafely(emitter, 'sharded-channel-moved', channel, listeners),
      onRefused: (error) => this.#emitError(error),
      onListenerFailed: (error) => this.#emitError(error, true),
    });
  }

  #newGate(): CommandGate | undefined {
    const { rateLimit, circuitBreaker } = this.options;
    if (rateLimit === undefined && circuitBreaker === undefined) return undefined;
    const breaker =
      circuitBreaker === undefined
        ? undefined
        : new CircuitBreaker(circuitBreaker, (state) => {
            this.#tell({ event: 'circuit', state, server: this.server });
            emitSafely(this.emitter, 'circuit', state);
          });
    return new CommandGate(rateLimit, breaker, (command) => emitSafely(this.emitter, 'rate-limited', { command }));
  }

  /** Where it leads to now. */
  get server(): string {
    return serverInfo(this.connection.endpoint).server;
  }

  #tell(message: ProtectionMessage): void {
    if (protectionChannel.hasSubscribers) protectionChannel.publish(message);
  }

  #listener(): ConnectionListener {
    const event = (name: ConnectionMessage['event'], error?: Error) => {
      if (!connectionChannel.hasSubscribers) return;
      const ready = name === 'ready';
      const tls = ready ? this.tlsInfo() : undefined;
      const message: ConnectionMessage = {
        ...serverInfo(this.connection.endpoint),
        event: name,
        errorCode: errorCode(error),
        durationMs: ready ? performance.now() - this.connection.openedAt : undefined,
        tls: tls && { protocol: tls.protocol, cipher: tls.cipher, validTo: tls.validTo },
      };
      connectionChannel.publish(message);
    };
    let wasReady = false;
    const lost = (reason: 'application_close' | 'error') => {
      if (wasReady) {
        event('lost');
        if (connectionClosed.hasSubscribers)
          connectionClosed.publish({ clientId: nameOf(this.connection), reason, wasConnected: true });
      }
      wasReady = false;
      clearInterval(this.#pingTimer);
      clearInterval(this.#certificateTimer);
    };
    return {
      onConnect: () => {
        event('connect');
        emitSafely(this.emitter, 'connect');
      },
      onReady: () => {
        wasReady = true;
        event('ready');
        if (connectionReady.hasSubscribers) this.#publishReady();
        this.#startPing();
        this.#watchCertificate();
        emitSafely(this.emitter, 'ready');
      },
      onEnd: () => {
        lost('application_close');
        event('end');
        leave(this);
        if (!this.#finishing) this.connection.destroySides();
        // A client that was never connected has cached nothing in a cache that others may share.
        if (this.connection.wasReady) this.cache?.onClose();
        emitSafely(this.emitter, 'end');
      },
      onError: (error) => {
        // An error that the connection lives through (a refused AUTH, say) ends nothing.
        if (this.connection.state !== 'ready') lost('error');
        event('error', error);
        if (clientError.hasSubscribers)
          clientError.publish({ error, origin: 'client', internal: false, clientId: nameOf(this.connection) });
        this.cache?.onError();
        this.#emitError(error);
      },
      onReauthenticated: () => {
        event('reauthenticated');
        emitSafely(this.emitter, 'reauthenticated');
      },
      onRetry: (command, attempt) =>
        nextTick(() => {
          this.#tell({ event: 'retry', command, attempt, server: this.server });
          emitSafely(this.emitter, 'retry', { command, attempt });
        }),
      onReconnecting: () => {
        event('reconnecting');
        emitSafely(this.emitter, 'reconnecting');
      },
      onHandshake: () => this.#handshake(),
      onPush: (values) => {
        if (!this.pubSub.handle(values) && String(values[0]) === 'invalidate')
          this.#invalidate(values[1] as RedisArgument[] | null);
      },
      onMonitor: (line) => this.#monitor?.(line),
      pushMapping: () => this.pubSub.mapping,
      hasMode: () =>
        this.pubSub.isActive ||
        this.#monitor !== undefined ||
        this.#watchEpoch !== undefined ||
        this.cache !== undefined ||
        this.options.emitInvalidate,
    };
  }

  #publishReady(): void {
    const { endpoint, openedAt } = this.connection;
    const { address, port } = serverInfo(endpoint);
    connectionReady.publish({
      clientId: nameOf(this.connection),
      serverAddress: address,
      serverPort: port,
      createTimeMs: performance.now() - openedAt,
    });
  }

  #handshake(): HandshakeStep[] {
    const steps: HandshakeStep[] = [...(this.options.handshake ?? [])];
    if (this.options.cache !== undefined)
      steps.push({ command: this.options.cache.byCall ? CACHE_BY_CALL : TRACKING_ON, optional: false });
    else if (this.options.emitInvalidate) steps.push({ command: TRACKING_ON, optional: false });
    steps.push(...this.pubSub.handshake());
    if (this.#monitor !== undefined) steps.push({ command: MONITOR, optional: false });
    return steps;
  }

  /** Facts of the live TLS session; undefined without one. */
  tlsInfo(): TlsInfo | undefined {
    const { socket } = this.connection;
    return socket instanceof TLSSocket ? tlsInfoOf(socket) : undefined;
  }

  /** Now and every day: a connection may live for months. */
  #watchCertificate(): void {
    const look = () => {
      const info = this.tlsInfo();
      if (info === undefined || info.daysLeft >= CERTIFICATE_WARNING_DAYS) return;
      emitSafely(
        this.emitter,
        'certificate-expiring',
        info,
        info.daysLeft < CERTIFICATE_CRITICAL_DAYS ? 'critical' : 'warning',
      );
    };
    look();
    clearInterval(this.#certificateTimer);
    if (this.connection.socket instanceof TLSSocket) this.#certificateTimer = setInterval(look, DAY_MS).unref();
  }

  #emitError(error: Error, mustShow = false): void {
    // Without a listener Node would end the process for a passing network failure.
    if (this.emitter.listenerCount('error') > 0) emitSafely(this.emitter, 'error', error);
    else if (mustShow) process.emitWarning(error.message, { code: 'REDKEEP_CALLBACK_FAILED' });
  }

  #invalidate(keys: readonly RedisArgument[] | null): void {
    for (const key of keys ?? [null]) {
      this.cache?.invalidate(key);
      if (this.options.emitInvalidate) emitSafely(this.emitter, 'invalidate', key);
    }
  }

  dispatch<T>(command: Command<T>, options: CommandOptions = this.options.commandOptions): Promise<T> {
    const { flags } = command.spec;
    if ((flags & PLAIN) === 0) this.#noteState(command.spec.name);
    const refused = this.options.policy.refusalOf(command);
    if (refused !== undefined) return Promise.reject(refused);
    const { keyPrefix } = this.options;
    const keyed = keyPrefix === undefined ? command : prefixKeys(command, keyPrefix);
    this.direct?.add(keyed.args);
    return this.send(keyed, options);
  }

  /** A command that is already checked and prefixed, as it is sent: for clusters, which do that themselves. */
  send<T>(command: Command<T>, options: CommandOptions = this.options.commandOptions): Promise<T> {
    if (this.#gate === undefined) return this.#send(command, options);
    return this.#gate.run(command.spec.name, 1, () => this.#send(command, options));
  }

  #send<T>(command: Command<T>, options: CommandOptions): Promise<T> {
    const { flags } = command.spec;
    const promise =
      this.cache !== undefined && (flags & Flag.READONLY) !== 0
        ? this.#dispatchCached(command, options, this.cache)
        : this.#traced(
            command,
            (flags & Flag.BLOCKING) === 0
              ? this.connection.dispatch(command, options)
              : this.#dispatchBlocking(command, options),
          );
    return commandChannel.hasSubscribers ? observed(command, this.connection, promise) : promise;
  }

  #traced<T>(command: Command<T>, promise: Promise<T>): Promise<T> {
    if (isCommandTraced()) traceCommand(command, this.connection, promise);
    return promise;
  }

  #noteState(name: string): void {
    if (name === 'WATCH' && this.#left === 'nothing') this.#left = 'watch';
    else if (LEAVES_STATE.has(name)) this.#left = 'state';
  }

  /** Leaves nothing of one borrower to the next. Rejects when that cannot be done. */
  async clean(): Promise<void> {
    const left = this.pubSub.isActive || this.#monitor !== undefined ? 'state' : this.#left;
    this.#left = 'nothing';
    if (left === 'state') await this.reset();
    else if (left === 'watch') {
      this.#endWatch();
      await this.connection.dispatch(UNWATCH);
    }
  }

  withConnection<T>(commands: readonly Command[], use: (connection: Connection) => Promise<T>): Promise<T> {
    if (this.#gate === undefined) return use(this.connection);
    return this.#gate.run('MULTI', commands.length, () => use(this.connection));
  }

  pipeline(
    commands: readonly Command[],
    options?: DispatchOptions,
  ): readonly Promise<unknown>[] | Promise<readonly Promise<unknown>[]> {
    for (const { args } of commands) this.direct?.add(args);
    const send = () => {
      const replies = this.connection.dispatchAll(commands, options);
      const all = Promise.all(replies);
      all.catch(() => {}); // each reply says it itself
      traceBatch('PIPELINE', commands, this.connection, all, replies);
      if (commandChannel.hasSubscribers) observedBatch('PIPELINE', commands, this.connection, all);
      return replies;
    };
    if (this.#gate === undefined) return send();
    return this.#gate.run('PIPELINE', commands.length, async () => {
      const outcomes = await Promise.allSettled(send());
      for (const outcome of outcomes)
        if (outcome.status === 'rejected' && !(outcome.reason instanceof ErrorReply)) throw outcome.reason;
      return outcomes.map((outcome) =>
        outcome.status === 'fulfilled' ? Promise.resolve(outcome.value) : Promise.reject(outcome.reason),
      );
    });
  }

  /**
   * The client's own timeout is for commands that answer at once: a command that waits has it on top of its own time. One
   * given for this call bounds the whole wait.
   */
  #dispatchBlocking<T>(command: Command<T>, options: CommandOptions): Promise<T> {
    const wait = blockTime(command);
    const answer = this.options.connection.commandTimeout || DEFAULTS.commandTimeout;
    const limit = hasOwnTimeout(options) ? (options.timeout ?? 0) : wait === 0 ? 0 : wait + answer;
    return this.connection.dispatchBlocking(command, options, limit);
  }

  #dispatchCached<T>(command: Command<T>, options: CommandOptions, cache: ClientSideCacheProvider): Promise<T> {
    if ((command.spec.flags & Flag.BLOCKING) !== 0)
      return this.#traced(command, this.#dispatchBlocking(command, options));
    const { byCall } = this.options.cache!;
    // While the connection is down nothing tells what has changed.
    const keys =
      (byCall && options.cache === undefined) || this.connection.state !== 'ready' ? undefined : cacheableKeys(command);
    if (keys === undefined) return this.#traced(command, this.connection.dispatch(command, options));
    // One load answers all who ask meanwhile: no caller's signal or timeout may end it for the others.
    const { abortSignal, timeout: _, ...shared } = options;
    const own = hasOwnTimeout(options) ? options.timeout : undefined;
    const answer = cache.read({
      // Another database has other values under the same keys.
      cacheKey: `${this.connection.database} ${cacheKey(command, options.typeMapping)}`,
      keys,
      ttl: options.cache?.ttlMs,
      clientId: cacheRequest.hasSubscribers ? nameOf(this.connection) : undefined,
      load: async () => {
        if (!byCall) return this.#traced(command, this.connection.dispatch(command, shared));
        // CLIENT CACHING YES speaks for the next command only, so nothing may come between.
        const [allowed, reply] = this.connection.dispatchAll([CACHE_THIS, command], { ...shared, atomic: true });
        return (await Promise.all([allowed, this.#traced(command, reply as Promise<T>)]))[1];
      },
    }) as Promise<T>;
    return abortSignal === undefined && own === undefined
      ? answer
      : bounded(answer, command.spec.name, abortSignal, own);
  }

  // ---------------------------------------------------------------- modes

  /** Every command that the server runs, as a line of text; until `reset`. */
  async monitor(callback: (line: string) => void, options?: DispatchOptions): Promise<void> {
    const before = this.#monitor;
    this.#monitor = callback;
    try {
      await this.dispatch(MONITOR, options);
    } catch (error) {
      this.#monitor = before;
      throw error;
    }
  }

  /** Back to the state of a fresh connection: no subscriptions, MONITOR or WATCH; database, name and user as created. */
  async reset(): Promise<void> {
    this.#monitor = undefined;
    this.#endWatch();
    this.pubSub.reset();
    this.cache?.clear(false);
    await this.connection.reset();
    await Promise.all(this.#handshake().map(({ command }) => this.connection.dispatch(command)));
  }

  // ---------------------------------------------------------------- WATCH

  get isWatching(): boolean {
    return this.#watchEpoch !== undefined;
  }
  get isDirtyWatch(): boolean {
    return this.#dirtyWatch !== undefined;
  }
  /** Makes the next transaction fail, because what was watched is elsewhere now. */
  setDirtyWatch(why: string): void {
    this.#dirtyWatch = why;
  }
  markWatching(): void {
    this.#watchEpoch ??= this.connection.epoch;
  }
  clearWatch(): void {
    this.#watchEpoch = undefined;
  }
  #endWatch(): void {
    this.#watchEpoch = this.#dirtyWatch = undefined;
  }

  /**
   * A transaction begins; it ends the WATCH whatever comes of it. True when keys are watched.
   * @throws WatchError when the WATCH no longer holds
   */
  beginTransaction(): boolean {
    const epoch = this.#watchEpoch;
    const dirty = this.#dirtyWatch;
    this.#endWatch();
    if (dirty !== undefined) throw new WatchError(dirty);
    if (epoch !== undefined && epoch !== this.connection.epoch) throw new WatchError('Client reconnected after WATCH');
    return epoch !== undefined;
  }

  // ---------------------------------------------------------------- what message iterators need

  pause(): void {
    this.connection.pause();
  }
  resume(): void {
    this.connection.resume();
  }
  onReconnectOrEnd(onReconnect: () => void, onEnd: () => void): () => void {
    let wasReady = this.connection.state === 'ready';
    const onReady = () => {
      if (wasReady) onReconnect();
      wasReady = true;
    };
    this.emitter.on('ready', onReady).on('end', onEnd);
    return () => this.emitter.off('ready', onReady).off('end', onEnd);
  }

  // ---------------------------------------------------------------- life

  #startPing(): void {
    const { pingInterval } = this.options;
    clearInterval(this.#pingTimer);
    if (pingInterval <= 0) return;
    this.#pingTimer = setInterval(() => {
      this.connection.dispatch(PING).then(
        (reply) => emitSafely(this.emitter, 'ping-interval', reply),
        (error) => this.#emitError(error),
      );
    }, pingInterval).unref();
  }

  connect(): Promise<void> {
    enter(this);
    const connected = this.connection.connect();
    traceConnect(this.connection, connected);
    return connected;
  }

  async close(): Promise<void> {
    clearInterval(this.#pingTimer);
    this.#finishing = true;
    const { commandTimeout } = this.options.connection;
    // The server may never answer; and a command may wait on it for ever.
    const timer = new PatientTimer(commandTimeout > 0 ? commandTimeout : DEFAULTS.closeTimeout, () => this.#abandon());
    try {
      await Promise.all([this.connection.close(), this.connection.closeSides()]);
    } finally {
      timer.clear();
      this.#finishing = false;
    }
  }

  #abandon(): void {
    if (this.connection.state !== 'closed' && this.connection.state !== 'idle') this.connection.destroy();
    this.connection.destroySides();
  }

  destroy(): void {
    clearInterval(this.#pingTimer);
    this.connection.destroy();
  }
  abandon(error: Error): void {
    clearInterval(this.#pingTimer);
    this.connection.abandon(error);
  }
}

/** Warn 30 days before expiry, critical at 7. */
const CERTIFICATE_WARNING_DAYS = 30;
const CERTIFICATE_CRITICAL_DAYS = 7;
const DAY_MS = 86_400_000;
/** What a pool, cluster or Sentinel client tells of its connections, too. */
export const MEMBER_EVENTS = [
  'reauthenticated',
  'certificate-expiring',
  'command-refused',
  'rate-limited',
  'circuit',
  'retry',
] as const;
/** Commands with one of these flags leave nothing behind on the connection. */
const PLAIN = Flag.READONLY | Flag.WRITE | Flag.REPEATABLE;
const LEAVES_STATE = new Set(
  'SELECT,AUTH,HELLO,MULTI,MONITOR,SUBSCRIBE,PSUBSCRIBE,SSUBSCRIBE,CLIENT REPLY,CLIENT SETNAME,CLIENT TRACKING,CLIENT CACHING,CLIENT NO-EVICT,CLIENT NO-TOUCH,READONLY,READWRITE,ASKING,RESET,SCRIPT DEBUG'.split(
    ',',
  ),
);
const UNWATCH = new Command(spec('UNWATCH'), []);

/** The same answer, or what its own caller set an end by. */
function bounded<T>(answer: Promise<T>, command: string, signal: AbortSignal | undefined, ms = 0): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new AbortError(signal?.reason));
    const timer =
      ms > 0
        ? new PatientTimer(ms, () => reject(new TimeoutError(`${command}: no answer within the command timeout`)))
        : undefined;
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
    answer.then(resolve, reject).finally(() => {
      timer?.clear();
      signal?.removeEventListener('abort', onAbort);
    });
  });
}
