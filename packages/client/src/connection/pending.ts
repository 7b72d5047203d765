/**
 * A command on its way, from the call to the answer. It belongs to one connection's ring at a time and may move to
 * another one with its caller still waiting (MOVED, READONLY …).
 *
 * One object a command, made when it is called and left to the garbage collector when it is answered: measured to cost
 * less than entries that are used again, whose every field is a write from old memory to new.
 */
import { performance } from '../clock.js';
import { type Command, type CommandSpec, Flag } from '../commands/command.js';
import {
  AbortError,
  MaybeExecutedError,
  NetworkError,
  RedkeepError,
  SocketClosedUnexpectedlyError,
  TimeoutError,
} from '../errors.js';
import type { DispatchOptions } from './dispatch-options.js';

export const PendingState = {
  /** Not written. */
  WAITING: 0,
  /** Written, unanswered. */
  WRITTEN: 1,
  /** Written, but the caller is gone (timeout, abort): the reply is read and dropped. */
  DISCARDED: 2,
  /** Cancelled before it was written: no reply will come. */
  SKIPPED: 3,
} as const;
export type PendingState = (typeof PendingState)[keyof typeof PendingState];

/** Commands that belong together (a transaction, ASKING with its command): nothing comes between, they fail together. */
export interface Group {
  /** It relies on a WATCH. */
  readonly watched: boolean;
  /** ASKING and the command it is for. */
  readonly asking: boolean;
  /** The first was written: the others follow, even if their callers no longer wait. */
  started: boolean;
  /** Given up before the first was written: none will be. */
  cancelled: Error | undefined;
  /** All of it, where the whole may be sent again after a server refused it without running any of it. */
  readonly members: Pending[] | undefined;
}

export function newGroup(watched: boolean, asking = false): Group {
  const members = watched || asking ? undefined : [];
  return { watched, asking, started: false, cancelled: undefined, members };
}

export class Pending {
  state: PendingState = PendingState.WAITING;
  command: Command;
  options: DispatchOptions;
  /** Undefined: nobody waits any more. */
  resolve: ((value: unknown) => void) | undefined;
  reject: ((error: unknown) => void) | undefined;
  /** Whole milliseconds of the clock that all connections share; 0 = none. */
  deadline: number;
  /** An estimate of what it holds while it waits. */
  bytes: number;
  /** Times it was sent again after a lost connection. */
  retries = 0;
  /** Times it moved to another connection. */
  redirects = 0;
  /** Pushes (RESP2: arrays) still to come that answer SUBSCRIBE and its like; 0 = one reply answers. */
  confirmations = 0;
  group: Group | undefined = undefined;
  /** Stops listening to the caller's AbortSignal. */
  #cleanup: (() => void) | undefined = undefined;

  constructor(
    command: Command,
    options: DispatchOptions,
    resolve: Pending['resolve'],
    reject: Pending['reject'],
    deadline: number,
    bytes: number,
  ) {
    this.command = command;
    this.options = options;
    this.resolve = resolve;
    this.reject = reject;
    this.deadline = deadline;
    this.bytes = bytes;
  }

  /** Nobody waits any more. Returns what rejects the caller. */
  detach(): Pending['reject'] {
    const reject = this.#rejecter();
    this.resolve = this.reject = undefined;
    this.deadline = 0;
    this.unwatch();
    return reject;
  }

  #rejecter(): Pending['reject'] {
    const { reject, options, command } = this;
    const { translateError } = options;
    if (reject === undefined || translateError === undefined) return reject;
    return (error) => reject(translateError(error, command));
  }

  /** Rejects the caller with what the server answered, or with what its reply could not be read as. */
  fail(error: unknown): void {
    this.#rejecter()?.(error);
  }

  /** Calls `cancel` when the caller's signal fires, until {@link unwatch}. */
  watchAbort(cancel: (error: AbortError) => void): void {
    const { abortSignal } = this.options;
    if (abortSignal === undefined) return;
    this.unwatch();
    const onAbort = () => cancel(new AbortError(abortSignal.reason));
    abortSignal.addEventListener('abort', onAbort, { once: true });
    this.#cleanup = () => abortSignal.removeEventListener('abort', onAbort);
  }

  unwatch(): void {
    if (this.#cleanup === undefined) return;
    this.#cleanup();
    this.#cleanup = undefined;
  }

  /** It leaves its connection: until another one has it, its caller can still give it up. */
  park(): void {
    this.state = PendingState.WAITING;
    this.group = undefined;
    this.watchAbort((error) => this.detach()?.(error));
  }

  /** Running it twice does no harm. */
  get repeatable(): boolean {
    return (this.command.spec.flags & (Flag.READONLY | Flag.REPEATABLE)) !== 0 || this.options.idempotent === true;
  }

  /** Why there is no point in sending it any more. */
  overdue(): Error | undefined {
    const { abortSignal } = this.options;
    if (abortSignal?.aborted) return new AbortError(abortSignal.reason);
    if (this.deadline === 0 || this.deadline > performance.now()) return undefined;
    return new TimeoutError(`${this.command.spec.name}: not served within the command timeout`);
  }
}

/** For a command that was sent and not answered. Reads changed nothing: they get the cause itself. */
export function lostError(spec: CommandSpec, cause: Error): Error {
  return (spec.flags & Flag.WRITE) === 0 && (spec.flags & (Flag.READONLY | Flag.REPEATABLE)) !== 0
    ? asClientError(cause)
    : new MaybeExecutedError(spec.name, cause);
}

/** Commands reject with codes of the client; the network's error is their `cause`. */
export function asClientError(error: Error): Error {
  return error instanceof RedkeepError && !(error instanceof NetworkError)
    ? error
    : new SocketClosedUnexpectedlyError(error);
}
