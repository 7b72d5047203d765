import type { Command } from './commands/command.js';
import type { DispatchOptions } from './connection/connection.js';

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
