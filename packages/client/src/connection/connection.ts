/**
 * One connection: a state table, a queue, and one idempotent function, `#advance`, that moves things on and that
 * everybody calls. It outlives its sockets: what was not written waits for the next one.
 *
 *     dispatch -> PendingRing -> BatchWriter -> socket ~~~ onread -> Decoder -> Replies -> promise
 *
 * Delivery. A command that was not written waits. One that was written and not answered when the socket is lost is
 * sent again only when running it twice does no harm (a read, or declared so); else it rejects with
 * MaybeExecutedError.
 */

import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { clearTimeout, nextTick, performance, setImmediate, setTimeout } from '../clock.js';
import { Command, Flag, spec } from '../commands/command.js';
import { type Credentials, sameCredentials } from '../credentials/credentials.js';
import { Secret } from '../credentials/secret.js';
import {
  AbortError,
  ClientClosedError,
  ClientOfflineError,
  ConnectionTimeoutError,
  DisconnectsClientError,
  ErrorReply,
  QueueFullError,
  RedkeepError,
  SocketClosedUnexpectedlyError,
  SocketTimeoutError,
  StartupError,
  TimeoutError,
  WatchError,
} from '../errors.js';
import { Decoder } from '../protocol/decoder.js';
import { checkArguments } from '../protocol/encoder.js';
import type { RespVersion } from '../protocol/types.js';
import { BatchWriter, fillsBatch } from './batch-writer.js';
import type { ConnectionListener, ConnectionOptions } from './connection-options.js';
import { Deadlines } from './deadlines.js';
import type { DispatchOptions } from './dispatch-options.js';
import { type HandshakeOptions, handshakeError, handshakeSteps, judgeHandshake, lacksResp3 } from './handshake.js';
import { Hold } from './hold.js';
import { PatientTimer } from './patient-timer.js';
import { asClientError, type Group, lostError, newGroup, Pending, PendingState } from './pending.js';
import { COMMAND_BYTES, PendingRing } from './pending-ring.js';
import { afterLoss, isAuthFailure, strategyOf } from './reconnect.js';
import { isDemoted, isNotServed } from './refusals.js';
import { type Redirector, Replies } from './replies.js';
import { Session } from './session.js';
import { SideConnections } from './side-connections.js';
import { type ConnectionState, nextState } from './state.js';
import {
  connectError,
  type Endpoint,
  isTlsRecord,
  openTransport,
  sameEndpoint,
  serverSpeaksTls,
  speaksTls,
} from './transport.js';

export type { ConnectionListener, ConnectionOptions } from './connection-options.js';
export type { DispatchOptions } from './dispatch-options.js';
/** A command that moves from one connection to another, its caller still waiting. */
export type { Pending as HandedOver } from './pending.js';
export type { Redirector } from './replies.js';

/** Milliseconds that a server which stopped being the primary may take to answer what it was sent. */
const LEAVE_PATIENCE = 3000;
/** `ready()` resolves again below this share of the bounds. */
const LOW_WATER = 0.5;
const NO_OPTIONS: DispatchOptions = {};
const RESET = new Command(spec('RESET'), []);
const ASKING = new Command(spec('ASKING'), []);
const READONLY = new Command(spec('READONLY'), []);
const READWRITE = new Command(spec('READWRITE'), []);

// One executor for all promises: a closure a command would cost as much as encoding it.
let capturedResolve: (value: unknown) => void;
let capturedReject: (error: unknown) => void;
const capture = (resolve: (value: unknown) => void, reject: (error: unknown) => void): void => {
  capturedResolve = resolve;
  capturedReject = reject;
};

/** Whose socket it is: a socket can move to another connection. */
interface Line {
  owner: Connection;
}

/** A command that waits for the connection to be ready before it blocks. */
interface Waiter {
  readonly go: () => void;
  readonly fail: (error: Error) => void;
}

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #listener: ConnectionListener;
  /** Commands of callers. */
  #ring = new PendingRing();
  /** Those of the handshake; the callers' wait behind it. */
  readonly #handshakeRing = new PendingRing();
  readonly #deadlines: Deadlines;
  readonly #session: Session;
  /** Set by a cluster client. */
  redirector: Redirector | undefined;
  /** Set by a Sentinel client: times that a command may be refused because its primary became a replica. */
  followsPrimary = 0;
  /** Another server is primary: nothing is sent, and the socket is given up when what was sent is answered. */
  #leaving: { readonly reason: Error; readonly timer: PatientTimer } | undefined;
  #endpoint: Endpoint;
  #state: ConnectionState = 'idle';
  #resp: RespVersion;
  /** Increases with every socket; what belongs to an older one is ignored. */
  #epoch = 0;
  #socket: Socket | TLSSocket | undefined;
  #writer: BatchWriter | undefined;
  #decoder: Decoder | undefined;
  #replies: Replies | undefined;
  #scheduled = false;
  #lastRead = 0;
  /** Chunks that were read, with wrap-around. */
  #readCount = 0;
  #retries = 0;
  #everReady = false;
  #openedAt = 0;
  #abort: AbortController | undefined;
  #reconnectTimer: NodeJS.Timeout | undefined;
  #startupTimer: PatientTimer | undefined;
  /** Why the last attempt failed, since `connect`. */
  #lastFailure: Error | undefined;
  /** What is to be said if the step under way takes too long. */
  #overdue: Error | undefined;
  /** Epoch of the plaintext handshake that was cut off and looked into, since `connect`. */
  #lookedForTls = 0;
  #connecting: { promise: Promise<void>; resolve: () => void; reject: (error: unknown) => void } | undefined;
  #closed: { promise: Promise<void>; resolve: () => void } | undefined;
  #roomWaiters: (() => void)[] = [];
  /** The queue has no room, as those learn that ask for it in one go. */
  #full: { readonly limit: string; readonly error: QueueFullError; readonly promise: Promise<never> } | undefined;
  #unwatchCredentials: (() => void) | undefined;
  /** Announced while there was no connection to send them to the server. */
  #missed: Credentials | undefined;
  /** The last that were announced. */
  #announced: Credentials | undefined;
  #referenced = true;
  #line: Line | undefined;
  /** A command in the ring that waits on the server: the next one needs another socket. */
  #blocked: Pending | undefined;
  /** Sockets with commands that wait on the server, and spare ones. */
  readonly #sides = new SideConnections<Connection>();
  /** A new socket is being opened because the last one waits, not because it was lost: nobody is to notice. */
  #makingWay = false;
  readonly #readyWaiters = new Set<Waiter>();
  /** Sockets that were opened to make way. */
  #unnoticed = 0;
  /** Of a side connection: called when nothing waits on it any more. */
  #whenIdle: (() => void) | undefined;
  /** The server refused HELLO, and the connection did not outlive that: RESP2 from now on. */
  #helloRefused = false;
  /** The socket on which an AUTH with new credentials is under way. */
  #authenticating: Line | undefined;
  /** Whose commands that wait it serves; it is not made anew when it is lost. */
  #parent: Connection | undefined;

  constructor(options: ConnectionOptions, listener: ConnectionListener = {}) {
    // Its own copy: options can be changed while it lives.
    this.#options = { ...options };
    this.#listener = listener;
    this.#endpoint = options.endpoint;
    this.#resp = options.handshake.resp;
    this.#session = new Session(options.handshake);
    this.#deadlines = new Deadlines(
      (now) => this.#expire(now),
      () => this.#readCount,
    );
  }

  get state(): ConnectionState {
    return this.#state;
  }
  /** The version in use: that asked for, or 2 if the server knows no other. */
  get resp(): RespVersion {
    return this.#resp;
  }
  get database(): number {
    return this.#session.database;
  }
  /** Where it leads to now; under Sentinel that changes. */
  get endpoint(): Endpoint {
    return this.#endpoint;
  }
  /** When the present attempt to connect began, on the monotonic clock. */
  get openedAt(): number {
    return this.#openedAt;
  }
  /** It was connected at least once since `connect`. */
  get wasReady(): boolean {
    return this.#everReady;
  }
  /** Commands can run, or will in a moment: a new socket is being opened because the last one waits. */
  get isReady(): boolean {
    return this.#state === 'ready' || this.#makingWay;
  }
  get epoch(): number {
    return this.#epoch - this.#unnoticed;
  }
  /** Commands that wait or are unanswered. */
  get pending(): number {
    return this.#ring.size;
  }
  /** The server's words while it runs no commands (it loads its data, say), although the connection is open. */
  get refusal(): ErrorReply | undefined {
    return this.#replies?.hold?.refusal;
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
      return Promise.reject(new RedkeepError('REDKEEP_ALREADY_CONNECTED', 'Socket already opened'));
    this.#everReady = false;
    this.#lookedForTls = 0;
    this.#retries = 0;
    this.#lastFailure = undefined;
    const { startupTimeout } = this.#options;
    if (startupTimeout < Number.POSITIVE_INFINITY)
      this.#startupTimer = new PatientTimer(startupTimeout, () => this.#giveUpStart(startupTimeout));
    let resolve!: () => void;
    let reject!: (error: unknown) => void;
    const promise = new Promise<void>((a, b) => {
      resolve = a;
      reject = b;
    });
    this.#connecting = { promise, resolve, reject };
    const { signal } = this.#options;
    if (signal?.aborted) {
      this.#to('connecting');
      const error = new AbortError(signal.reason);
      this.#connecting = undefined;
      this.#finish(error);
      reject(error);
      return promise;
    }
    signal?.addEventListener('abort', this.#onSignal, { once: true });
    this.#watchCredentials();
    void this.#open();
    return promise;
  }

  readonly #onSignal = (): void => {
    const connecting = this.#connecting;
    this.#connecting = undefined;
    const error = new AbortError(this.#options.signal?.reason);
    this.#finish(error);
    connecting?.reject(error);
  };

  /** There was no connection within the time limit. `connect()` may be called again. */
  #giveUpStart(limit: number): void {
    if (this.#everReady || this.#state === 'closed') return;
    const cause = this.#overdue ?? this.#lastFailure ?? new ConnectionTimeoutError();
    const error = new StartupError(limit, cause);
    const connecting = this.#connecting;
    this.#connecting = undefined;
    this.#report(error);
    if ((this.#state as ConnectionState) !== 'closed') this.#finish(error);
    connecting?.reject(error);
  }

  #watchCredentials(): void {
    this.#unwatchCredentials ??= this.#options.credentials.watch?.(
      (credentials) => void this.#reauthenticate(credentials),
      (error) =>
        this.#report(
          new RedkeepError('REDKEEP_CREDENTIALS_UNAVAILABLE', 'The credential provider failed', { cause: error }),
        ),
    );
  }

  async #open(): Promise<void> {
    this.#to('connecting');
    const epoch = ++this.#epoch;
    if (this.#makingWay) this.#unnoticed++;
    this.#abort = new AbortController();
    this.#missed = undefined;
    this.#openedAt = performance.now();
    let credentials: Credentials | undefined;
    const line: Line = { owner: this };
    try {
      credentials = await this.#currentCredentials();
      if (epoch !== this.#epoch) return;
      const target = await this.#options.locate?.();
      if (target !== undefined) this.#endpoint = target.endpoint;
      if (epoch !== this.#epoch) return;
      const socket = await openTransport(
        { ...this.#options, ...target },
        (bytes, buffer) => {
          const { owner } = line;
          if (owner.#line === line) owner.#read(bytes, buffer);
        },
        this.#abort.signal,
      );
      if (epoch !== this.#epoch) {
        socket.destroy();
        return;
      }
      this.#adopt(socket, line);
      if (!this.#makingWay) this.#listener.onConnect?.();
      await this.#handshake(credentials);
      if (epoch !== this.#epoch || this.#state !== 'handshaking') return;
      this.#to('ready');
      this.#replies!.ring = this.#ring;
      this.#retries = 0;
      this.#everReady = true;
      this.#startupTimer?.clear();
      this.#connecting?.resolve();
      this.#connecting = undefined;
      const unnoticed = this.#makingWay;
      this.#makingWay = false;
      if (!unnoticed) this.#listener.onReady?.();
      if (epoch !== this.#epoch || (this.#state as ConnectionState) !== 'ready') return;
      this.#advance();
      for (const { go } of [...this.#readyWaiters]) go();
      if (this.#missed !== undefined && !sameCredentials(this.#missed, credentials))
        void this.#reauthenticate(this.#missed);
    } catch (error) {
      const outdated = isAuthFailure(error) && (await this.#changed(credentials));
      if (epoch === this.#epoch && this.#state !== 'closed') this.#lost(error as Error, outdated);
    }
  }

  /** The source has other credentials by now than those that were refused: a rotation overtook the handshake. */
  async #changed(refused: Credentials | undefined): Promise<boolean> {
    const { credentials } = this.#options;
    if (refused === undefined || this.#session.authenticated !== undefined) return false;
    credentials.refused?.(refused);
    try {
      return !sameCredentials(await credentials.current(), refused);
    } catch {
      return false;
    }
  }

  async #currentCredentials(): Promise<Credentials> {
    const { credentials, connectTimeout } = this.#options;
    const unavailable = (problem: string, cause?: unknown) =>
      new RedkeepError('REDKEEP_CREDENTIALS_UNAVAILABLE', `The credential provider ${problem}`, { cause });
    let found: unknown;
    this.#overdue = unavailable('did not answer');
    try {
      // In a try of its own: a provider may throw before it has a promise.
      found = await settledWithin(this.#session.source(credentials).current(), connectTimeout, () =>
        unavailable(`did not answer within ${connectTimeout} ms`),
      );
    } catch (error) {
      throw error instanceof RedkeepError && error.code === 'REDKEEP_CREDENTIALS_UNAVAILABLE'
        ? error
        : unavailable('failed', error);
    } finally {
      this.#overdue = undefined;
    }
    if (!isCredentials(found)) throw unavailable('returned something that is not { username, password }');
    return found;
  }

  #adopt(socket: Socket | TLSSocket, line: Line): void {
    this.#line = line;
    this.#socket = socket;
    this.#writer = new BatchWriter(socket, (pending, error) => line.owner.#cancel(line.owner.#ring, pending, error));
    this.#useResp(this.#helloRefused ? 2 : this.#options.handshake.resp);
    if (!this.#referenced) socket.unref();
    const current = () => line.owner.#line === line;
    socket.on('drain', () => {
      if (!current()) return;
      line.owner.#writer!.drained();
      line.owner.#advance();
    });
    socket.on('error', (error) => {
      if (current())
        void line.owner.#closedByPeer(connectError(error, this.#endpoint, this.#options.tls !== undefined));
    });
    socket.on('close', () => {
      if (current()) void line.owner.#closedByPeer(new SocketClosedUnexpectedlyError());
    });
    this.#to('handshaking');
  }

  /** A server that speaks TLS cuts off who greets it in plaintext, most without a word: that is found out, once. */
  async #closedByPeer(error: Error): Promise<void> {
    const isFirstWord = this.#state === 'handshaking' && !this.#everReady && this.#lastRead < this.#openedAt;
    const epoch = this.#epoch;
    if (this.#lookedForTls === epoch) return; // `close` after `error`
    if (this.#options.tls !== undefined || !isFirstWord || this.#lookedForTls !== 0) {
      this.#lost(error);
      return;
    }
    this.#lookedForTls = epoch;
    this.#lastFailure = error;
    const speaks = await speaksTls(this.#endpoint);
    if (epoch === this.#epoch && this.#state === 'handshaking')
      this.#lost(speaks ? serverSpeaksTls(this.#endpoint, error) : error);
  }

  #useResp(resp: RespVersion): void {
    this.#resp = resp;
    const line = this.#line!;
    this.#replies = new Replies(this.#handshakeRing, resp, {
      get redirector() {
        const { owner } = line;
        return owner.#state === 'handshaking' ? undefined : owner.redirector;
      },
      onConnectionChanged: (name, args) => {
        if (line.owner.#state !== 'handshaking') line.owner.#session.note(name, args);
      },
      takesRefused: (error, pending) => line.owner.#takesRefused(error, pending),
      onPush: (values) => line.owner.#listener.onPush?.(values),
      onMonitor: (text) => line.owner.#listener.onMonitor?.(text),
      pushMapping: () => line.owner.#listener.pushMapping?.(),
    });
    this.#decoder = new Decoder(this.#replies, this.#options.replyLimits);
  }

  async #handshake(credentials: Credentials): Promise<void> {
    const timer = new PatientTimer(this.#options.handshakeTimeout, () =>
      this.#socket?.destroy(new RedkeepError('REDKEEP_CONNECT_TIMEOUT', 'The handshake took too long')),
    );
    const { database, name, replicaReads } = this.#session;
    const options = { ...this.#options.handshake, database, name, replicaReads };
    try {
      try {
        await this.#runSteps(options, credentials, this.#resp);
      } catch (error) {
        if (this.#resp !== 3 || !lacksResp3(error)) throw error;
        // Proxies that know no HELLO may end the connection with their refusal.
        this.#helloRefused = true;
        this.#useResp(2);
        // A server without HELLO knows nothing of library names either.
        await this.#runSteps({ ...options, clientInfo: false }, credentials, 2);
      }
    } finally {
      timer.clear();
    }
  }

  async #runSteps(options: HandshakeOptions, credentials: Credentials, resp: RespVersion): Promise<void> {
    const steps = [...handshakeSteps(options, credentials, resp), ...(this.#listener.onHandshake?.() ?? [])];
    const answers = steps.map(({ command, confirmations }) =>
      this.#put(this.#handshakeRing, command, { timeout: 0 }, undefined, confirmations),
    );
    this.#writer!.write(this.#handshakeRing);
    await judgeHandshake(steps, answers);
  }

  /** The socket is gone or could not be had. Decides what becomes of commands and whether to try again. */
  #lost(error: Error, outdated = false): void {
    const wasConnecting = this.#connecting;
    this.#lastFailure = error;
    this.#epoch++;
    this.#makingWay = false;
    const refused = this.#endHold();
    this.#dropSocket();
    this.#sides.closeSpares();
    failAll(this.#handshakeRing, () => error);
    if (this.#state === 'closing') {
      for (const pending of refused) pending.detach()?.(asClientError(error));
      this.#finish(error);
      return;
    }
    for (const pending of this.#ring.rewind((p) => this.#mayRepeat(p)))
      pending.detach()?.(lostError(pending.command.spec, error));
    this.#putBack(refused);
    this.#rejectCut(error);
    const next = afterLoss(
      error,
      { retries: this.#retries, everReady: this.#everReady, outdated },
      this.#options,
      (problem) => this.#report(problem),
    );
    if ((this.#state as ConnectionState) === 'closed') return; // a listener destroyed the client
    if (typeof next !== 'number') {
      this.#connecting = undefined;
      this.#report(next);
      this.#finish(next);
      wasConnecting?.reject(next);
      return;
    }
    this.#retries++;
    this.#to('waiting');
    this.#report(error);
    if (this.#state !== 'waiting') return; // a listener destroyed the client
    this.#reconnectTimer = setTimeout(() => {
      this.#listener.onReconnecting?.();
      if (this.#state === 'waiting') void this.#open();
    }, next);
    if (!this.#referenced) this.#reconnectTimer.unref();
  }

  #mayRepeat(pending: Pending): boolean {
    const { command, group } = pending;
    if (pending.confirmations > 0) {
      pending.confirmations = command.args.length;
      return true;
    }
    const repeat =
      pending.state === PendingState.WRITTEN &&
      pending.repeatable &&
      (command.spec.flags & Flag.BLOCKING) === 0 &&
      command !== ASKING &&
      (group === undefined || group.asking) &&
      pending.retries++ < this.#options.maxRetries;
    if (repeat) this.#listener.onRetry?.(command.spec.name, pending.retries);
    return repeat;
  }

  /**
   * Transactions that do not outlive their connection: those that rely on a WATCH, which ended with it, and the rest of
   * one that was sent in part, which would run outside of its MULTI.
   */
  #rejectCut(cause: Error): void {
    for (const pending of this.#ring.unfinished()) {
      const { group } = pending;
      if (group === undefined || (!group.watched && !group.started)) continue;
      // A read whose ASKING went with the connection is sent again; the node then redirects it once more.
      if (group.asking && pending.command !== ASKING) continue;
      const reject = pending.detach();
      this.#ring.retire(pending);
      reject?.(group.watched ? new WatchError('Client reconnected after WATCH') : asClientError(cause));
    }
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

  /** {@link destroy}, by who owns it and not by the application: what was sent may have run, and the rest has not. */
  abandon(error: Error): void {
    if (this.#state !== 'closed' && this.#state !== 'idle') this.#finish(error);
  }

  #finish(error: Error): void {
    this.#epoch++;
    clearTimeout(this.#reconnectTimer);
    this.#startupTimer?.clear();
    this.#options.signal?.removeEventListener('abort', this.#onSignal);
    this.#to('closed');
    this.#abort?.abort();
    for (const pending of this.#endHold()) pending.detach()?.(asClientError(error));
    this.#dropSocket();
    failAll(this.#handshakeRing, () => error);
    failAll(this.#ring, ({ state, command }) =>
      state === PendingState.WRITTEN && !(error instanceof DisconnectsClientError)
        ? lostError(command.spec, error)
        : asClientError(error),
    );
    for (const { fail } of [...this.#readyWaiters]) fail(asClientError(error));
    this.#deadlines.stop();
    this.#unwatchCredentials?.();
    this.#unwatchCredentials = undefined;
    this.#wakeWaiters();
    this.#closed?.resolve();
    this.#closed = undefined;
    this.#listener.onEnd?.();
  }

  #dropSocket(): void {
    const socket = this.#socket;
    this.#leaving?.timer.clear();
    this.#leaving = undefined;
    this.#socket = this.#writer = this.#decoder = this.#replies = this.#line = this.#blocked = undefined;
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
    this.#sides.ref();
    this.#referenced = true;
    this.#socket?.ref();
    this.#reconnectTimer?.ref();
    this.#startupTimer?.ref();
  }

  unref(): void {
    this.#sides.unref();
    this.#referenced = false;
    this.#socket?.unref();
    this.#reconnectTimer?.unref();
    this.#startupTimer?.unref();
  }

  // ---------------------------------------------------------------- commands in

  dispatch<T>(command: Command<T>, options?: DispatchOptions): Promise<T> {
    const refused = this.#refusalOf(1);
    if (refused !== undefined) {
      if (options?.translateError !== undefined) return Promise.reject(options.translateError(refused, command));
      return refused === this.#full?.error ? this.#full.promise.then() : Promise.reject(refused);
    }
    const { tail } = this.#ring;
    let promise: Promise<T>;
    try {
      promise = this.#put(this.#ring, command, options);
    } catch (error) {
      return Promise.reject(error);
    }
    if (options?.asap === true) this.#ring.toFront(this.#ring.tail - tail);
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
    const refused = this.#refusalOf(commands.length);
    if (refused !== undefined) throw refused;
    for (const command of commands) checkArguments(command.spec.name, command.args);
    const group = options?.atomic === true ? newGroup(options.watched === true) : undefined;
    const { tail } = this.#ring;
    const promises = commands.map((command) => this.#put(this.#ring, command, options, group));
    if (group === undefined && commands.some(({ spec }) => (spec.flags & Flag.BLOCKING) !== 0))
      this.#blocked = this.#ring.at(this.#ring.tail - 1);
    if (options?.asap === true) this.#ring.toFront(this.#ring.tail - tail);
    this.#schedule();
    return promises;
  }

  /**
   * A command that waits on the server. It runs at its place among the others, whose next one gets another socket; or,
   * where the connection is in a mode that a new socket would not have, on a connection apart.
   *
   * `limit`: milliseconds from now after which the wait is ended; 0 = none. Until it is sent it waits at most the
   * command timeout.
   */
  dispatchBlocking<T>(command: Command<T>, options: DispatchOptions, limit: number): Promise<T> {
    const refused = this.#refusalOf(1);
    if (refused !== undefined) return Promise.reject(refused);
    const deadline = limit > 0 ? performance.now() + limit : 0;
    const wait = (refusals: number): Promise<T> => {
      const { epoch } = this;
      const isReady = this.#state === 'ready' && this.#replies!.hold === undefined && this.#leaving === undefined;
      const answer = isReady
        ? this.#block(command, options, deadline)
        : this.#becomesReady(command, options, limit).then(() => this.#block(command, options, deadline));
      if (refusals >= this.followsPrimary) return answer;
      return answer.catch((error: unknown) => {
        if (!(error instanceof ErrorReply) || !(isDemoted(error) || isNotServed(error))) throw error;
        if (this.epoch === epoch) this.leave(noPrimary(error));
        return wait(refusals + 1);
      });
    };
    return wait(0);
  }

  /** Rejects when the connection is not ready in time. */
  #becomesReady(command: Command, { abortSignal }: DispatchOptions, limit: number): Promise<void> {
    const { commandTimeout } = this.#options;
    const wait = Math.min(...[limit, commandTimeout].filter((ms) => ms > 0));
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        timer?.clear();
        abortSignal?.removeEventListener('abort', onAbort);
        this.#readyWaiters.delete(waiter);
        act();
      };
      const waiter: Waiter = { go: () => settle(resolve), fail: (error) => settle(() => reject(error)) };
      const onAbort = () => waiter.fail(new AbortError(abortSignal?.reason));
      const timer = Number.isFinite(wait)
        ? new PatientTimer(wait, () =>
            waiter.fail(new TimeoutError(`${command.spec.name}: not sent within the command timeout`)),
          )
        : undefined;
      this.#readyWaiters.add(waiter);
      if (abortSignal?.aborted) onAbort();
      else abortSignal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  #block<T>(command: Command<T>, options: DispatchOptions, deadline: number): Promise<T> {
    if (!this.#mayBlock()) return this.#blockApart(command, options, deadline);
    let promise: Promise<T>;
    try {
      promise = this.#put(
        this.#ring,
        command,
        { ...options, abortSignal: undefined, asap: false },
        undefined,
        0,
        deadline,
      );
    } catch (error) {
      return Promise.reject(error);
    }
    const pending = this.#ring.at(this.#ring.tail - 1);
    const line = this.#line!;
    if (options.abortSignal?.aborted) {
      this.#cancel(this.#ring, pending, new AbortError(options.abortSignal.reason));
      return promise;
    }
    pending.options = options;
    pending.watchAbort((error) => line.owner.#cancel(line.owner.#ring, pending, error));
    this.#blocked = pending;
    this.#schedule();
    return promise;
  }

  /** A new socket can take this one's place: it is in no mode, and nothing on its way changes it. */
  #mayBlock(): boolean {
    if (this.#listener.hasMode?.() === true) return false;
    for (const { command, confirmations, group } of this.#ring.unfinished())
      if (confirmations > 0 || group !== undefined || (command.spec.flags & (Flag.CONNECTION | Flag.PUBSUB)) !== 0)
        return false;
    return true;
  }

  async #blockApart<T>(command: Command<T>, options: DispatchOptions, deadline: number): Promise<T> {
    const { abortSignal } = options;
    const { identity } = this;
    if (abortSignal?.aborted) throw new AbortError(abortSignal.reason);
    const side = this.#sides.take(identity) ?? this.#newSide();
    this.#sides.use(side);
    const end = (error: Error) => {
      if (side.#state !== 'closed' && side.#state !== 'idle') side.#finish(error);
    };
    const onAbort = () => end(new AbortError(abortSignal?.reason));
    const timer =
      deadline === 0
        ? undefined
        : new PatientTimer(Math.max(1, deadline - performance.now()), () =>
            end(new TimeoutError(`${command.spec.name}: not sent within the command timeout`)),
          );
    try {
      if (side.#state === 'idle') {
        abortSignal?.addEventListener('abort', onAbort, { once: true });
        await side.connect();
      }
      timer?.clear();
      abortSignal?.removeEventListener('abort', onAbort);
      return await side.#block(command, options, deadline);
    } catch (error) {
      if (abortSignal?.aborted) throw new AbortError(abortSignal.reason);
      throw asClientError(error as Error);
    } finally {
      timer?.clear();
      abortSignal?.removeEventListener('abort', onAbort);
      this.#sides.giveBack(side, this.#isBeside(side));
    }
  }

  /** A connection of the same user, name and database, which is not made anew when it is lost. */
  #newSide(): Connection {
    const { reconnectStrategy, connectTimeout } = this.#options;
    const side: Connection = new Connection(
      {
        ...this.likeThis,
        startupTimeout: connectTimeout,
        reconnectStrategy: (retries, cause) => (side.#everReady ? false : reconnectStrategy(retries, cause)),
      },
      { onEnd: () => this.#sides.giveBack(side, false) },
    );
    side.#parent = this;
    side.redirector = this.redirector;
    if (!this.#referenced) side.unref();
    return side;
  }

  /** A command waits on this socket and another is issued: the socket moves aside with all that waits on it. */
  #makeWay(given = false): void {
    if (!given && !this.#isWaiting()) {
      this.#blocked = undefined;
      return;
    }
    this.#advance(); // what was issued before goes out before
    const spare = this.#sides.take(this.identity);
    const side = spare ?? this.#newSide();
    this.#exchange(side);
    side.#blocked = this.#blocked;
    this.#blocked = undefined;
    this.#sides.use(side);
    side.#whenIdle = () => {
      side.#whenIdle = undefined;
      side.#blocked = undefined;
      this.#sides.giveBack(side, this.#isBeside(side));
    };
    if (spare !== undefined) return;
    side.#state = this.#state;
    side.#everReady = true;
    side.#endpoint = this.#endpoint;
    side.#watchCredentials();
    this.#makingWay = true;
    this.#to('waiting');
    void this.#open();
  }

  /** It leads to the server of this connection, which is the one to use. */
  #isBeside({ endpoint }: Connection): boolean {
    return this.isReady && this.#leaving === undefined && sameEndpoint(endpoint, this.#endpoint);
  }

  #isWaiting(): boolean {
    for (const pending of this.#ring.unfinished()) if (pending === this.#blocked) return true;
    return false;
  }

  #exchange(other: Connection): void {
    [this.#socket, other.#socket] = [other.#socket, this.#socket];
    [this.#writer, other.#writer] = [other.#writer, this.#writer];
    [this.#decoder, other.#decoder] = [other.#decoder, this.#decoder];
    [this.#replies, other.#replies] = [other.#replies, this.#replies];
    [this.#ring, other.#ring] = [other.#ring, this.#ring];
    [this.#line, other.#line] = [other.#line, this.#line];
    [this.#lastRead, other.#lastRead] = [other.#lastRead, this.#lastRead];
    [this.#resp, other.#resp] = [other.#resp, this.#resp];
    if (this.#line !== undefined) this.#line.owner = this;
    if (other.#line !== undefined) other.#line.owner = other;
    for (const { deadline } of other.#ring.unfinished()) other.#deadlines.keep(deadline);
  }

  /** A command that waits on the server is given up: only the end of its socket ends the wait there. */
  #endWait(error: Error): void {
    if (this.#parent !== undefined || this.#blocked === undefined || this.#state !== 'ready') {
      this.#lost(error);
      return;
    }
    const line = this.#line!;
    this.#makeWay(true);
    line.owner.#lost(error);
  }

  /** Finishes what waits on the server on sockets apart. */
  closeSides(): Promise<void> {
    return this.#sides.close();
  }
  destroySides(): void {
    this.#sides.destroy();
  }

  /** SUBSCRIBE and its like, answered by `confirmations` pushes. Resolves after the last. */
  dispatchSubscription(command: Command, confirmations: number): Promise<void> {
    const refused = this.#refusalOf(1);
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

  /** {@link drop}, because another server is primary now: this one may still answer what it was sent, and refuse it. */
  leave(reason: Error): void {
    if (this.#leaving !== undefined) return;
    if (this.#state === 'ready' && this.#blocked !== undefined) this.#makeWay();
    if (this.#state === 'ready') {
      this.#startLeaving(reason);
      this.#leaveWhenAnswered();
    } else this.drop(reason);
  }

  #startLeaving(reason: Error): void {
    this.#leaving = { reason, timer: new PatientTimer(LEAVE_PATIENCE, () => this.#lost(reason)) };
  }

  #leaveWhenAnswered(): void {
    if (this.#leaving === undefined) return;
    const ring = this.#ring;
    for (let cursor = ring.head; cursor < ring.sent; cursor++)
      if (ring.at(cursor).state === PendingState.WRITTEN) return;
    this.#lost(this.#leaving.reason);
  }

  /** A command that another connection gave up; `asking` for a slot that is being imported here. */
  adopt(pending: Pending, asking = false): void {
    if (pending.reject === undefined) return; // its caller gave up meanwhile
    const refused = this.#refusalOf(1) ?? pending.overdue();
    if (refused !== undefined) {
      pending.detach()?.(refused);
      return;
    }
    if (asking) {
      const group = newGroup(false, true);
      const before = new Pending(ASKING, NO_OPTIONS, undefined, undefined, 0, 0);
      before.group = pending.group = group;
      this.#ring.push(before);
    }
    pending.watchAbort((error) => this.#cancel(this.#ring, pending, error));
    this.#ring.push(pending);
    this.#deadlines.keep(pending.deadline);
    this.#schedule();
  }

  /** Takes out what was not sent, transactions excepted, for other connections to {@link adopt}. */
  takeUnsent(): Pending[] {
    const taken = this.#ring.takeUnsent(
      ({ state, confirmations, group }) =>
        state === PendingState.WAITING && confirmations === 0 && (group === undefined || group.asking),
    );
    for (const pending of taken) pending.park();
    return taken.filter(({ reject }) => reject !== undefined);
  }

  /** Rejects everything that was not sent: nobody wants to wait for a connection any longer. */
  rejectUnsent(error: Error): void {
    const unsent = this.#ring.takeUnsent(({ state }) => state === PendingState.WAITING);
    for (const reject of unsent.map((pending) => pending.detach())) reject?.(error);
    this.#wakeWaiters();
  }

  /** RESET, then the handshake anew: ends subscriptions, MONITOR and WATCH; name, database and user as created. */
  async reset(): Promise<void> {
    const { handshake } = this.#options;
    this.#session.reset(handshake);
    const credentials = await this.#currentCredentials();
    const steps = handshakeSteps(handshake, credentials, this.#resp);
    const commands = [RESET, ...steps.map((step) => step.command)];
    const results = await Promise.allSettled(this.dispatchAll(commands, { atomic: true }));
    for (const [i, result] of results.entries()) {
      if (result.status === 'fulfilled' || (steps[i - 1]?.optional && result.reason instanceof ErrorReply)) continue;
      throw handshakeError(result.reason, commands[i]!.spec.name);
    }
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
    if (this.#refusalOf(1) === undefined || this.#state === 'closed') return Promise.resolve();
    return new Promise((resolve) => this.#roomWaiters.push(resolve));
  }

  /** Changes an option of a live connection, by its public name. False: the option cannot act now. */
  change(name: string, value: unknown): boolean {
    const options = this.#options as { -readonly [K in keyof ConnectionOptions]: ConnectionOptions[K] };
    switch (name) {
      case 'disableOfflineQueue':
        options.offlineQueue = value !== true;
        return true;
      case 'commandsQueueMaxLength':
        options.maxCommands = value as number;
        return true;
      case 'maxRetriesPerCommand':
        options.maxRetries = value as number;
        return true;
      case 'socket.connectTimeout':
        options.connectTimeout = value as number;
        return true;
      case 'socket.reconnectStrategy':
        options.reconnectStrategy = strategyOf(value as Parameters<typeof strategyOf>[0]);
        options.startupTimeout = Number.POSITIVE_INFINITY;
        return true;
      default:
        return false;
    }
  }

  /** The database to restore after a reconnect, when a transaction changed it. */
  remember(database: number): void {
    this.#session.database = database;
  }

  /** Whether a node of a cluster answers reads as a replica. */
  readAsReplica(on: boolean): void {
    this.#session.replicaReads = on;
    if (this.#state !== 'ready' && this.#state !== 'handshaking') return; // the next handshake does
    this.#put(this.#ring, on ? READONLY : READWRITE, { idempotent: true }).catch((error: Error) => {
      if (error instanceof ErrorReply) this.#report(error);
    });
    this.#schedule();
  }

  /** Options for another connection with this one's user, name and database of now. */
  get likeThis(): ConnectionOptions {
    const { credentials, handshake } = this.#options;
    const { database, name, replicaReads } = this.#session;
    return {
      ...this.#options,
      credentials: this.#session.source(credentials),
      handshake: { ...handshake, database, name, replicaReads },
    };
  }
  /** Changes whenever {@link likeThis} does. */
  get identity(): string {
    return this.#session.identity;
  }

  #refusalOf(count: number): Error | undefined {
    const { maxCommands, maxQueueBytes } = this.#options;
    switch (this.#state) {
      case 'ready':
        if (this.#blocked !== undefined) this.#makeWay();
        break;
      case 'idle':
      case 'closing':
      case 'closed':
        return new ClientClosedError();
      default:
        if (!this.#options.offlineQueue && !this.#makingWay) return new ClientOfflineError();
    }
    if (this.#ring.size + count > maxCommands) return this.#isFull(`${maxCommands} commands`);
    if (this.#ring.held >= maxQueueBytes) return this.#isFull(`${maxQueueBytes} bytes`);
    return undefined;
  }

  /**
   * One error, and one promise that others follow, for all that is refused in a row: errors of their own, with a stack
   * each, would hold more memory than the bound that they protect.
   */
  #isFull(limit: string): Error {
    if (this.#full?.limit === limit) return this.#full.error;
    const error = new QueueFullError(limit);
    const promise = Promise.resolve().then(() => {
      if (this.#full?.error === error) this.#full = undefined;
      throw error;
    });
    promise.catch(() => {});
    this.#full = { limit, error, promise };
    return error;
  }

  #put<T>(
    ring: PendingRing,
    command: Command<T>,
    options: DispatchOptions = NO_OPTIONS,
    group?: Group,
    confirmations = 0,
    until = 0,
  ): Promise<T> {
    const { spec, args } = command;
    const bytes = COMMAND_BYTES + checkArguments(spec.name, args);
    const { abortSignal, timeout = this.#options.commandTimeout } = options;
    if (abortSignal?.aborted) return Promise.reject(new AbortError(abortSignal.reason));
    let deadline = 0;
    if (timeout > 0 && (spec.flags & Flag.BLOCKING) === 0) deadline = this.#deadlines.add(timeout);
    else if (until > 0) {
      deadline = Math.ceil(until);
      this.#deadlines.keep(deadline);
    }
    const promise = new Promise<unknown>(capture) as Promise<T>;
    const pending = new Pending(command, options, capturedResolve, capturedReject, deadline, bytes);
    if (group !== undefined) {
      pending.group = group;
      group.members?.push(pending);
    }
    if (confirmations > 0) pending.confirmations = confirmations;
    ring.push(pending);
    if (abortSignal !== undefined) pending.watchAbort((error) => this.#cancel(ring, pending, error));
    return promise;
  }

  /** The caller gets `error` now. Not written: the command is gone. Written: its reply will be dropped. */
  #cancel(ring: PendingRing, pending: Pending, error: Error): void {
    const { group, confirmations, state } = pending;
    const reject = pending.detach();
    // A transaction of which nothing was sent is never sent; of one that was begun nothing is taken out. A
    // subscription's answers are counted by its entry. Where the entry stays, only its caller stops waiting.
    if (group !== undefined && !group.started) group.cancelled = error;
    const waits =
      state === PendingState.WRITTEN && group === undefined && (pending.command.spec.flags & Flag.BLOCKING) !== 0;
    if (state === PendingState.WRITTEN ? confirmations === 0 : group?.started !== true) ring.retire(pending);
    reject?.(error);
    if (waits && ring === this.#ring) this.#endWait(error);
    this.#wakeWaiters();
  }

  // ---------------------------------------------------------------- bytes out

  /** Once a turn: what callers issue until then goes out in one write. */
  #schedule(): void {
    if (fillsBatch(this.#ring)) this.#advance();
    if (this.#scheduled) return;
    this.#scheduled = true;
    nextTick(this.#flush);
  }

  readonly #flush = (): void => {
    this.#scheduled = false;
    this.#deadlines.tick();
    this.#advance();
  };

  #advance(): void {
    if (this.#state !== 'ready' && this.#state !== 'closing') return;
    if (this.#replies!.hold === undefined && this.#leaving === undefined) this.#writer!.write(this.#ring);
    if (this.#state === 'closing' && this.#ring.size === 0) {
      const socket = this.#socket;
      this.#socket = undefined; // let it end in peace
      if (socket !== undefined) endInPeace(socket);
      this.#finish(new ClientClosedError());
    }
  }

  // ---------------------------------------------------------------- bytes in

  #read(bytes: number, buffer: Buffer): void {
    const replies = this.#replies!;
    this.#readCount = (this.#readCount + 1) | 0;
    replies.replied = false;
    try {
      this.#decoder!.write(buffer, bytes);
      // Pushes alone do not show that answers will come.
      if (replies.replied || !replies.hasPushes) this.#lastRead = performance.now();
    } catch (error) {
      deliver(replies);
      const tls = this.#state === 'handshaking' && this.#options.tls === undefined && isTlsRecord(buffer);
      this.#lost(tls ? serverSpeaksTls(this.#endpoint, error) : (error as Error));
      return;
    }
    const refused = deliver(replies);
    if (refused !== undefined && this.#replies === replies) {
      this.#lost(refused);
      return;
    }
    if (this.#replies === replies) {
      if (this.#leaving !== undefined) this.#leaveWhenAnswered();
      else if (replies.hold !== undefined) this.#afterRefusals(replies.hold);
    }
    if (this.#whenIdle !== undefined && this.#ring.size === 0) this.#whenIdle();
    if (this.#roomWaiters.length > 0) this.#wakeWaiters();
    if (this.#state === 'closing') this.#advance();
  }

  // ---------------------------------------------------------------- a server that is not ready

  /** The server ran nothing of this command and will later: it is kept, and nothing else is sent until then. */
  #takesRefused(error: ErrorReply, pending: Pending): boolean {
    const isConnected = this.#state === 'ready' || this.#state === 'closing';
    if (!isConnected || !this.#options.offlineQueue || pending.options.atOnce === true) return false;
    const demoted = isDemoted(error);
    if (demoted && this.#parent !== undefined) return this.#parent.#takesFromSide(pending);
    // What waits on the server is issued anew: the next one must not stand behind it.
    if (demoted && (isBlocking(pending) || ++pending.redirects > this.followsPrimary)) return false;
    const replies = this.#replies!;
    const hold = replies.hold ?? new Hold(error, this.followsPrimary > 0);
    if (!hold.add(pending, error)) return false;
    replies.hold = hold;
    if (demoted && this.#leaving === undefined) this.#startLeaving(noPrimary(error));
    pending.watchAbort((reason) => pending.detach()?.(reason));
    this.#deadlines.keep(pending.deadline);
    return true;
  }

  #takesFromSide(pending: Pending): boolean {
    if (isBlocking(pending) || pending.group !== undefined || ++pending.redirects > this.followsPrimary) return false;
    pending.park();
    setImmediate(() => this.adopt(pending));
    return true;
  }

  /** When all that is on its way is answered: what was refused goes in front of what waits, and one is tried again. */
  #afterRefusals(hold: Hold): void {
    const ring = this.#ring;
    if (ring.head < ring.sent) return;
    const { isOver } = hold;
    this.#putBack(hold.take());
    if (isOver || ring.size === 0) {
      this.#replies!.hold = undefined;
      this.#advance();
      for (const { go } of [...this.#readyWaiters]) go();
      return;
    }
    const line = this.#line!;
    hold.wait((attempt) => {
      const { owner } = line;
      if (owner.#line === line && owner.#replies?.hold === hold) owner.#tryAgain(hold, attempt);
    });
  }

  #tryAgain(hold: Hold, attempt: number): void {
    const ring = this.#ring;
    const end = ring.endOfFirst();
    if (end > ring.sent) this.#listener.onRetry?.(ring.at(end - 1).command.spec.name, attempt);
    this.#writer!.write(ring, end);
    this.#afterRefusals(hold);
  }

  #endHold(): Pending[] {
    const hold = this.#replies?.hold;
    if (hold === undefined) return [];
    this.#replies!.hold = undefined;
    return hold.end();
  }

  /** To where they were: in front of all that was not sent. */
  #putBack(refused: readonly Pending[]): void {
    for (const pending of refused) {
      pending.watchAbort((error) => this.#cancel(this.#ring, pending, error));
      this.#deadlines.keep(pending.deadline);
    }
    this.#ring.putBack(refused);
  }

  // ---------------------------------------------------------------- time

  /** Rejects what is due; returns the earliest deadline that is left. */
  #expire(now: number): number {
    let earliest = Number.POSITIVE_INFINITY;
    let stuck = false;
    const ring = this.#ring;
    const hold = this.#replies?.hold;
    for (const pending of ring.unfinished()) {
      // A wait that was given up took the socket, with all that is in this ring, elsewhere.
      if (ring !== this.#ring) break;
      const { state, group, deadline } = pending;
      if (state === PendingState.DISCARDED) stuck = true;
      if (group?.cancelled !== undefined) {
        this.#cancel(this.#ring, pending, group.cancelled);
        continue;
      }
      if (deadline === 0) continue;
      if (deadline > now) {
        if (deadline < earliest) earliest = deadline;
        continue;
      }
      const written = state === PendingState.WRITTEN;
      if (written) stuck = true;
      const { spec, args } = pending.command;
      const late = new TimeoutError(
        written || group?.started
          ? `${spec.name}: no answer within the command timeout`
          : `${spec.name}: not sent within the command timeout`,
        hold?.refusal,
      );
      this.#cancel(this.#ring, pending, hold?.refusalOf(pending)?.redact(spec.name, args) ?? late);
    }
    if (ring !== this.#ring) return this.#expire(now);
    if (hold !== undefined) earliest = Math.min(earliest, hold.expire(now));
    ring.trim();
    this.#leaveWhenAnswered();
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

  /**
   * New credentials for a live connection: AUTH in place; nothing is dropped, nothing waits. One at a time, and the last
   * that were announced last, so that the connection ends up as who was announced last.
   */
  async #reauthenticate(credentials: Credentials): Promise<void> {
    this.#announced = credentials;
    const line = this.#line;
    if (line !== undefined && this.#authenticating === line) return; // the one under way goes on with these
    if (this.#state !== 'ready') {
      this.#missed = credentials; // the next handshake asks for them; one under way did so too early
      return;
    }
    this.#authenticating = line;
    for (let next = credentials; ; next = this.#announced) {
      await this.#authenticate(next);
      // Another socket asked for the credentials of its own time.
      if (this.#line !== line || this.#state !== 'ready' || this.#announced === next) break;
    }
    if (this.#authenticating === line) this.#authenticating = undefined;
  }

  async #authenticate(credentials: Credentials): Promise<void> {
    // In RESP2 a subscribed connection takes no AUTH. It stays who it is, and its next handshake uses the new ones.
    if (this.#replies!.messagesAreReplies) return;
    try {
      if (!isCredentials(credentials))
        throw new RedkeepError('REDKEEP_CREDENTIALS_UNAVAILABLE', 'The credential provider announced no credentials');
      const [step] = handshakeSteps(
        { ...this.#options.handshake, name: undefined, clientInfo: false, database: 0, replicaReads: false },
        credentials,
        2,
      );
      if (step === undefined) return;
      // Without a timeout: behind a command that blocks on the server its answer may take as long as that.
      const answer = this.#put(this.#ring, step.command, { idempotent: true, timeout: 0 });
      this.#ring.toFront(1);
      this.#schedule();
      await answer;
      this.#session.authenticated = undefined; // the source knows them
      this.#listener.onReauthenticated?.();
    } catch (error) {
      // Held up (behind a command that blocks, say) and overtaken by the next ones: nobody needs these any more.
      if (credentials === this.#announced) this.#report(handshakeError(error, 'AUTH') as Error);
    }
  }
}

function noPrimary(cause: ErrorReply): RedkeepError {
  return new RedkeepError('REDKEEP_WRONG_ROLE', 'The primary became a replica', { cause });
}

function isBlocking({ command }: Pending): boolean {
  return (command.spec.flags & Flag.BLOCKING) !== 0;
}

/** Milliseconds for the peer to end its side. */
const FAREWELL_MS = 1000;

/** Ends a socket that nobody waits for: a peer that has gone silent must not keep the process alive. */
function endInPeace(socket: Socket | TLSSocket): void {
  socket.removeAllListeners('drain').removeAllListeners('close');
  const timer = setTimeout(() => socket.destroy(), FAREWELL_MS).unref();
  socket.once('close', () => clearTimeout(timer));
  socket.unref();
  socket.end();
}

/** What listeners and servers do wrong with a push is reported, and ends at most the connection. */
function deliver(replies: Replies): Error | undefined {
  try {
    replies.deliverPushes();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

function isCredentials(value: unknown): value is Credentials {
  if (typeof value !== 'object' || value === null) return false;
  const { username, password } = value as { username?: unknown; password?: unknown };
  return (
    (username === undefined || typeof username === 'string') &&
    (password === undefined || typeof password === 'string' || password instanceof Secret)
  );
}

/** Rejects with `late()` when the promise takes longer. */
function settledWithin<T>(promise: T | Promise<T>, ms: number, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = ms > 0 ? new PatientTimer(ms, () => reject(late())) : undefined;
    Promise.resolve(promise)
      .then(resolve, reject)
      .finally(() => timer?.clear());
  });
}

function failAll(ring: PendingRing, errorOf: (pending: Pending) => Error): void {
  // Empty the ring before rejecting: a rejection handler may dispatch new commands.
  const failed = ring.clear().map((pending) => [pending.detach(), errorOf(pending)] as const);
  for (const [reject, error] of failed) reject?.(error);
}
