/** What a connected client of any kind can do here: report errors, connect, and go. */
interface Connectable {
  on(event: 'error', listener: (error: Error) => void): unknown;
  connect(): Promise<unknown>;
}

/** A `Server`, a `ScriptedServer`, a `FaultProxy`: whatever has a port on loopback, with its certificates if it has any. */
export interface Reachable {
  readonly port: number;
  readonly url?: string;
  readonly tlsFiles?: { readonly ca: string } | undefined;
}

/**
 * Returns the `connect(server, options)` of a test file. It connects to the server over TLS where the server has
 * certificates, allows every command (the command policy has tests of its own) and ignores `error` events, which would
 * otherwise end the test process. Options win over all of these. The factory is given because this package must not
 * import the client that it helps to test.
 *
 * @example
 * const connect = connectWith<ClientOptions, RedisClient>(createClient);
 * await using server = await startServer({ tls: true });
 * await using client = await connect(server, { RESP: 2 });
 */
export function connectWith<O extends object, C extends Connectable>(
  create: (options: O) => C,
): (server: Reachable, options?: O) => Promise<C> {
  return async (server, options) => {
    const client = create({
      url: server.url ?? `redis://127.0.0.1:${server.port}`,
      ...(server.tlsFiles ? { tls: { caFile: server.tlsFiles.ca } } : {}),
      commandPolicy: 'unrestricted',
      ...options,
    } as unknown as O);
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
}
