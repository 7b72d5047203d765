/**
 * One connection: a state table, a queue, a decoder, and one idempotent function, `#advance`, that moves things on
 * and that everybody calls. It outlives its sockets: what was not written waits for the next one.
 *
 *     dispatch -> ring -> #write -> socket ~~~ onread -> decoder -> #reply -> promise
 *
 * Delivery. A command that was not written waits. One that was written and not answered when the socket is lost is
 * sent again only when running it twice does no harm (a read, or declared so); else it rejects with
 * MaybeExecutedError.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { Command, type CommandSpec, Flag, spec } from '../commands/command.js';
import {
  AbortError,
  ClientClosedError,
  ClientOfflineError,
  DisconnectsClientError,
  ErrorReply,
  MaybeExecutedError,
  ProtocolError,
  QueueFullError,
  ReconnectStrategyError,
  RedkeepError,
  SocketClosedUnexpectedlyError,
  SocketTimeoutError,
  TimeoutError,
  WatchError,
} from '../errors.js';
import { Decoder } from '../protocol/decoder.js';
import { checkArguments, encodeCommand, type Wire } from '../protocol/encoder.js';
import type { ReplyLimits } from '../protocol/limits.js';
import type { RespVersion, TypeMapping } from '../protocol/types.js';
import { type Credentials, type CredentialsSource, fromValue } from '../security/credentials.js';
import { Secret } from '../security/secret.js';
import { Deadlines } from './deadlines.js';
import { type HandshakeOptions, type HandshakeStep, handshakeError, handshakeSteps, lacksResp3 } from './handshake.js';
import { COMMAND_BYTES, EntryKind, type Group, type PendingEntry, PendingRing } from './pending-ring.js';
import { isPermanent, PERMANENT_RETRIES, type ReconnectStrategy } from './reconnect.js';
import { type ConnectionState, nextState } from './state.js';
import { connectError, type Endpoint, openTransport, type TransportOptions } from './transport.js';

export interface ConnectionOptions extends TransportOptions {
  readonly credentials: CredentialsSource;
  readonly handshake: HandshakeOptions;
  readonly replyLimits: ReplyLimits;
  /** Milliseconds a command may take from dispatch to answer; 0 = no limit. */
  readonly commandTimeout: number;
  /** Milliseconds HELLO and its like may take. */
  readonly handshakeTimeout: number;
  /** Milliseconds without a byte, while answers are due, after which the peer counts as gone; 0 = never. */
  readonly socketTimeout: number;
  readonly maxCommands: number;
  readonly maxQueueBytes: number;
  /** Keep commands while the connection is down. */
  readonly offlineQueue: boolean;
  /** Times one command may be sent again. */
  readonly maxRetries: number;
  readonly reconnectStrategy: ReconnectStrategy;
  /** Milliseconds after which `connect()` stops trying, if the connection never stood. */
  readonly startupTimeout: number;
  /** Asked before each socket where to connect to; none = `endpoint`. What Sentinel says is news every time. */
  readonly locate?: () => Promise<Pick<TransportOptions, 'endpoint' | 'tls'>>;
}

/** A command on its way from one connection to another, its caller still waiting. */
export interface HandedOver {
  readonly command: Command;
  readonly mapping: TypeMapping | undefined;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** On the clock that all connections share; 0 = none. */
  readonly deadline: number;
  readonly repeatable: boolean;
  readonly signal: AbortSignal | undefined;
  redirects: number;
}

/** May take over a command that a server refused without running it (MOVED, READONLY …): then true. */
export type Redirector = (error: ErrorReply, handedOver: HandedOver) => boolean;

export interface DispatchOptions {
  /** Milliseconds, 0 = none; default the connection's. */
  readonly timeout?: number;
  readonly abortSignal?: AbortSignal;
  readonly typeMapping?: TypeMapping;
  /** Before all that is queued and not written. */
  readonly asap?: boolean;
  /** The caller declares that running the command twice does no harm. */
  readonly idempotent?: boolean;
}

/** What the owner of a connection hears. */
export interface ConnectionListener {
  onConnect?(): void;
  onReady?(): void;
  onEnd?(): void;
  onError?(error: Error): void;
  onReconnecting?(): void;
  /** What goes before queued commands after each handshake: subscriptions, CLIENT TRACKING … */
  onHandshake?(connection: Connection): readonly HandshakeStep[];
  onPush?(values: unknown[]): void;
  /** A line of MONITOR. */
  onMonitor?(line: string): void;
  /** Some pushes are wanted as bytes. */
  pushMapping?(): TypeMapping | undefined;
  onReauthenticated?(): void;
}

/**
 * Commands that go out before the turn ends, so that the server works on them while the turn issues more: at least
 * MIN, with many in flight half of these, at most MAX. Without it client and server take turns instead of working at
 * the same time, at up to twice the time for a thousand callers.
 */
const EARLY_MIN = 32;
const EARLY_MAX = 128;
/** Bytes per write call: enough to make the call's cost vanish, little enough to stream. */
const WRITE_CHUNK = 64 * 1024;
/** `ready()` resolves again below this share of the bounds. */
const LOW_WATER = 0.5;
const SUBSCRIPTION_KINDS = new Set([
  'subscribe',
  'psubscribe',
  'ssubscribe',
  'unsubscribe',
  'punsubscribe',
  'sunsubscribe',
]);
/** The server counts these apart. */
const SHARDED_KINDS = new Set(['ssubscribe', 'sunsubscribe']);
const MESSAGE_KINDS = new Set(['message', 'pmessage', 'smessage', ...SUBSCRIPTION_KINDS]);
const RESET = new Command(spec('RESET'), []);

const ASKING = spec('ASKING');

// One executor for all promises: a closure a command would cost as much as encoding it.
let capturedResolve: (value: unknown) => void;
let capturedReject: (error: unknown) => void;
const capture = (resolve: (value: unknown) => void, reject: (error: unknown) => void): void => {
  capturedResolve = resolve;
  capturedReject = reject;
};

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #listener: ConnectionListener;
  readonly #ring = new PendingRing();
  /** Set by a cluster or Sentinel client. */
  redirector: Redirector | undefined;
  #endpoint: Endpoint;
  /** Entries of the handshake; commands of callers wait behind it in `#ring`. */
  readonly #handshakeRing = new PendingRing();
  readonly #deadlines: Deadlines;
  readonly #wire: Wire;
  #state: ConnectionState = 'idle';
  #socket: Socket | TLSSocket | undefined;
  #decoder: Decoder | undefined;
  #resp: RespVersion;
  /** Increases with every socket; what belongs to an older one is ignored. */
  #epoch = 0;
  #scheduled = false;
  #needsDrain = false;
  #lastRead = 0;
  #retries = 0;
  #everReady = false;
  #startedAt = 0;
  #abort: AbortController | undefined;
  #reconnectTimer: NodeJS.Timeout | undefined;
  #connecting: { promise: Promise<void>; resolve: () => void; reject: (error: unknown) => void } | undefined;
  #closed: { promise: Promise<void>; resolve: () => void } | undefined;
  #roomWaiters: (() => void)[] = [];
  #pushes: unknown[][] = [];
  #unwatchCredentials: (() => void) | undefined;
  #monitoring = false;
  /** Subscriptions as the server counts them: channels with patterns, and sharded channels. */
  #subscribed = 0;
  #shardSubscribed = 0;
  #database: number;
  #name: string | undefined;
  /** Set by an AUTH of the caller; a reconnect must not fall back to another user's rights. */
  #authenticated: Credentials | undefined;
  #authentications = 0;
  #referenced = true;

  constructor(options: ConnectionOptions, listener: ConnectionListener = {}) {
    this.#options = options;
    this.#listener = listener;
    this.#endpoint = options.endpoint;
    this.#resp = options.handshake.resp;
    this.#database = options.handshake.database;
    this.#name = options.handshake.name;
    this.#deadlines = new Deadlines((now) => this.#expire(now));
    this.#wire = {
      text: '',
      flush: (text, large) => {
        const socket = this.#socket!;
        socket.cork();
        socket.write(text, 'latin1');
        if (large.length > 0) socket.write(large);
        socket.uncork();
      },
    };
  }

  get state(): ConnectionState {
    return this.#state;
  }
  /** The version in use: that asked for, or 2 if the server knows no other. */
  get resp(): RespVersion {
    return this.#resp;
  }
  get database(): number {
    return this.#database;
  }
  /** It stood at least once since `connect`. */
  get wasReady(): boolean {
    return this.#everReady;
  }
  get epoch(): number {
    return this.#epoch;
  }
  /** Commands that wait or are unanswered. */
  get pending(): number {
    return this.#ring.size;
  }
  get pendingBytes(): number {
    return this.#ring.held;
  }
  /** The TLS socket in use, for its session's facts. */
  get socket(): Socket | TLSSocket | undefined {
    return this.#socket;
  }

  // ---------------------------------------------------------------- life

  /** Resolves when the handshake is done; rejects when it cannot be, or not within the connect timeout. */
  connect(): Promise<void> {
    if (this.#connecting !== undefined) return this.#connecting.promise;
    if (this.#state !== 'idle' && this.#state !== 'closed')
      return Promise.reject(new RedkeepError('REDKEEP_CLIENT_CLOSED', 'Socket already opened'));
    this.#everReady = false;
    this.#retries = 0;
    this.#startedAt = performance.now();
    let resolve!: () => void;
    let reject!: (error: unknown) => void;
    const promise = new Promise<void>((a, b) => {
      resolve = a;
      reject = b;
    });
    this.#connecting = { promise, resolve, reject };
    const source = this.#options.credentials;
    this.#unwatchCredentials ??= source.watch?.(
      (credentials) => void this.#reauthenticate(credentials),
      (error) =>
        this.#report(
          new RedkeepError('REDKEEP_CREDENTIALS_UNAVAILABLE', 'The credential provider failed', { cause: error }),
        ),
    );
    void this.#open();
    return promise;
  }

  async #open(): Promise<void> {
    this.#to('connecting');
    const epoch = ++this.#epoch;
    this.#abort = new AbortController();
    try {
      const credentials = await this.#currentCredentials();
      const target = await this.#options.locate?.();
      if (target !== undefined) this.#endpoint = target.endpoint;
      if (epoch !== this.#epoch) return;
      const socket = await openTransport(
        { ...this.#options, ...target },
        (bytes, buffer) => {
          if (epoch === this.#epoch) this.#read(bytes, buffer);
        },
        this.#abort.signal,
      );
      if (epoch !== this.#epoch) {
        socket.destroy();
        return;
      }
      this.#adopt(socket, epoch);
      this.#listener.onConnect?.();
      await this.#handshake(credentials);
      if (epoch !== this.#epoch || this.#state !== 'handshaking') return;
      this.#to('ready');
      this.#retries = 0;
      this.#everReady = true;
      this.#connecting?.resolve();
      this.#connecting = undefined;
      this.#listener.onReady?.();
      this.#advance();
    } catch (error) {
      if (epoch === this.#epoch && this.#state !== 'closed') this.#lost(error as Error);
    }
  }

  async #currentCredentials(): Promise<Credentials> {
    if (this.#authenticated !== undefined) return this.#authenticated;
    try {
      return await this.#options.credentials.current();
    } catch (error) {
      throw new RedkeepError('REDKEEP_CREDENTIALS_UNAVAILABLE', 'The credential provider failed', { cause: error });
    }
  }

  #adopt(socket: Socket | TLSSocket, epoch: number): void {
    this.#socket = socket;
    this.#resp = this.#options.handshake.resp;
    this.#needsDrain = false;
    this.#leaveModes();
    this.#pushes = [];
    this.#decoder = new Decoder(
      {
        mapping: () => this.#mapping(),
        pushMapping: () => this.#listener.pushMapping?.(),
        reply: (value) => this.#reply(value),
        push: (values) => this.#push(values),
      },
      this.#options.replyLimits,
    );
    if (!this.#referenced) socket.unref();
    const current = () => epoch === this.#epoch;
    socket.on('drain', () => {
      if (!current()) return;
      this.#needsDrain = false;
      this.#advance();
    });
    socket.on('error', (error) => {
      if (current()) this.#lost(connectError(error, this.#endpoint, this.#options.tls !== undefined));
    });
    socket.on('close', () => {
      if (current()) this.#lost(new SocketClosedUnexpectedlyError());
    });
    this.#to('handshaking');
  }

  async #handshake(credentials: Credentials): Promise<void> {
    const timer = setTimeout(
      () => this.#socket?.destroy(new RedkeepError('REDKEEP_CONNECT_TIMEOUT', 'The handshake took too long')),
      this.#options.handshakeTimeout,
    );
    const options = { ...this.#options.handshake, database: this.#database, name: this.#name };
    try {
      try {
        await this.#runSteps(options, credentials, this.#resp);
      } catch (error) {
        if (this.#resp !== 3 || !lacksResp3(error)) throw error;
        this.#resp = 2;
        await this.#runSteps(options, credentials, 2);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  async #runSteps(options: HandshakeOptions, credentials: Credentials, resp: RespVersion): Promise<void> {
    const steps = handshakeSteps(options, credentials, resp);
    steps.push(...(this.#listener.onHandshake?.(this) ?? []));
    const answers = steps.map(({ command, confirmations }) =>
      this.#put(this.#handshakeRing, command, { timeout: 0 }, undefined, confirmations),
    );
    this.#write(this.#handshakeRing);
    const results = await Promise.allSettled(answers);
    for (const [i, result] of results.entries()) {
      if (result.status === 'fulfilled') {
        const objection = steps[i]!.check?.(result.value);
        if (objection !== undefined) throw objection;
        continue;
      }
      if (lacksResp3(result.reason) && steps[i]!.command.spec.name === 'HELLO') throw result.reason;
      if (steps[i]!.optional && result.reason instanceof ErrorReply) {
        steps[i]!.refused?.(result.reason);
        continue;
      }
      throw handshakeError(result.reason, steps[i]!.command.spec.name);
    }
  }

  /** The socket is gone or could not be had. Decides what becomes of commands and whether to try again. */
  #lost(error: Error): void {
    const wasConnecting = this.#connecting;
    this.#epoch++;
    this.#dropSocket();
    this.#failAll(this.#handshakeRing, () => error);
    if (this.#state === 'closing') {
      this.#finish(error);
      return;
    }
    for (const entry of this.#ring.rewind((e) => this.#mayRepeat(e))) this.#settleLost(entry, error);
    this.#rejectCut(error);
    const permanent = this.#everReady
      ? isPermanent(error) && this.#retries >= PERMANENT_RETRIES
      : isPermanent(error) || performance.now() - this.#startedAt >= this.#options.startupTimeout;
    const delay = permanent ? error : this.#nextDelay(error);
    if (typeof delay !== 'number') {
      const fatal =
        permanent || delay === error ? error : delay === false ? error : new ReconnectStrategyError(delay, error);
      this.#connecting = undefined;
      this.#report(fatal);
      this.#finish(fatal);
      wasConnecting?.reject(fatal);
      return;
    }
    this.#retries++;
    this.#to('waiting');
    this.#report(error);
    if (this.#state !== 'waiting') return; // a listener destroyed the client
    this.#reconnectTimer = setTimeout(() => {
      this.#listener.onReconnecting?.();
      if (this.#state === 'waiting') void this.#open();
    }, delay);
    if (!this.#referenced) this.#reconnectTimer.unref();
  }

  #nextDelay(error: Error): number | false | Error {
    try {
      const delay = this.#options.reconnectStrategy(this.#retries, error);
      if (delay === false || delay instanceof Error || (typeof delay === 'number' && delay >= 0)) return delay;
      return new TypeError(`Reconnect strategy should return \`false | Error | number\`, got a ${typeof delay}`);
    } catch (thrown) {
      return thrown instanceof Error ? thrown : new Error('The reconnect strategy threw');
    }
  }

  #mayRepeat(entry: PendingEntry): boolean {
    if (entry.kind === EntryKind.SUBSCRIPTION) {
      entry.confirmations = entry.args.length;
      return true;
    }
    return (
      entry.kind === EntryKind.COMMAND &&
      entry.repeatable &&
      (entry.group === undefined || entry.group.asking) &&
      entry.retries++ < this.#options.maxRetries
    );
  }

  /**
   * Transactions that do not outlive their connection: those that rely on a WATCH, which ended with it, and the rest of
   * one that was sent in part, which would run outside of its MULTI.
   */
  #rejectCut(cause: Error): void {
    for (const entry of this.#ring.unfinished()) {
      const { group, reject } = entry;
      if (group === undefined || (!group.watched && !group.started)) continue;
      // A read whose ASKING went with the connection is sent again; the node then redirects it once more.
      if (group.asking && entry.spec !== ASKING) continue;
      entry.kind = EntryKind.SKIPPED;
      this.#ring.release(entry);
      reject?.(group.watched ? new WatchError('Client reconnected after WATCH') : asClientError(cause));
    }
  }

  #settleLost(entry: PendingEntry, cause: Error): void {
    const { reject, spec } = entry;
    this.#ring.release(entry);
    reject?.(lostError(spec!, cause));
  }

  /** Finishes what is queued and in flight, then closes. */
  close(): Promise<void> {
    switch (this.#state) {
      case 'idle':
        return Promise.reject(new ClientClosedError());
      case 'closed':
        return Promise.reject(new ClientClosedError());
      case 'closing':
        return this.#closed!.promise;
      case 'ready': {
        let resolve!: () => void;
        const promise = new Promise<void>((done) => {
          resolve = done;
        });
        this.#closed = { promise, resolve };
        this.#to('closing');
        this.#advance();
        return promise;
      }
      default:
        // Nothing is connected: what waits cannot be finished.
        this.destroy();
        return Promise.resolve();
    }
  }

  /** Closes now; everything unanswered rejects. */
  destroy(): void {
    if (this.#state === 'closed' || this.#state === 'idle') throw new ClientClosedError();
    const connecting = this.#connecting;
    this.#connecting = undefined;
    const error = new DisconnectsClientError();
    this.#finish(error);
    connecting?.reject(error);
  }

  #finish(error: Error): void {
    this.#epoch++;
    clearTimeout(this.#reconnectTimer);
    this.#to('closed');
    this.#abort?.abort();
    this.#dropSocket();
    this.#failAll(this.#handshakeRing, () => error);
    this.#failAll(this.#ring, (entry) =>
      entry.written && !(error instanceof DisconnectsClientError)
        ? lostError(entry.spec!, error)
        : asClientError(error),
    );
    this.#deadlines.stop();
    this.#unwatchCredentials?.();
    this.#unwatchCredentials = undefined;
    this.#wakeWaiters();
    this.#closed?.resolve();
    this.#closed = undefined;
    this.#listener.onEnd?.();
  }

  #failAll(ring: PendingRing, errorOf: (entry: PendingEntry) => Error): void {
    const failed: [reject: (error: unknown) => void, error: Error][] = [];
    for (const entry of ring.unfinished()) if (entry.reject !== undefined) failed.push([entry.reject, errorOf(entry)]);
    ring.clear();
    for (const [reject, error] of failed) reject(error);
  }

  #dropSocket(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#decoder = undefined;
    if (socket === undefined) return;
    socket.removeAllListeners('drain').removeAllListeners('close');
    socket.on('error', () => {});
    socket.destroy();
  }

  #report(error: Error): void {
    this.#listener.onError?.(error);
  }

  #to(state: ConnectionState): void {
    this.#state = nextState(this.#state, state);
  }

  ref(): void {
    this.#referenced = true;
    this.#socket?.ref();
    this.#reconnectTimer?.ref();
  }

  unref(): void {
    this.#referenced = false;
    this.#socket?.unref();
    this.#reconnectTimer?.unref();
  }

  // ---------------------------------------------------------------- commands in

  dispatch<T>(command: Command<T>, options?: DispatchOptions): Promise<T> {
    const refused = this.#refuse(1);
    if (refused !== undefined) return Promise.reject(refused);
    let promise: Promise<T>;
    try {
      promise = this.#put(this.#ring, command, options);
    } catch (error) {
      return Promise.reject(error);
    }
    this.#schedule();
    return promise;
  }

  /**
   * Several commands back to back, checked together: if one cannot be sent, none is. With `atomic` nothing comes
   * between them and they are never sent again; with `watched` they do not outlive the connection.
   */
  dispatchAll(
    commands: readonly Command[],
    options?: DispatchOptions & { atomic?: boolean; watched?: boolean },
  ): Promise<unknown>[] {
    const refused = this.#refuse(commands.length);
    if (refused !== undefined) throw refused;
    for (const command of commands) checkArguments(command.spec.name, command.args);
    const group = options?.atomic === true ? newGroup(options.watched === true) : undefined;
    const promises = commands.map((command) => this.#put(this.#ring, command, options, group));
    this.#schedule();
    return promises;
  }

  /** SUBSCRIBE and its like, answered by `confirmations` pushes. Resolves after the last. */
  dispatchSubscription(command: Command, confirmations: number): Promise<void> {
    const refused = this.#refuse(1);
    if (refused !== undefined) return Promise.reject(refused);
    try {
      const promise = this.#put(this.#ring, command, undefined, undefined, confirmations) as Promise<void>;
      this.#schedule();
      return promise;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Gives up the present socket, as if it had been lost; a new one follows. */
  drop(reason: Error): void {
    if (this.#state === 'ready' || this.#state === 'handshaking') this.#lost(reason);
  }

  /** A command that another connection gave up; `asking` for a slot that is being imported here. */
  adopt(handed: HandedOver, asking = false): void {
    const refused = this.#refuse(1) ?? overdue(handed);
    if (refused !== undefined) {
      handed.reject(refused);
      return;
    }
    const { spec, args, preserve } = handed.command;
    const group = asking ? newGroup(false, true) : undefined;
    if (group !== undefined) {
      const before = this.#ring.put();
      before.kind = EntryKind.COMMAND;
      before.spec = ASKING;
      before.written = false;
      before.repeatable = false;
      before.group = group;
    }
    const entry = this.#ring.put();
    entry.kind = EntryKind.COMMAND;
    entry.spec = spec;
    entry.args = args;
    entry.preserve = preserve;
    entry.mapping = handed.mapping;
    entry.resolve = handed.resolve;
    entry.reject = handed.reject;
    entry.bytes = COMMAND_BYTES + checkArguments(spec.name, args);
    this.#ring.bytes += entry.bytes;
    entry.written = false;
    entry.retries = 0;
    entry.redirects = handed.redirects;
    entry.repeatable = handed.repeatable;
    entry.group = group;
    entry.confirmations = 0;
    entry.deadline = handed.deadline === 0 ? 0 : this.#deadlines.add(handed.deadline - performance.now());
    if (handed.signal !== undefined) this.#watchAbort(this.#ring, entry, handed.signal);
    this.#schedule();
  }

  /** Takes out what was not sent, transactions excepted, for other connections to {@link adopt}. */
  takeUnsent(): HandedOver[] {
    const ring = this.#ring;
    const taken: HandedOver[] = [];
    for (let cursor = ring.sent; cursor < ring.tail; cursor++) {
      const entry = ring.at(cursor);
      if (entry.kind !== EntryKind.COMMAND || (entry.group !== undefined && !entry.group.asking)) continue;
      if (entry.resolve !== undefined) taken.push(handOver(entry));
      entry.kind = EntryKind.SKIPPED;
      ring.release(entry);
    }
    return taken;
  }

  /** RESET, then the handshake anew: ends subscriptions, MONITOR and WATCH; name, database and user as created. */
  async reset(): Promise<void> {
    this.#setAuthenticated(undefined);
    const credentials = await this.#currentCredentials();
    const { handshake } = this.#options;
    this.#database = handshake.database;
    this.#name = handshake.name;
    const steps = handshakeSteps(handshake, credentials, this.#resp);
    const commands = [RESET, ...steps.map((step) => step.command)];
    const results = await Promise.allSettled(this.dispatchAll(commands, { atomic: true }));
    for (const [i, result] of results.entries()) {
      if (result.status === 'fulfilled' || (steps[i - 1]?.optional && result.reason instanceof ErrorReply)) continue;
      throw handshakeError(result.reason, commands[i]!.spec.name);
    }
  }

  #leaveModes(): void {
    this.#monitoring = false;
    this.#subscribed = this.#shardSubscribed = 0;
  }

  /** Stops reading: the server's buffers and TCP hold what comes. */
  pause(): void {
    this.#socket?.pause();
  }
  resume(): void {
    this.#socket?.resume();
  }

  /** Resolves when there is room in the queue: backpressure that can be awaited. */
  room(): Promise<void> {
    if (this.#refuse(1) === undefined || this.#state === 'closed') return Promise.resolve();
    return new Promise((resolve) => this.#roomWaiters.push(resolve));
  }

  /** The database to restore after a reconnect, when a transaction changed it. */
  remember(database: number): void {
    this.#database = database;
  }

  /** Options for another connection with this one's user, name and database of now. */
  get likeThis(): ConnectionOptions {
    const { credentials, handshake } = this.#options;
    const authenticated = this.#authenticated;
    return {
      ...this.#options,
      credentials:
        authenticated === undefined ? credentials : fromValue(authenticated.username, authenticated.password),
      handshake: { ...handshake, database: this.#database, name: this.#name },
    };
  }
  /** Changes whenever {@link likeThis} does. */
  get identity(): string {
    return `${this.#database} ${this.#name ?? ''} ${this.#authenticated?.username ?? ''} ${this.#authentications}`;
  }

  #refuse(count: number): Error | undefined {
    const { maxCommands, maxQueueBytes } = this.#options;
    switch (this.#state) {
      case 'ready':
        break;
      case 'idle':
      case 'closing':
      case 'closed':
        return new ClientClosedError();
      default:
        if (!this.#options.offlineQueue) return new ClientOfflineError();
    }
    if (this.#ring.size + count > maxCommands) return new QueueFullError(`${maxCommands} commands`);
    if (this.#ring.held >= maxQueueBytes) return new QueueFullError(`${maxQueueBytes} bytes`);
    return undefined;
  }

  #put<T>(
    ring: PendingRing,
    command: Command<T>,
    options?: DispatchOptions,
    group?: PendingEntry['group'],
    confirmations = 0,
  ): Promise<T> {
    const { spec, args } = command;
    const bytes = COMMAND_BYTES + checkArguments(spec.name, args);
    const signal = options?.abortSignal;
    if (signal?.aborted) return Promise.reject(new AbortError(signal.reason));
    const timeout = options?.timeout ?? this.#options.commandTimeout;
    const promise = new Promise<unknown>(capture) as Promise<T>;
    const entry = options?.asap === true ? ring.putFirst() : ring.put();
    entry.kind = confirmations > 0 ? EntryKind.SUBSCRIPTION : EntryKind.COMMAND;
    entry.spec = spec;
    entry.args = args;
    entry.preserve = command.preserve;
    entry.mapping = options?.typeMapping;
    entry.resolve = capturedResolve;
    entry.reject = capturedReject;
    entry.bytes = bytes;
    ring.bytes += bytes;
    entry.written = false;
    entry.retries = 0;
    entry.redirects = 0;
    entry.signal = signal;
    entry.repeatable = (spec.flags & (Flag.READONLY | Flag.REPEATABLE)) !== 0 || options?.idempotent === true;
    entry.group = group;
    entry.confirmations = confirmations;
    entry.deadline = timeout > 0 && (spec.flags & Flag.BLOCKING) === 0 ? this.#deadlines.add(timeout) : 0;
    if (signal !== undefined) this.#watchAbort(ring, entry, signal);
    return promise;
  }

  #watchAbort(ring: PendingRing, entry: PendingEntry, signal: AbortSignal): void {
    const { generation } = entry;
    const onAbort = () => {
      if (entry.generation === generation) this.#cancel(ring, entry, new AbortError(signal.reason));
    };
    signal.addEventListener('abort', onAbort, { once: true });
    entry.cleanup = () => signal.removeEventListener('abort', onAbort);
  }

  /** The caller gets `error` now. Not written: the command is gone. Written: its reply will be dropped. */
  #cancel(ring: PendingRing, entry: PendingEntry, error: Error): void {
    const { reject, group } = entry;
    // A transaction of which nothing was sent is never sent; of one that was begun nothing is taken out. A
    // subscription's answers are counted by its entry. Where the entry stays, only its caller stops waiting.
    if (group !== undefined && !group.started) group.cancelled = error;
    if (entry.written ? entry.kind !== EntryKind.SUBSCRIPTION : group?.started !== true) {
      entry.kind = entry.written ? EntryKind.DISCARDED : EntryKind.SKIPPED;
      ring.release(entry);
    } else {
      entry.resolve = entry.reject = undefined;
      entry.deadline = 0;
    }
    reject?.(error);
    this.#wakeWaiters();
  }

  // ---------------------------------------------------------------- bytes out

  /** Once a turn: what callers issue until then goes out in one write. */
  #schedule(): void {
    const ring = this.#ring;
    const unsent = ring.tail - ring.sent;
    if (unsent >= EARLY_MIN && unsent >= Math.min((ring.sent - ring.head) >> 1, EARLY_MAX)) this.#advance();
    if (this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(this.#flush);
  }

  readonly #flush = (): void => {
    this.#scheduled = false;
    this.#deadlines.tick();
    this.#advance();
  };

  #advance(): void {
    if (this.#state !== 'ready' && this.#state !== 'closing') return;
    this.#write(this.#ring);
    if (this.#state === 'closing' && this.#ring.size === 0) {
      const socket = this.#socket;
      this.#socket = undefined; // let it end in peace
      socket?.removeAllListeners('drain').removeAllListeners('close');
      socket?.end();
      this.#finish(new ClientClosedError());
    }
  }

  #write(ring: PendingRing): void {
    const wire = this.#wire;
    const socket = this.#socket;
    if (socket === undefined) return;
    while (ring.sent < ring.tail && !this.#needsDrain) {
      const entry = ring.at(ring.sent++);
      if (entry.kind === EntryKind.SKIPPED) continue;
      const { spec, group } = entry;
      if (group !== undefined) {
        if (group.cancelled !== undefined) {
          this.#cancel(ring, entry, group.cancelled);
          continue;
        }
        group.started = true;
      }
      entry.written = true;
      encodeCommand(wire, spec!.words, spec!.head, entry.args);
      if (wire.text.length >= WRITE_CHUNK) this.#flushText(socket);
      else if (socket.writableNeedDrain) this.#needsDrain = true;
    }
    if (wire.text !== '') this.#flushText(socket);
    ring.trim();
  }

  #flushText(socket: Socket): void {
    const { text } = this.#wire;
    this.#wire.text = '';
    if (!socket.write(text, 'latin1')) this.#needsDrain = true;
  }

  // ---------------------------------------------------------------- bytes in

  #read(bytes: number, buffer: Buffer): void {
    this.#lastRead = performance.now();
    try {
      this.#decoder!.write(buffer, bytes);
    } catch (error) {
      this.#deliverPushes();
      this.#lost(error as Error);
      return;
    }
    this.#deliverPushes();
    if (this.#roomWaiters.length > 0) this.#wakeWaiters();
    if (this.#state === 'closing') this.#advance();
  }

  /** After the chunk is decoded: listeners may do anything, also make another socket use the read buffer. */
  #deliverPushes(): void {
    if (this.#pushes.length === 0) return;
    const pushes = this.#pushes;
    this.#pushes = [];
    for (const values of pushes) this.#listener.onPush?.(values);
  }

  get #active(): PendingRing {
    return this.#state === 'handshaking' ? this.#handshakeRing : this.#ring;
  }

  #mapping(): TypeMapping | undefined {
    const ring = this.#active;
    // RESP2 has no pushes: on a subscribed connection nearly every reply is a message.
    if (this.#resp === 2 && this.#subscribed + this.#shardSubscribed > 0) return this.#listener.pushMapping?.();
    return ring.head < ring.sent ? ring.at(ring.head).mapping : undefined;
  }

  #reply(value: unknown): void {
    const ring = this.#active;
    if (this.#resp === 2 && Array.isArray(value) && this.#isMessage(value, ring)) return;
    if (this.#monitoring && this.#isMonitorLine(value)) return;
    if (ring.head >= ring.sent) throw new ProtocolError('A reply that no command asked for');
    const entry = ring.at(ring.head);
    const { kind, resolve, reject } = entry;
    if (kind === EntryKind.DISCARDED || resolve === undefined) {
      ring.shift();
      return;
    }
    if (value instanceof ErrorReply) {
      const { group } = entry;
      if (this.redirector !== undefined && (group === undefined || group.asking)) {
        if (ring === this.#ring && this.redirector(value, handOver(entry))) {
          ring.shift();
          return;
        }
      }
      const error = value.redact(entry.args);
      ring.shift();
      reject!(error);
      return;
    }
    const spec = entry.spec!;
    const read = spec.read[this.#resp];
    if ((spec.flags & Flag.CONNECTION) !== 0) this.#note(spec.name, entry.args, String(value));
    if (read === undefined) {
      ring.shift();
      resolve(value);
      return;
    }
    const { preserve, mapping } = entry;
    ring.shift();
    try {
      resolve(read(value, preserve, mapping));
    } catch (error) {
      reject!(error);
    }
  }

  /** A command that changes the connection succeeded: what a reconnect has to restore. */
  #note(name: string, args: readonly unknown[], reply: string): void {
    if (name === 'RESET') this.#leaveModes();
    // In MULTI the answer is QUEUED, and the handshake does what is remembered already.
    if (reply !== 'OK') return;
    if (name === 'MONITOR') this.#monitoring = true;
    if (this.#state === 'handshaking') return;
    if (name === 'SELECT') this.#database = Number(args[0]);
    else if (name === 'CLIENT SETNAME') this.#name = String(args[0]);
    else if (name === 'AUTH')
      this.#setAuthenticated({
        username: args.length > 1 ? String(args[0]) : undefined,
        password: Secret.from(String(args.at(-1))),
      });
  }

  #setAuthenticated(credentials: Credentials | undefined): void {
    this.#authenticated = credentials;
    this.#authentications++;
  }

  #push(values: unknown[]): void {
    const kind = values[0];
    if (kind !== 'message') this.#confirm(String(kind), values, this.#active);
    this.#pushes.push(values);
  }

  /** Counts a confirmation for the subscription command at head, if it is one of its kind. */
  #confirm(kind: string, values: readonly unknown[], ring: PendingRing): void {
    if (!SUBSCRIPTION_KINDS.has(kind)) return;
    if (SHARDED_KINDS.has(kind)) this.#shardSubscribed = Number(values[2]);
    else this.#subscribed = Number(values[2]);
    if (ring.head >= ring.sent) return;
    const entry = ring.at(ring.head);
    if (entry.kind !== EntryKind.SUBSCRIPTION || entry.spec!.name.toLowerCase() !== kind) return;
    // A shard that loses a slot ends its subscriptions unasked; that answers no command.
    if (kind === 'sunsubscribe' && !entry.args.some((arg) => String(arg) === String(values[1]))) return;
    if (--entry.confirmations > 0) return;
    const { resolve } = entry;
    ring.shift();
    resolve?.(undefined);
  }

  /**
   * RESP2 has no pushes: messages and confirmations come as arrays. A subscribed connection gets no other arrays that
   * begin so; one that is not subscribed only confirmations, and only when a subscription command is at head.
   */
  #isMessage(values: unknown[], ring: PendingRing): boolean {
    const kind = Buffer.isBuffer(values[0]) ? values[0].toString() : values[0];
    if (typeof kind !== 'string' || !MESSAGE_KINDS.has(kind)) return false;
    if (this.#subscribed + this.#shardSubscribed === 0) {
      const head = ring.head < ring.sent ? ring.at(ring.head) : undefined;
      if (head?.kind !== EntryKind.SUBSCRIPTION) return false;
    }
    this.#confirm(kind, values, ring);
    this.#pushes.push(values);
    return true;
  }

  #isMonitorLine(value: unknown): boolean {
    const line = Buffer.isBuffer(value) ? value.toString() : value;
    if (typeof line !== 'string' || !/^\d+\.\d+ \[/.test(line)) return false;
    this.#listener.onMonitor?.(line);
    return true;
  }

  // ---------------------------------------------------------------- time

  /** Rejects what is due; returns the earliest deadline that is left. */
  #expire(now: number): number {
    let earliest = Number.POSITIVE_INFINITY;
    let stuck = false;
    for (const entry of this.#ring.unfinished()) {
      if (entry.kind === EntryKind.DISCARDED) stuck = true;
      if (entry.group?.cancelled !== undefined) {
        this.#cancel(this.#ring, entry, entry.group.cancelled);
        continue;
      }
      if (entry.deadline === 0) continue;
      if (entry.deadline > now) {
        if (entry.deadline < earliest) earliest = entry.deadline;
        continue;
      }
      const { written, spec, group } = entry;
      if (written) stuck = true;
      this.#cancel(
        this.#ring,
        entry,
        new TimeoutError(
          written || group?.started
            ? `${spec!.name}: no answer within the command timeout`
            : `${spec!.name}: not sent within the command timeout`,
        ),
      );
    }
    this.#ring.trim();
    const { socketTimeout } = this.#options;
    if (stuck && socketTimeout > 0 && this.#state === 'ready') {
      // An open socket that answers nothing is as good as gone, and holds up all that come later.
      const due = this.#lastRead + socketTimeout;
      if (due <= now) this.#lost(new SocketTimeoutError(socketTimeout));
      else if (due < earliest) earliest = due;
    }
    return earliest;
  }

  #wakeWaiters(): void {
    const { maxCommands, maxQueueBytes } = this.#options;
    if (
      this.#state !== 'closed' &&
      (this.#ring.size > maxCommands * LOW_WATER || this.#ring.held > maxQueueBytes * LOW_WATER)
    )
      return;
    const waiters = this.#roomWaiters;
    this.#roomWaiters = [];
    for (const resolve of waiters) resolve();
  }

  // ---------------------------------------------------------------- credentials

  /** New credentials for a live connection: AUTH in place; nothing is dropped, nothing waits. */
  async #reauthenticate(credentials: Credentials): Promise<void> {
    if (this.#state !== 'ready') return; // the next handshake uses them
    const [step] = handshakeSteps(
      { ...this.#options.handshake, name: undefined, clientInfo: false, database: 0, replicaReads: false },
      credentials,
      2,
    );
    if (step === undefined) return;
    try {
      await this.dispatch(step.command, { asap: true, idempotent: true });
      this.#setAuthenticated(undefined); // the source knows them
      this.#listener.onReauthenticated?.();
    } catch (error) {
      this.#report(handshakeError(error, 'AUTH') as Error);
    }
  }
}

function newGroup(watched: boolean, asking = false): Group {
  return { watched, asking, started: false, cancelled: undefined };
}

function handOver(entry: PendingEntry): HandedOver {
  return {
    command: new Command(entry.spec!, entry.args, entry.preserve),
    mapping: entry.mapping,
    resolve: entry.resolve!,
    reject: entry.reject!,
    deadline: entry.deadline,
    repeatable: entry.repeatable,
    signal: entry.signal,
    redirects: entry.redirects,
  };
}

function overdue(handed: HandedOver): Error | undefined {
  if (handed.signal?.aborted) return new AbortError(handed.signal.reason);
  if (handed.deadline === 0 || handed.deadline > performance.now()) return undefined;
  return new TimeoutError(`${handed.command.spec.name}: not served within the command timeout`);
}

/** For a command that was sent and not answered. Reads changed nothing: they get the cause itself. */
function lostError(spec: CommandSpec, cause: Error): Error {
  return (spec.flags & Flag.WRITE) === 0 && (spec.flags & (Flag.READONLY | Flag.REPEATABLE)) !== 0
    ? asClientError(cause)
    : new MaybeExecutedError(spec.name, cause);
}

/** Commands reject with the client's own errors; the network's stand in `cause`. */
function asClientError(error: Error): Error {
  return error instanceof RedkeepError || error instanceof TypeError ? error : new SocketClosedUnexpectedlyError(error);
}
