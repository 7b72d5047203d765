/** node-redis's `parseURL` and `parseOptions`: a URL as the options that it stands for. */

import type { AsyncCredentialsProvider } from '../credentials/credentials.js';
import { InvalidOptionError } from '../errors.js';
import type { ClientOptions, SocketOptions } from './options.js';
import { parseUrl } from './url.js';

export interface ParsedUrlOptions extends ClientOptions {
  socket: SocketOptions & { tls: boolean };
}

/**
 * Reads `redis[s]://`, `valkey[s]://` and `unix://` URLs.
 * @throws InvalidOptionError, which never contains the URL
 */
export function parseURL(url: string): ParsedUrlOptions {
  const { endpoint, tls, username, password, database } = parseUrl(url);
  if (tls === undefined) throw new InvalidOptionError('url', 'Invalid protocol');
  const portGiven =
    endpoint.kind === 'tcp' && /:\d+(\/|$)/.test(url.slice(url.lastIndexOf('@') + 1).replace(/^[a-z]+:\/\//i, ''));
  const parsed: ParsedUrlOptions = {
    socket:
      endpoint.kind === 'unix'
        ? { path: endpoint.path, tls }
        : { host: endpoint.host, ...(portGiven ? { port: endpoint.port } : {}), tls },
  };
  if (username !== undefined) parsed.username = username;
  if (password !== undefined) parsed.password = password;
  if (username !== undefined || password !== undefined) {
    const provider: AsyncCredentialsProvider = {
      type: 'async-credentials-provider',
      credentials: async () => ({ username, password }),
    };
    parsed.credentialsProvider = provider;
  }
  if (database !== undefined) parsed.database = database;
  return parsed;
}

/** The options with what their URL says filled in. A contradiction about TLS throws. */
export function parseOptions<O extends ClientOptions>(options: O): O & { socket: SocketOptions } {
  if (options.url === undefined) return Object.assign(options, { socket: options.socket ?? {} });
  const parsed = parseURL(options.url);
  const { tls } = options.socket ?? {};
  if (tls !== undefined && tls !== parsed.socket.tls)
    throw new InvalidOptionError(
      'tls',
      `contradicts the scheme of the URL (${parsed.socket.tls ? 'rediss' : 'redis'}://)`,
    );
  return Object.assign(options, parsed, { socket: { ...options.socket, ...parsed.socket } });
}
