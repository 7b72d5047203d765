import { callback as aFunction, checkOptions, interval } from '../options/rules.js';
import type { Credentials, CredentialsSource } from './credentials.js';
import { type Fetched, pollingSource } from './polling-source.js';

export interface TokenResult extends Credentials {
  /** When the credentials end (a token's `exp`); they are fetched again at two thirds of their life. */
  readonly expiresAt?: Date;
}

/** Fetched again this often when nothing says when they end: five minutes. */
const DEFAULT_REFRESH_MS = 5 * 60_000;

/**
 * Credentials from a function of yours, for example short-lived tokens. It is called before the first connect, again
 * at two thirds of `expiresAt` (or every `refreshIntervalMs` milliseconds, default 300 000), and live connections
 * re-authenticate with what it returns.
 * @throws InvalidOptionError
 * @example
 * createClient({ credentialsProvider: fromCallback(async () => ({ username: 'app', password: await token(), expiresAt })) });
 */
export function fromCallback(
  callback: () => TokenResult | Promise<TokenResult>,
  options: { refreshIntervalMs?: number } = {},
): CredentialsSource {
  aFunction(callback, 'callback');
  checkOptions(options, { refreshIntervalMs: interval });
  return pollingSource(async (): Promise<Fetched> => {
    const { username, password, expiresAt } = await callback();
    return {
      credentials: { username, password },
      validFor: expiresAt === undefined ? undefined : Math.max(1000, expiresAt.getTime() - Date.now()),
    };
  }, options.refreshIntervalMs ?? DEFAULT_REFRESH_MS);
}
