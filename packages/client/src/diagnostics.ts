/**
 * Every diagnostics channel. Messages carry command names, sizes, durations and outcomes: never arguments, so that a
 * subscriber cannot leak what it never had.
 */
import diagnostics_channel from 'node:diagnostics_channel';

/** `{ command, server, bytes, durationMs, ok, errorCode }` after each command. */
export const commandChannel = diagnostics_channel.channel('redkeep:command');
/** `{ server, state, errorCode }` at connect, ready, error, end. */
export const connectionChannel = diagnostics_channel.channel('redkeep:connection');

export interface CommandMessage {
  readonly command: string;
  /** Host and port, or the socket's path. */
  readonly server: string;
  readonly durationMs: number;
  readonly ok: boolean;
  readonly errorCode: string | undefined;
}

export interface ConnectionMessage {
  readonly server: string;
  readonly event: 'connect' | 'ready' | 'error' | 'end' | 'reconnecting';
  readonly errorCode: string | undefined;
}
