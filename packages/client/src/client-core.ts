/** What a client is made of, behind its public face: the policy gate, the connection and the events. */
import type { EventEmitter } from 'node:events';
import { Command, Flag, spec } from './commands/command.js';
import { Connection, type ConnectionListener, type DispatchOptions } from './connection/connection.js';
import { describeEndpoint } from './connection/transport.js';
import { type CommandMessage, type ConnectionMessage, commandChannel, connectionChannel } from './diagnostics.js';
import type { Dispatcher, TransactionTarget } from './dispatcher.js';
import type { ResolvedOptions } from './options.js';
import type { RedisArgument } from './protocol/types.js';

export class ClientCore implements Dispatcher, TransactionTarget {
  readonly options: ResolvedOptions;
  readonly connection: Connection;
  readonly emitter: EventEmitter;
  readonly server: string;
  /** Commands that may wait on the server run here, so that they hold up nobody else. Made on first use. */
  readonly #blocking: Connection[] = [];
  #pingTimer: NodeJS.Timeout | undefined;
  /** What a borrower of this client may have left on the connection. */
  #left: 'nothing' | 'watch' | 'state' = 'nothing';

  constructor(options: ResolvedOptions, emitter: EventEmitter) {
    this.options = options;
    this.emitter = emitter;
    this.server = describeEndpoint(options.connection.endpoint);
    this.connection = new Connection(options.connection, this.#listener());
  }

  #listener(): ConnectionListener {
    const event = (name: ConnectionMessage['event'], error?: Error) => {
      if (connectionChannel.hasSubscribers) {
        const message: ConnectionMessage = { server: this.server, event: name, errorCode: errorCode(error) };
        connectionChannel.publish(message);
      }
    };
    return {
      onConnect: () => {
        event('connect');
        this.emitter.emit('connect');
      },
      onReady: () => {
        event('ready');
        this.#startPing();
        this.emitter.emit('ready');
      },
      onEnd: () => {
        event('end');
        clearInterval(this.#pingTimer);
        this.emitter.emit('end');
      },
      onError: (error) => {
        event('error', error);
        clearInterval(this.#pingTimer);
        // Without a listener Node would end the process for a passing network failure.
        if (this.emitter.listenerCount('error') > 0) this.emitter.emit('error', error);
      },
      onReauthenticated: () => this.emitter.emit('reauthenticated'),
      onReconnecting: () => {
        event('reconnecting');
        this.emitter.emit('reconnecting');
      },
    };
  }

  dispatch<T>(command: Command<T>, options: DispatchOptions = this.options.commandOptions): Promise<T> {
    const { flags } = command.spec;
    if ((flags & PLAIN) === 0) this.#noteState(command.spec.name);
    const refused = this.options.policy.refuse(command.spec);
    if (refused !== undefined) return Promise.reject(refused);
    const prefixed = this.options.keyPrefix === undefined ? command : prefixKeys(command, this.options.keyPrefix);
    const promise =
      (flags & Flag.BLOCKING) === 0
        ? this.connection.dispatch(prefixed, options)
        : this.#dispatchBlocking(prefixed, options);
    return commandChannel.hasSubscribers ? this.#observe(prefixed, promise) : promise;
  }

  #noteState(name: string): void {
    if (name === 'WATCH' && this.#left === 'nothing') this.#left = 'watch';
    else if (LEAVES_STATE.has(name)) this.#left = 'state';
  }

  /** False when what a borrower left behind cannot be undone: the client is not fit for another. */
  async clean(): Promise<boolean> {
    if (this.#left === 'watch') await this.connection.dispatch(UNWATCH);
    if (this.#left === 'state') return false;
    this.#left = 'nothing';
    return true;
  }

  withConnection<T>(_: readonly Command[], use: (connection: Connection) => Promise<T>): Promise<T> {
    return use(this.connection);
  }

  pipeline(commands: readonly Command[], options?: DispatchOptions): Promise<unknown>[] {
    return this.connection.dispatchAll(commands, options);
  }

  #observe<T>(command: Command<T>, promise: Promise<T>): Promise<T> {
    const started = performance.now();
    const publish = (error?: Error) => {
      const message: CommandMessage = {
        command: command.spec.name,
        server: this.server,
        durationMs: performance.now() - started,
        ok: error === undefined,
        errorCode: errorCode(error),
      };
      commandChannel.publish(message);
    };
    promise.then(
      () => publish(),
      (error) => publish(error),
    );
    return promise;
  }

  async #dispatchBlocking<T>(command: Command<T>, options: DispatchOptions): Promise<T> {
    const idle = this.#blocking.pop();
    const connection = idle ?? new Connection({ ...this.options.connection, reconnectStrategy: () => false });
    const { abortSignal } = options;
    if (abortSignal?.aborted) return connection.dispatch(command, options);
    // The server answers a blocked command when it will; ending its connection is what ends it.
    const onAbort = () => connection.destroy();
    try {
      if (idle === undefined) await connection.connect();
      const answer = connection.dispatch(command, options);
      abortSignal?.addEventListener('abort', onAbort, { once: true });
      return await answer;
    } finally {
      abortSignal?.removeEventListener('abort', onAbort);
      if (
        connection.state === 'ready' &&
        this.connection.state === 'ready' &&
        this.#blocking.length < MAX_IDLE_BLOCKING
      )
        this.#blocking.push(connection);
      else if (connection.state === 'ready') await connection.close();
    }
  }

  #startPing(): void {
    const { pingInterval } = this.options;
    clearInterval(this.#pingTimer);
    if (pingInterval <= 0) return;
    this.#pingTimer = setInterval(() => {
      this.connection.dispatch(PING).then(
        (reply) => this.emitter.emit('ping-interval', reply),
        (error) => this.emitter.emit('error', error),
      );
    }, pingInterval).unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#pingTimer);
    await Promise.all([this.connection.close(), ...this.#blocking.splice(0).map((connection) => connection.close())]);
  }

  destroy(): void {
    clearInterval(this.#pingTimer);
    for (const connection of this.#blocking.splice(0)) if (connection.state !== 'closed') connection.destroy();
    this.connection.destroy();
  }
}

/** Idle connections kept for blocking commands. */
const MAX_IDLE_BLOCKING = 4;
/** Commands with one of these flags leave nothing behind on the connection. */
const PLAIN = Flag.READONLY | Flag.WRITE | Flag.REPEATABLE;
const LEAVES_STATE = new Set(
  'SELECT,AUTH,HELLO,MULTI,MONITOR,SUBSCRIBE,PSUBSCRIBE,SSUBSCRIBE,CLIENT REPLY,CLIENT SETNAME,CLIENT TRACKING,CLIENT CACHING,CLIENT NO-EVICT,CLIENT NO-TOUCH,READONLY,READWRITE,ASKING,RESET,SCRIPT DEBUG'.split(
    ',',
  ),
);
const UNWATCH = new Command(spec('UNWATCH'), []);
const PING = new Command(spec('PING'), []);

function errorCode(error: Error | undefined): string | undefined {
  return error === undefined ? undefined : ((error as { code?: string }).code ?? error.name);
}

/** The same command on prefixed keys. */
export function prefixKeys<T>(command: Command<T>, prefix: RedisArgument): Command<T> {
  const args = command.args.slice();
  for (const position of command.spec.keys(args)) {
    const key = args[position];
    if (typeof key === 'string' && typeof prefix === 'string') args[position] = prefix + key;
    else if (typeof key === 'string' || Buffer.isBuffer(key))
      args[position] = Buffer.concat([Buffer.from(prefix), Buffer.from(key as string)]);
  }
  return new Command<T>(command.spec, args, command.preserve);
}
