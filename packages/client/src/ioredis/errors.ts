/** Errors under the names and texts that packages written for ioredis look for. Codes and hints are Redkeep's. */
import type { Command } from '../commands/command.js';
import {
  ClientClosedError,
  ClientOfflineError,
  DisconnectsClientError,
  ErrorReply,
  MaybeExecutedError,
  RedkeepError,
  SocketClosedUnexpectedlyError,
  TimeoutError,
} from '../errors.js';

/** ioredis's text for a command on a closed connection. Packages compare it. */
export const CONNECTION_CLOSED_ERROR_MSG = 'Connection is closed.';

/** The server answered with an error. `message` never quotes the command's arguments; see `serverMessage`. */
export const ReplyError = ErrorReply;
export type ReplyError = ErrorReply;

/** Rejects commands that waited for as many reconnection attempts as `maxRetriesPerRequest` allows. */
export class MaxRetriesPerRequestError extends RedkeepError {
  static override readonly name: string = 'MaxRetriesPerRequestError';
  constructor(maxRetriesPerRequest: number, cause?: unknown) {
    super(
      'REDKEEP_CLIENT_OFFLINE',
      `Reached the max retries per request limit (which is ${maxRetriesPerRequest}). Refer to "maxRetriesPerRequest" option for details.`,
      { cause },
    );
  }
}

/** No node of a cluster answered CLUSTER SLOTS. */
export class ClusterAllFailedError extends RedkeepError {
  static override readonly name: string = 'ClusterAllFailedError';
  static readonly defaultMessage = 'Failed to refresh slots cache.';
  readonly lastNodeError: unknown;
  constructor(message: string, lastNodeError: unknown) {
    super('REDKEEP_NO_NODE', message, { cause: lastNodeError });
    this.lastNodeError = lastNodeError;
  }
}

export function connectionClosed(cause?: unknown): RedkeepError {
  return new RedkeepError('REDKEEP_CLIENT_CLOSED', CONNECTION_CLOSED_ERROR_MSG, { cause });
}

/** A command as `error.command` shows it. */
export interface FailedCommand {
  readonly name: string;
  /** `<argument>` each, unless the client has `argumentsInErrors`. */
  readonly args: readonly unknown[];
}

function failedCommand({ spec, args }: Command, showsArguments: boolean): FailedCommand {
  const [name, ...words] = spec.name.toLowerCase().split(' ');
  return { name: name!, args: [...words, ...(showsArguments ? args : args.map(() => '<argument>'))] };
}

/** What a failed command rejects with. */
export type ErrorTranslator = (error: unknown, command?: Command) => unknown;

export const translateError: ErrorTranslator = (error, command) => translated(error, command, false);
/** With `argumentsInErrors`: as ioredis, which quotes them. */
export const translateErrorWithArguments: ErrorTranslator = (error, command) => translated(error, command, true);

function translated(error: unknown, command: Command | undefined, showsArguments: boolean): unknown {
  if (error instanceof ErrorReply) {
    Object.defineProperty(error, 'name', { value: 'ReplyError', configurable: true });
    return command === undefined ? error : Object.assign(error, { command: failedCommand(command, showsArguments) });
  }
  if (error instanceof MaybeExecutedError) {
    // Packages decide by this text whether to ask again, which only they can know: it is ioredis's for a lost answer.
    error.message = CONNECTION_CLOSED_ERROR_MSG;
    return error;
  }
  if (error instanceof ClientClosedError || error instanceof DisconnectsClientError) return connectionClosed(error);
  if (error instanceof SocketClosedUnexpectedlyError && error.cause === undefined) return connectionClosed(error);
  if (error instanceof TimeoutError) return Object.assign(new TimeoutError('Command timed out'), { cause: error });
  if (error instanceof ClientOfflineError)
    return new RedkeepError(
      'REDKEEP_CLIENT_OFFLINE',
      "Stream isn't writeable and enableOfflineQueue options is false",
      { cause: error },
    );
  return error;
}

/** With `showFriendlyErrorStack`: the error's stack begins where the command was called. */
export function withCallerStack(caller: { readonly stack?: string }, translate: ErrorTranslator): ErrorTranslator {
  return (failure, command) => {
    const error = translate(failure, command);
    if (!(error instanceof Error)) return error;
    const frames = (caller.stack ?? '').split('\n').slice(1);
    const own = frames.findIndex((frame) => !/[\\/]ioredis[\\/]commander\./.test(frame));
    error.stack = [`${error.name}: ${error.message}`, ...frames.slice(Math.max(own, 0))].join('\n');
    return error;
  };
}
