import { createClient } from 'redkeep';
import { CliError } from '../../errors.js';
import { type Endpoint, placeOf } from './endpoint.js';
import type { Session } from './node.js';

/** How `createClient` reaches an endpoint, once and without trying again. */
export function clientOptionsOf(endpoint: Endpoint) {
  const { tls, ca, cert, key, servername, username, password, timeoutMs } = endpoint;
  const place = placeOf(endpoint);
  return {
    socket: {
      ...('path' in place ? place : { ...place, tls }),
      connectTimeout: timeoutMs,
      reconnectStrategy: false,
    },
    ...(tls && {
      tls: {
        ...(ca !== undefined && { ca }),
        ...(cert !== undefined && { cert }),
        ...(key !== undefined && { key }),
        ...(servername !== undefined && { servername }),
      },
    }),
    ...(!tls && !('path' in place) && { allowPlaintext: true }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
  } as const;
}

/**
 * Logs in with the redkeep client, so that the audit's own credential travels only after the server has proved who it
 * is, and in clear only where the address itself says `redis://`.
 */
export async function openSession(endpoint: Endpoint, name = 'redkeep-audit'): Promise<Session> {
  const client = createClient({
    ...clientOptionsOf(endpoint),
    name,
    // CLIENT SETINFO, which the audit's user is not granted, would stand in ACL LOG as a denial.
    disableClientInfo: true,
    commandPolicy: 'unrestricted',
    commandOptions: { timeout: endpoint.timeoutMs },
  });
  // Errors reach the audit through the commands they fail.
  client.on('error', () => undefined);
  await client.connect();
  return {
    ask: (...args) => client.sendCommand([...args]),
    close: async () => client.destroy(),
  };
}

/** The same for commands that cannot do without the server: a failure says what happened and what to do. */
export async function requireSession(endpoint: Endpoint, name: string): Promise<Session> {
  try {
    return await openSession(endpoint, name);
  } catch (error) {
    throw unreached(endpoint, error);
  }
}

/** What a failed connection is to somebody at a terminal. */
export function unreached({ host, port, username }: Endpoint, error: unknown): CliError {
  const message = error instanceof Error ? error.message : String(error);
  const hint = error instanceof Error && 'hint' in error ? String(error.hint) : undefined;
  return new CliError(
    'REDKEEP_CONNECTION_FAILED',
    `${host}:${port}${username === undefined ? '' : ` as ${username}`}: ${message}.`.replace(/\.\.$/, '.'),
    hint ?? 'redkeep doctor says which of address, network, TLS or login is wrong.',
    { cause: error },
  );
}
