import type { TypeMapping } from '../protocol/types.js';

/** How one command is run, whatever runs it. */
export interface DispatchOptions {
  /** Milliseconds, 0 = none; default the connection's. */
  readonly timeout?: number;
  readonly abortSignal?: AbortSignal;
  readonly typeMapping?: TypeMapping;
  /** Before all that is queued and not written. */
  readonly asap?: boolean;
  /** The caller declares that running the command twice does no harm. */
  readonly idempotent?: boolean;
  /** Called with the error that the command rejects with; returns the error that its caller gets. */
  readonly translateError?: (error: unknown) => unknown;
}
