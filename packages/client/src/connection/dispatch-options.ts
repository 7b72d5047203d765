import type { Command } from '../commands/command.js';
import type { TypeMapping } from '../protocol/types.js';

/** How one command is run, whatever runs it. */
export interface DispatchOptions {
  /** Milliseconds from call to reply; 0 = no limit. @default that of the connection */
  readonly timeout?: number;
  /** Rejects the command with `AbortError` when it fires; what was sent is not called back from the server. */
  readonly abortSignal?: AbortSignal;
  readonly typeMapping?: TypeMapping;
  /** Goes before everything that is queued and not written. @default false */
  readonly asap?: boolean;
  /** Running the command twice does no harm: it may be sent again after a lost connection. @default false for writes */
  readonly idempotent?: boolean;
  /** Rejects when the server is not ready (it loads its data, say) instead of waiting. For the package's own questions. */
  readonly atOnce?: boolean;
  /** Called with the error that the command rejects with; returns the error that its caller gets. */
  readonly translateError?: (error: unknown, command: Command) => unknown;
}
