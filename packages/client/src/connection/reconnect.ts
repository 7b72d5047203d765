/** When to try again after a lost or failed connection. */
import { CallbackError, type ErrorCode, ReconnectStrategyError } from '../errors.js';

/**
 * Milliseconds until the next attempt; `false` or an Error to give up. `retries` counts from 0 since the connection
 * was last established. node-redis's shape.
 */
export type ReconnectStrategy = (retries: number, cause: Error) => number | false | Error;

const BASE_MS = 50;
const CAP_MS = 2000;
/** setTimeout's largest delay; beyond it a timer fires at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** Exponential from 50 ms to 2 s with full jitter, so that a thousand clients do not return in step. */
export const defaultReconnectStrategy: ReconnectStrategy = (retries) =>
  Math.floor(Math.random() * Math.min(BASE_MS * 2 ** Math.min(retries, 16), CAP_MS)) + 1;

/** Causes that stay as they are until somebody changes something: trying for ever would only hammer the server. */
const PERMANENT = new Set<ErrorCode>([
  'REDKEEP_AUTH_FAILED',
  'REDKEEP_CERTIFICATE_EXPIRED',
  'REDKEEP_CERTIFICATE_NAME',
  'REDKEEP_CERTIFICATE_UNTRUSTED',
  'REDKEEP_CERTIFICATE_REQUIRED',
  'REDKEEP_SERVER_PLAINTEXT',
  'REDKEEP_SERVER_TLS',
  'REDKEEP_TLS_FAILED',
  'REDKEEP_INVALID_OPTION',
  'REDKEEP_SERVER',
]);

function isPermanent(error: unknown): boolean {
  return PERMANENT.has((error as { code?: ErrorCode }).code as ErrorCode);
}

export function isAuthFailure(error: unknown): boolean {
  return (error as { code?: ErrorCode }).code === 'REDKEEP_AUTH_FAILED';
}

/** A permanent error of a client that was connected before may be a rotation under way: a few more attempts are allowed. */
const PERMANENT_RETRIES = 3;

/** What has become of the connection so far. */
export interface Attempts {
  /** Since the last successful connect. */
  readonly retries: number;
  /** It was established at least once since `connect`. */
  readonly everReady: boolean;
  /** The cause would not be again: there are other credentials by now. */
  readonly outdated: boolean;
}

/**
 * What follows a lost or failed connection: milliseconds until the next attempt, or the error that ends the client. A
 * strategy that fails is reported, and the default takes its place: a bug in it must not end the connection.
 */
export function afterLoss(
  cause: Error,
  { retries, everReady, outdated }: Attempts,
  { reconnectStrategy }: { reconnectStrategy: ReconnectStrategy },
  onProblem: (error: CallbackError) => void,
): number | Error {
  if (isPermanent(cause) && (retries >= PERMANENT_RETRIES || !(everReady || outdated))) return cause;
  let delay: unknown;
  try {
    delay = reconnectStrategy(retries, cause);
  } catch (thrown) {
    onProblem(new CallbackError('The reconnect strategy', thrown));
    return defaultReconnectStrategy(retries, cause) as number;
  }
  if (typeof delay === 'number' && delay >= 0) return Math.min(delay, MAX_DELAY_MS);
  if (delay === false || delay === cause) return cause;
  if (delay instanceof Error) return new ReconnectStrategyError(delay, cause);
  if (delay instanceof Promise) delay.catch(() => {}); // it is reported as what it is: not a number
  const problem = new TypeError(`Reconnect strategy should return \`false | Error | number\`, got a ${typeof delay}`);
  onProblem(new CallbackError('The reconnect strategy', problem));
  return defaultReconnectStrategy(retries, cause) as number;
}

/** The option `socket.reconnectStrategy` as a function. */
export function strategyOf(given: false | number | ReconnectStrategy | undefined): ReconnectStrategy {
  if (given === undefined) return defaultReconnectStrategy;
  return typeof given === 'function' ? given : () => given;
}
