import { createClient, type RedisClient } from 'redkeep';
import { CliError } from '../../errors.js';
import type { ReplicationLogin } from '../stream/replication-link.js';
import type { StreamEndpoint } from '../stream/stamped-socket.js';

/** A client of a server that was named by its address, for one piece of work. */
export async function connectEndpoint(
  { host, port, tls }: StreamEndpoint,
  login: ReplicationLogin | undefined,
): Promise<RedisClient> {
  const client = createClient({
    socket: { host, port, reconnectStrategy: false },
    // Plaintext to another host was asked for with --allow-plaintext.
    ...(tls ? { tls } : { tls: false, allowPlaintext: true }),
    ...login,
    commandPolicy: 'unrestricted',
  });
  client.on('error', () => undefined);
  try {
    return await client.connect();
  } catch (error) {
    if (client.isOpen) client.destroy();
    const message = error instanceof Error ? error.message : String(error);
    throw new CliError(
      'REDKEEP_CONNECTION_FAILED',
      `${host}:${port}: ${message}`,
      'Check address, user, password file and CA.',
      { cause: error },
    );
  }
}
