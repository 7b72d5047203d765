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

/** The same promise; what becomes of it is published, when somebody listens. */
export function observed<P extends Promise<unknown>>(command: string, server: string, promise: P): P {
  if (!commandChannel.hasSubscribers) return promise;
  const started = performance.now();
  const publish = (error?: Error) => {
    const message: CommandMessage = {
      command,
      server,
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

/** A stable code where the error has one. */
export function errorCode(error: Error | undefined): string | undefined {
  return error === undefined ? undefined : ((error as { code?: string }).code ?? error.name);
}
