/**
 * Connections for commands that may wait on the server (BLPOP, XREAD BLOCK, WAIT …), so that these hold up nobody
 * else. They have the user, name and database that the main connection has at that moment.
 */
import type { Command } from '../commands/command.js';
import { AbortError, TimeoutError } from '../errors.js';
import { Connection, type DispatchOptions } from './connection.js';

/** Idle connections that are kept. */
const MAX_IDLE = 4;

export class BlockingConnections {
  readonly #main: Connection;
  #idle: { readonly connection: Connection; readonly identity: string }[] = [];
  readonly #busy = new Set<Connection>();

  constructor(main: Connection) {
    this.#main = main;
  }

  /**
   * A timeout that the caller gives is a bound on the whole wait; the default one for commands is not applied, since
   * the command names its own.
   */
  async dispatch<T>(command: Command<T>, options: DispatchOptions, timeout: number | undefined): Promise<T> {
    const { abortSignal } = options;
    if (abortSignal?.aborted) throw new AbortError(abortSignal.reason);
    const { identity } = this.#main;
    const connection = this.#take(identity);
    this.#busy.add(connection);
    let reason: Error | undefined;
    // The server answers a blocked command when it will; ending its connection is what ends it.
    const end = (error: Error) => {
      reason = error;
      if (connection.state !== 'closed' && connection.state !== 'idle') connection.destroy();
    };
    const onAbort = () => end(new AbortError(abortSignal?.reason));
    abortSignal?.addEventListener('abort', onAbort, { once: true });
    const timer =
      timeout === undefined || timeout <= 0
        ? undefined
        : setTimeout(
            () => end(new TimeoutError(`${command.spec.name}: no answer within the command timeout`)),
            timeout,
          );
    try {
      if (connection.state === 'idle') await connection.connect();
      return await connection.dispatch(command, { ...options, abortSignal: undefined });
    } catch (error) {
      throw reason ?? error;
    } finally {
      clearTimeout(timer);
      abortSignal?.removeEventListener('abort', onAbort);
      this.#busy.delete(connection);
      this.#giveBack(connection, identity);
    }
  }

  #take(identity: string): Connection {
    for (let found = this.#idle.pop(); found !== undefined; found = this.#idle.pop()) {
      if (found.identity === identity && found.connection.state === 'ready') return found.connection;
      if (found.connection.state === 'ready') void found.connection.close();
    }
    return new Connection({ ...this.#main.likeThis, reconnectStrategy: () => false });
  }

  #giveBack(connection: Connection, identity: string): void {
    if (connection.state !== 'ready') return;
    if (this.#main.state === 'ready' && this.#idle.length < MAX_IDLE) this.#idle.push({ connection, identity });
    else void connection.close();
  }

  /** The main connection is going: what still blocks is ended, since nobody may wait for it any more. */
  destroy(): void {
    const idle = this.#idle;
    this.#idle = [];
    for (const connection of [...idle.map((entry) => entry.connection), ...this.#busy])
      if (connection.state !== 'closed' && connection.state !== 'idle') connection.destroy();
  }

  /** Lets blocked commands finish. */
  async close(): Promise<void> {
    const idle = this.#idle;
    this.#idle = [];
    const closing = [...idle.map((entry) => entry.connection), ...this.#busy].filter(({ state }) => state === 'ready');
    await Promise.all(closing.map((connection) => connection.close()));
  }
}
