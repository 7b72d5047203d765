import { createClient } from 'redkeep';
import type { Endpoint } from './endpoint.js';
import type { Session } from './node.js';

/**
 * Logs in with the redkeep client, so that the audit's own credential travels only after the server has proved who it
 * is, and in clear only where the address itself says `redis://`.
 */
export async function openSession(endpoint: Endpoint, name = 'redkeep-audit'): Promise<Session> {
  const { host, port, path, tls, ca, cert, key, servername, username, password, timeoutMs } = endpoint;
  const client = createClient({
    socket: {
      ...(path === undefined ? { host, port, tls } : { path }),
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
    ...(!tls && path === undefined && { allowPlaintext: true }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    name,
    // CLIENT SETINFO, which the audit's user is not granted, would stand in ACL LOG as a denial.
    disableClientInfo: true,
    commandPolicy: 'unrestricted',
    commandOptions: { timeout: timeoutMs },
  });
  // Errors reach the audit through the commands they fail.
  client.on('error', () => undefined);
  await client.connect();
  return {
    ask: (...args) => client.sendCommand([...args]),
    close: async () => client.destroy(),
  };
}
