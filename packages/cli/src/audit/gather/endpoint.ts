import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';

/** A server to look at, and what the audit may use to get in. PEM text, never paths. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** A Unix socket of this machine instead of host and port, which are then `localhost` and 0. */
  readonly path?: string;
  /** Whether the address said TLS (`rediss://`); probes try both anyway. */
  readonly tls: boolean;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  /** Paths that the PEM texts came from, for printed commands. */
  readonly files?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly username?: string;
  readonly password?: string;
  readonly timeoutMs: number;
}

export function openTcp(endpoint: Endpoint, port = endpoint.port): Promise<Socket> {
  return opened(
    endpoint.path !== undefined && port === endpoint.port
      ? connectTcp({ path: endpoint.path })
      : connectTcp({ host: endpoint.host, port }),
    'connect',
    endpoint.timeoutMs,
  );
}

/**
 * A handshake that never verifies: the audit wants to see what is served, and judges it afterwards. Nothing secret is
 * ever sent over such a connection.
 */
export function openTls(endpoint: Endpoint, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const { host, port, servername, timeoutMs } = endpoint;
  const name = servername ?? (/^[\d.]+$|:/.test(host) ? undefined : host);
  const socket = connectTls({
    host,
    port,
    ...(name !== undefined && { servername: name }),
    ...options,
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
  });
  return opened(socket, 'secureConnect', timeoutMs);
}

function opened<T extends Socket>(socket: T, ready: 'connect' | 'secureConnect', timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(timeoutMs, () => fail(new Error(`no answer within ${timeoutMs} ms`)));
    socket.once('error', fail);
    socket.once('close', () => fail(new Error('the connection was closed')));
    socket.once(ready, () => {
      socket.removeAllListeners('close');
      socket.removeListener('error', fail);
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}

/** Sends bytes and returns the first line of the answer, without its line end; empty when the peer hangs up. */
export function firstLine(socket: Socket, payload: string, timeoutMs: number): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const finish = (): void => {
      socket.destroy();
      resolve(text.split('\r\n')[0]!.slice(0, 200));
    };
    socket.setTimeout(timeoutMs, finish);
    socket.once('error', finish);
    socket.once('close', finish);
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.includes('\r\n')) finish();
    });
    socket.write(payload);
  });
}

/** Whether a first line is RESP: a server of this family spoke. */
export function isResp(line: string): boolean {
  return /^[-+:$*%_#,(~>|=!]/.test(line);
}
