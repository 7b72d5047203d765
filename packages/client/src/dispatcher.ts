import type { Command } from './commands/command.js';
import type { Connection, DispatchOptions } from './connection/connection.js';
import type { RedisArgument } from './protocol/types.js';
import type { CommandPolicy } from './security/command-policy.js';

/**
 * Everything that can run a command: a connection, a client, a pool, a cluster, a sentinel-managed client. Public
 * clients only bind command functions to one, so each command exists once and works everywhere.
 */
export interface Dispatcher {
  dispatch<T>(command: Command<T>, options?: DispatchOptions): Promise<T>;
  /** Finishes what is in flight. */
  close(): Promise<void>;
  /** Now; what is unanswered rejects. */
  destroy(): void;
}

/** What a transaction needs of the client that it was made on. */
export interface TransactionTarget {
  readonly options: { readonly policy: CommandPolicy; readonly keyPrefix: RedisArgument | undefined };
  /**
   * Calls `use` with the one connection that all these commands belong to; may call it again with another one when a
   * server refused the whole without running any of it.
   */
  withConnection<T>(
    commands: readonly Command[],
    use: (connection: Connection, asking?: boolean) => Promise<T>,
  ): Promise<T>;
  /**
   * A transaction begins: true when its connection watches keys.
   * @throws WatchError when the WATCH no longer holds
   */
  beginTransaction?(): boolean;
  /** Sends the commands back to back, not as one transaction. */
  pipeline(
    commands: readonly Command[],
    options?: DispatchOptions,
  ): readonly Promise<unknown>[] | Promise<readonly Promise<unknown>[]>;
}
