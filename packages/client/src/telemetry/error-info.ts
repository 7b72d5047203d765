import { ErrorReply, ReconnectStrategyError, RedkeepError, StartupError } from '../errors.js';
import { NETWORK_ERRORS } from '../network/network-errors.js';
import { KNOWN_PREFIXES } from '../server-message.js';

/** node-redis's `redis.client.errors.category`. */
type Category = 'network' | 'tls' | 'auth' | 'server' | 'other';

const AUTH = new Set(['NOAUTH', 'WRONGPASS', 'NOPERM', 'REDKEEP_AUTH_FAILED']);
const NETWORK = new Set([
  'ECONNABORTED',
  'REDKEEP_CONNECT_FAILED',
  'REDKEEP_CONNECT_TIMEOUT',
  'REDKEEP_MAYBE_EXECUTED',
  'REDKEEP_SOCKET_CLOSED',
]);
const TLS = /^REDKEEP_(CERTIFICATE|TLS|SERVER_TLS|SERVER_PLAINTEXT)/;

/** An error in words of which there are few: nothing of its message, and no word that a script made up. */
export function errorInfo(error: unknown): { type: string; category: Category; statusCode: string | undefined } {
  if (!(error instanceof Error)) return { type: 'unknown', category: 'other', statusCode: undefined };
  const wraps =
    error instanceof StartupError ||
    error instanceof ReconnectStrategyError ||
    (error as { code?: unknown }).code === 'REDKEEP_AUTH_FAILED';
  if (wraps && error.cause instanceof RedkeepError) return errorInfo(error.cause);
  const type = error instanceof RedkeepError ? error.name : 'Error';
  if (!(error instanceof ErrorReply)) return { type, category: categoryOf(error), statusCode: undefined };
  const known = KNOWN_PREFIXES.has(error.prefix);
  const category = AUTH.has(error.prefix) ? 'auth' : known ? 'server' : 'other';
  return { type, category, statusCode: known ? error.prefix : '_OTHER' };
}

function categoryOf(error: Error): Category {
  const { code } = error as { code?: unknown };
  if (typeof code !== 'string') return 'other';
  if (AUTH.has(code)) return 'auth';
  if (TLS.test(code)) return 'tls';
  return NETWORK.has(code) || Object.hasOwn(NETWORK_ERRORS, code) ? 'network' : 'other';
}

export function isRedirect(error: unknown): boolean {
  return error instanceof ErrorReply && (error.prefix === 'MOVED' || error.prefix === 'ASK');
}
