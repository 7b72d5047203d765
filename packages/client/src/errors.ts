/**
 * Every error the client raises. Messages name the command and the position of an argument, never its value; what
 * the server said is kept apart (`serverMessage`), because servers echo arguments.
 */

import { NETWORK_ERRORS } from './network/network-errors.js';
import { KNOWN_PREFIXES, SCRIPT_COMMANDS, shownText } from './server-message.js';

/** Code -> [what an end user may read, what an operator should do next]. `docs/errors.md` is tested against it. */
export const ERRORS = {
  REDKEEP_ABORTED: [
    'The request was cancelled.',
    'The AbortSignal given with the command fired. Issue the command again if it is still wanted.',
  ],
  REDKEEP_ALREADY_CONNECTED: [
    'The request could not be completed.',
    'The client is connected already, or about to be: call `connect()` once, or use `duplicate()` for another connection.',
  ],
  REDKEEP_AUTH_FAILED: [
    'The data store refused the credentials.',
    'Check user name and password (or the credential provider) against `ACL LIST` on the server. Retrying will not help.',
  ],
  REDKEEP_CALLBACK_FAILED: [
    'The request could not be completed.',
    'A listener, strategy or validator of the application failed; see `cause`. The client goes on without it.',
  ],
  REDKEEP_CERTIFICATE_EXPIRED: [
    'The data store could not be verified.',
    'Renew the server certificate (`redkeep certs renew`) and check the clock of both machines.',
  ],
  REDKEEP_CERTIFICATE_NAME: [
    'The data store could not be verified.',
    'Connect by a name in the certificate, set `tls.servername`, or issue a certificate with this host among its SANs.',
  ],
  REDKEEP_CERTIFICATE_UNTRUSTED: [
    'The data store could not be verified.',
    'Give the CA that signed the server certificate: `tls.caFile`, `tls.ca` or REDIS_TLS_CA_FILE.',
  ],
  REDKEEP_CERTIFICATE_REQUIRED: [
    'The data store refused the connection.',
    'The server asks for a client certificate: set `tls.certFile` and `tls.keyFile`.',
  ],
  REDKEEP_CLIENT_CLOSED: [
    'The service is shutting down.',
    'The client was closed or never connected: call `connect()` first, and stop issuing commands before `close()`.',
  ],
  REDKEEP_CLIENT_OFFLINE: [
    'The service is temporarily unavailable.',
    'The connection is down and `disableOfflineQueue` is on. Retry when the `ready` event fires.',
  ],
  REDKEEP_COMMAND_REFUSED: [
    'The operation is not permitted.',
    'Add the command to `allowCommands`, or set `commandPolicy: "unrestricted"` for an administrative client.',
  ],
  REDKEEP_CONNECT_FAILED: [
    'The service is temporarily unavailable.',
    'The network refused or lost the connection: check host, port and firewalls; `cause` is the error of the system.',
  ],
  REDKEEP_CONNECT_TIMEOUT: [
    'The service is temporarily unavailable.',
    'Check address, firewall and server load; `socket.connectTimeout` sets the limit (ms).',
  ],
  REDKEEP_CREDENTIALS_UNAVAILABLE: [
    'The service is temporarily unavailable.',
    'The credential provider failed; see `cause`.',
  ],
  REDKEEP_DIGEST_UNAVAILABLE: [
    'The request could not be completed.',
    'Install `@node-rs/xxhash`, or ask the server: `client.digest(key)` (Redis 8.4).',
  ],
  REDKEEP_INVALID_ARGUMENT: [
    'The request is not valid.',
    'Pass a string, Buffer, finite number or bigint at the named position.',
  ],
  REDKEEP_INVALID_OPTION: ['The service is misconfigured.', 'Correct the option named in the message.'],
  REDKEEP_MAYBE_EXECUTED: [
    'The outcome of the request is not known.',
    'The connection broke after the command was sent. Read the data back before deciding to repeat it.',
  ],
  REDKEEP_PLAINTEXT_REFUSED: [
    'The service is misconfigured.',
    'Use rediss:// with `tls.caFile`, or set `allowPlaintext: true` if the network is trusted.',
  ],
  REDKEEP_PROTOCOL: [
    'The service is temporarily unavailable.',
    'The peer broke the protocol, or answered in a form that the command does not have. Check that the address is a Redis or Valkey server.',
  ],
  REDKEEP_QUEUE_FULL: [
    'The service is busy.',
    'Await `client.ready()` before issuing more commands, or raise `commandsQueueMaxLength` / `maxQueueBytes`.',
  ],
  REDKEEP_RATE_LIMITED: ['Too many requests.', 'Slow down, or raise `rateLimit`.'],
  REDKEEP_CIRCUIT_OPEN: [
    'The service is temporarily unavailable.',
    'Recent commands failed; the circuit breaker tries again after its cool-down.',
  ],
  REDKEEP_RECONNECT_STOPPED: [
    'The service is temporarily unavailable.',
    'The reconnect strategy gave up; see `cause`.',
  ],
  REDKEEP_REDIRECT_REFUSED: [
    'The service is misconfigured.',
    'A node redirected to an address the redirect policy does not vouch for. Add it to `redirectPolicy.allowHosts` if it is yours.',
  ],
  REDKEEP_REPLY_LIMIT: [
    'The service is temporarily unavailable.',
    'A reply crossed a limit and the connection was closed. Read in smaller pieces or raise `replyLimits`.',
  ],
  REDKEEP_SCAN_INTERRUPTED: [
    'The request could not be completed.',
    'The master changed while keys were iterated: begin again with a new iterator.',
  ],
  REDKEEP_SCRIPT_NOT_STATIC: [
    'The request could not be completed.',
    'Scripts must not be put together from data: pass data as KEYS and ARGV (`defineScript`), or raise `maxScripts`.',
  ],
  REDKEEP_SERVER: ['The request could not be completed.', 'See `serverMessage` for what the server said.'],
  REDKEEP_SERVER_NOT_READY: [
    'The service is temporarily unavailable.',
    'The server is loading, busy, full or failing over: wait and try again. The first word of the message says which.',
  ],
  REDKEEP_SERVER_PLAINTEXT: [
    'The data store could not be verified.',
    'The server does not speak TLS on this port: connect to its TLS port, or enable `tls-port` on it.',
  ],
  REDKEEP_SERVER_TLS: [
    'The service is misconfigured.',
    'The server speaks TLS on this port: write `rediss://` in place of `redis://` (with `tls.caFile` for a private CA), or use its plaintext port.',
  ],
  REDKEEP_SOCKET_CLOSED: [
    'The service is temporarily unavailable.',
    'The server closed the connection; the client reconnects by itself.',
  ],
  REDKEEP_TIMEOUT: [
    'The service is temporarily unavailable.',
    'No answer within the command timeout. If the command writes, read back before repeating it.',
  ],
  REDKEEP_TLS_FAILED: [
    'The data store could not be verified.',
    'The TLS handshake failed: compare `tls.minVersion` and `tls.ciphers` with the server; see `cause`.',
  ],
  REDKEEP_TOO_MANY_REDIRECTS: [
    'The service is temporarily unavailable.',
    'The cluster is moving slots or its nodes disagree: check `CLUSTER NODES`.',
  ],
  REDKEEP_NO_NODE: [
    'The service is temporarily unavailable.',
    'No cluster node or sentinel could be reached: check the root nodes and their certificates.',
  ],
  REDKEEP_CROSS_SLOT: [
    'The request could not be completed.',
    'All keys of this command must lie in one slot: give them a common hash tag (`user:{42}:name`).',
  ],
  REDKEEP_LEASE_RELEASED: [
    'The request could not be completed.',
    'The client was returned to its pool: finish all work with it before `release()` or the end of `execute`.',
  ],
  REDKEEP_LEASE_LEAKED: [
    'The service is busy.',
    'A client taken from the pool was not returned; `cause` shows where it was taken. Use `execute`, or release in `finally`.',
  ],
  REDKEEP_WRONG_ROLE: [
    'The service is temporarily unavailable.',
    'A failover is under way, or Sentinel knows less than the server: the client asks again. Check `SENTINEL MASTER <name>`.',
  ],
  REDKEEP_VALUE_CHANGED: [
    'The data changed meanwhile; try again.',
    'A value changed while it was streamed: read it again, or write large values once under a new key.',
  ],
  REDKEEP_WATCH: [
    'The data changed meanwhile; try again.',
    'A watched key changed: read again and repeat the transaction.',
  ],
} as const satisfies Record<string, readonly [string, string]>;

export type ErrorCode = keyof typeof ERRORS;

/** What an end user may be shown. */
export interface PublicError {
  readonly code: string;
  readonly message: string;
}

/** How a package with its own codes describes an error; this package's codes have theirs in {@link ERRORS}. */
export interface RedkeepErrorOptions extends ErrorOptions {
  /** What to do next: one sentence, no value in it. */
  hint?: string;
  /** A sentence that may be shown to end users. */
  publicMessage?: string;
  /** Page and anchor of the error's documentation, below `docs/`; default `errors.md#<code>`, in lower case. */
  docs?: string;
}

/** Where the documentation of all packages is; the packages' manifests name the same repository as `homepage`. */
const DOCUMENTATION = 'https://github.com/redkeep/redkeep/blob/main/docs/';

/**
 * Base of every error that redkeep, `@redkeep/guard` and `@redkeep/cli` raise: a stable `code`, a `message` without
 * any value, a `hint` with the next step, and a text safe for end users.
 *
 * Subclasses declare `static override readonly name`, because bundlers shorten the names of classes.
 */
export class RedkeepError extends Error {
  static override readonly name: string = 'RedkeepError';
  readonly code: ErrorCode | (string & {});
  readonly #described: RedkeepErrorOptions | undefined;
  constructor(code: ErrorCode | (string & {}), message: string, options?: RedkeepErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = new.target.name;
    this.#described = options;
  }
  /** What to do next. */
  get hint(): string {
    return this.#described?.hint ?? textsOf(this.code)[1];
  }
  /** URL of the error's documentation. */
  get docs(): string {
    return new URL(this.#described?.docs ?? `errors.md#${this.code.toLowerCase()}`, DOCUMENTATION).href;
  }
  /** A code and a generic sentence that may be shown to end users. */
  toPublic(): PublicError {
    return { code: this.code, message: this.#described?.publicMessage ?? textsOf(this.code)[0] };
  }
}

/** For codes of another package that gives no texts. */
const NO_TEXTS = ['The request could not be completed.', 'See the message and `cause`.'] as const;

function textsOf(code: string): readonly [string, string] {
  return Object.hasOwn(ERRORS, code) ? ERRORS[code as ErrorCode] : NO_TEXTS;
}

/** A value that cannot be sent. Raised before anything is written. */
export class InvalidArgumentError extends RedkeepError {
  static override readonly name: string = 'InvalidArgumentError';
  readonly command: string;
  /** Zero-based position among the command's arguments, or an option's name. */
  readonly position: number | string;
  constructor(command: string, position: number | string, problem: string) {
    super(
      'REDKEEP_INVALID_ARGUMENT',
      `${command}: argument ${typeof position === 'number' ? position + 1 : position} ${problem}`,
    );
    this.command = command;
    this.position = position;
  }
}

/** An option that is wrong, contradictory or insecure. Raised when the client is created. */
export class InvalidOptionError extends RedkeepError {
  static override readonly name: string = 'InvalidOptionError';
  readonly option: string;
  constructor(option: string, problem: string, code: RedkeepError['code'] = 'REDKEEP_INVALID_OPTION') {
    super(code, `${option}: ${problem}`);
    this.option = option;
  }
}

export class AbortError extends RedkeepError {
  static override readonly name: string = 'AbortError';
  constructor(cause?: unknown) {
    super('REDKEEP_ABORTED', 'The command was aborted', cause === undefined ? undefined : { cause });
  }
}

export class TimeoutError extends RedkeepError {
  static override readonly name: string = 'TimeoutError';
  constructor(message: string, cause?: Error) {
    super('REDKEEP_TIMEOUT', message, cause === undefined ? undefined : { cause });
  }
}

/**
 * Names that code for node-redis asks for by `instanceof`. Never raised: maintenance pushes are not followed, so no
 * timeout is relaxed for them.
 */
export class SocketTimeoutDuringMaintenanceError extends TimeoutError {
  static override readonly name: string = 'SocketTimeoutDuringMaintenanceError';
}
export class CommandTimeoutDuringMaintenanceError extends TimeoutError {
  static override readonly name: string = 'CommandTimeoutDuringMaintenanceError';
}

/** A write was sent and the connection broke before its answer: it may or may not have run. Never re-sent. */
export class MaybeExecutedError extends RedkeepError {
  static override readonly name: string = 'MaybeExecutedError';
  readonly command: string;
  constructor(command: string, cause?: unknown) {
    super('REDKEEP_MAYBE_EXECUTED', `${command} was sent but its answer was lost: it may have been executed`, {
      cause,
    });
    this.command = command;
  }
}

export class ConnectionTimeoutError extends RedkeepError {
  static override readonly name: string = 'ConnectionTimeoutError';
  constructor() {
    super('REDKEEP_CONNECT_TIMEOUT', 'Connection timeout');
  }
}

export class SocketTimeoutError extends RedkeepError {
  static override readonly name: string = 'SocketTimeoutError';
  constructor(timeout: number) {
    super('REDKEEP_SOCKET_CLOSED', `No data within ${timeout} ms while an answer was expected`);
  }
}

export class ClientClosedError extends RedkeepError {
  static override readonly name: string = 'ClientClosedError';
  constructor() {
    super('REDKEEP_CLIENT_CLOSED', 'The client is closed');
  }
}

export class ClientOfflineError extends RedkeepError {
  static override readonly name: string = 'ClientOfflineError';
  constructor() {
    super('REDKEEP_CLIENT_OFFLINE', 'The client is offline');
  }
}

export class DisconnectsClientError extends RedkeepError {
  static override readonly name: string = 'DisconnectsClientError';
  constructor() {
    super('REDKEEP_CLIENT_CLOSED', 'Disconnects client');
  }
}

export class SocketClosedUnexpectedlyError extends RedkeepError {
  static override readonly name: string = 'SocketClosedUnexpectedlyError';
  constructor(cause?: unknown) {
    super('REDKEEP_SOCKET_CLOSED', 'Socket closed unexpectedly', cause === undefined ? undefined : { cause });
  }
}

export class QueueFullError extends RedkeepError {
  static override readonly name: string = 'QueueFullError';
  constructor(what: string) {
    super('REDKEEP_QUEUE_FULL', `The queue is full (${what})`);
  }
}

export class CommandRefusedError extends RedkeepError {
  static override readonly name: string = 'CommandRefusedError';
  readonly command: string;
  constructor(command: string, why: string) {
    super('REDKEEP_COMMAND_REFUSED', `${command} is refused by this client: ${why}`);
    this.command = command;
  }
}

/**
 * The peer broke RESP or crossed a reply limit: the connection is gone. Or it answered in a form that the command does
 * not have: then replies are still in step, and it stays.
 */
export class ProtocolError extends RedkeepError {
  static override readonly name: string = 'ProtocolError';
  constructor(message: string, code: 'REDKEEP_PROTOCOL' | 'REDKEEP_REPLY_LIMIT' = 'REDKEEP_PROTOCOL', cause?: unknown) {
    super(code, message, cause === undefined ? undefined : { cause });
  }
}

/** TCP or TLS could not be established. */
export class ConnectError extends RedkeepError {
  static override readonly name: string = 'ConnectError';
}

/**
 * The system could not open the connection, or lost it. `code`, `errno`, `syscall`, `address` and `port` are those of
 * Node.js's error, which is the `cause`: programs written for node-redis and ioredis compare `error.code` with
 * `ECONNREFUSED`, `ENOTFOUND` and the like. `toPublic()` names REDKEEP_CONNECT_FAILED and nothing of the network.
 */
export class NetworkError extends ConnectError {
  static override readonly name: string = 'NetworkError';
  readonly errno: number | undefined;
  readonly syscall: string | undefined;
  readonly address: string | undefined;
  readonly port: number | undefined;
  /** The message names `where` if the system's error has no message, as for a name with several addresses. */
  constructor(cause: NodeJS.ErrnoException & { address?: string; port?: number }, where: string) {
    const code = cause.code ?? 'REDKEEP_CONNECT_FAILED';
    const isKnown = Object.hasOwn(NETWORK_ERRORS, code);
    const [publicMessage, hint] = ERRORS.REDKEEP_CONNECT_FAILED;
    super(code, cause.message || `${cause.syscall ?? 'connect'} ${code} ${where}`, {
      cause,
      hint: isKnown ? NETWORK_ERRORS[code]! : hint,
      publicMessage,
      docs: `errors.md#${(isKnown ? code : 'REDKEEP_CONNECT_FAILED').toLowerCase()}`,
    });
    this.errno = cause.errno;
    this.syscall = cause.syscall;
    this.address = cause.address;
    this.port = cause.port;
  }
  override toPublic(): PublicError {
    return { ...super.toPublic(), code: 'REDKEEP_CONNECT_FAILED' satisfies ErrorCode };
  }
}

/**
 * `connect()` gave up: within the start-up limit there was no connection. `code`, `hint` and `toPublic()` are those of
 * the last attempt's failure, which is the `cause`. `connect()` may be called again.
 */
export class StartupError extends ConnectError {
  static override readonly name: string = 'StartupError';
  constructor(limit: number, failure: Error) {
    const cause = failure instanceof RedkeepError ? failure : new SocketClosedUnexpectedlyError(failure);
    super(
      cause.code,
      `No connection within ${limit} ms (${cause.message}); with socket.reconnectStrategy, connect() waits for the server without end`,
      { cause, hint: cause.hint, docs: cause.docs },
    );
  }
  override toPublic(): PublicError {
    return (this.cause as RedkeepError).toPublic();
  }
}

export class ReconnectStrategyError extends RedkeepError {
  static override readonly name: string = 'ReconnectStrategyError';
  readonly originalError: Error;
  readonly socketError: unknown;
  constructor(originalError: Error, socketError: unknown) {
    super('REDKEEP_RECONNECT_STOPPED', originalError.message, { cause: originalError });
    this.originalError = originalError;
    this.socketError = socketError;
  }
}

export class WatchError extends RedkeepError {
  static override readonly name: string = 'WatchError';
  constructor(message = 'One (or more) of the watched keys has been changed') {
    super('REDKEEP_WATCH', message);
  }
}

export class RootNodesUnavailableError extends RedkeepError {
  static override readonly name: string = 'RootNodesUnavailableError';
  constructor(cause?: unknown) {
    super('REDKEEP_NO_NODE', 'All the root nodes are unavailable', { cause });
  }
}

/** The master changed between two pages of a Sentinel client's `scanIterator`: its cursor means nothing to the new one. */
export class ScanIteratorInterruptedError extends RedkeepError {
  static override readonly name: string = 'ScanIteratorInterruptedError';
  constructor(cause?: unknown) {
    super(
      'REDKEEP_SCAN_INTERRUPTED',
      'Scan iteration was interrupted by a Sentinel master change',
      cause === undefined ? undefined : { cause },
    );
  }
}

export class MaxCommandRedirectionsError extends RedkeepError {
  static override readonly name: string = 'MaxCommandRedirectionsError';
  constructor(cause?: unknown) {
    super('REDKEEP_TOO_MANY_REDIRECTS', 'Too many Cluster redirections', { cause });
  }
}

/** Keys of one command that lie in several slots of a cluster. Raised before anything is sent. */
export class CrossSlotError extends RedkeepError {
  static override readonly name: string = 'CrossSlotError';
  constructor(command: string) {
    super('REDKEEP_CROSS_SLOT', `${command}: the keys lie in several slots`);
  }
}

/** First words of refusals that end by themselves: nothing is wrong with the request, and it was not run. */
const PASSING_PREFIXES = new Set(['BUSY', 'CLUSTERDOWN', 'LOADING', 'MASTERDOWN', 'NOREPLICAS', 'TRYAGAIN']);
/** `max number of clients reached`, and `… + cluster connections reached`. */
const PASSING_TEXT = /^ERR max number of clients/;

function isPassing(text: string): boolean {
  return PASSING_PREFIXES.has(text.split(' ', 1)[0]!) || PASSING_TEXT.test(text);
}

/** A function that the application gave (a listener, a strategy) threw, or returned what it may not. */
export class CallbackError extends RedkeepError {
  static override readonly name: string = 'CallbackError';
  constructor(what: string, cause: unknown) {
    super('REDKEEP_CALLBACK_FAILED', `${what} failed`, { cause });
  }
}

/**
 * The server answered with an error. `message` has the server's code word and the fixed words of its text, with
 * `<argument>` where it echoes something; of a text that is not known it has the code word alone. The whole text is in
 * `serverMessage`, for logs, by deliberate choice.
 */
export class ErrorReply extends RedkeepError {
  static override readonly name: string = 'ErrorReply';
  /** First word of the server's text: `WRONGTYPE`, `NOAUTH`, `MOVED`, `ERR` … `ERR` too where it is no such word. */
  readonly prefix: string;
  readonly #text: string;
  constructor(text: string) {
    const prefix = /^[A-Z_]{1,32}(?= |$)/.exec(text)?.[0] ?? 'ERR';
    super(isPassing(text) ? 'REDKEEP_SERVER_NOT_READY' : 'REDKEEP_SERVER', shownText(text, prefix, undefined));
    this.#text = text;
    this.prefix = prefix;
  }
  /** The server's own words, which can echo arguments. Not enumerable, not in `message`. */
  get serverMessage(): string {
    return this.#text;
  }
  /**
   * Puts into `message` what may be shown of the server's text in answer to this command. A code word that the
   * servers do not define, and that reads like an argument or was made up by a script, becomes `ERR`.
   */
  redact(command: string, args: readonly unknown[]): this {
    if (
      !KNOWN_PREFIXES.has(this.prefix) &&
      (SCRIPT_COMMANDS.test(command) || args.some((arg) => String(arg).includes(this.prefix)))
    )
      (this as { prefix: string }).prefix = 'ERR';
    this.message = shownText(this.#text, this.prefix, command);
    if (this.stack !== undefined) {
      const end = this.stack.indexOf('\n    at ');
      this.stack = `${this.name}: ${this.message}${end === -1 ? '' : this.stack.slice(end)}`;
    }
    return this;
  }
}
export class SimpleError extends ErrorReply {
  static override readonly name: string = 'SimpleError';
}
export class BlobError extends ErrorReply {
  static override readonly name: string = 'BlobError';
}

/** Commands of a transaction or pipeline failed; the others have run. */
export class MultiErrorReply extends ErrorReply {
  static override readonly name: string = 'MultiErrorReply';
  readonly replies: unknown[];
  readonly errorIndexes: number[];
  constructor(replies: unknown[], errorIndexes: number[]) {
    super('ERR');
    this.message = `${errorIndexes.length} commands failed, see .replies and .errorIndexes for more information`;
    this.replies = replies;
    this.errorIndexes = errorIndexes;
  }
  *errors(): Generator<ErrorReply> {
    for (const index of this.errorIndexes) yield this.replies[index] as ErrorReply;
  }
}
