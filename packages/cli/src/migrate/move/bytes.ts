import { createClient, RESP_TYPES } from 'redkeep';
import type { Endpoint } from '../../audit/gather/endpoint.js';
import { clientOptionsOf, unreached } from '../../audit/gather/session.js';

/** Runs a command and gives its reply as bytes: buffers, numbers and arrays of them (RESP2). */
export type Bytes = (...words: readonly (string | Buffer)[]) => Promise<unknown>;

export interface BytesConnection {
  readonly ask: Bytes;
  close(): void;
}

/** Values travel as the bytes that they are. Logs in as `openSession` does. */
export async function openBytes(endpoint: Endpoint): Promise<BytesConnection> {
  const client = createClient({
    ...clientOptionsOf(endpoint),
    RESP: 2,
    name: 'redkeep-migrate',
    disableClientInfo: true,
    commandPolicy: 'unrestricted',
    // A command that writes waits while the source is paused.
    commandOptions: { timeout: undefined },
  });
  client.on('error', () => undefined);
  await client.connect().catch((error: unknown) => {
    throw unreached(endpoint, error);
  });
  const binary = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  return {
    ask: (...words) => binary.sendCommand([...words] as [string]) as unknown as Promise<unknown>,
    close: () => client.isOpen && client.destroy(),
  };
}
