import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';

/** A server to look at, and what the audit may use to get in. PEM text, never paths. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** A Unix socket of this machine instead of host and port, which are then `localhost` and 0. */
  readonly path?: string;
  /** Where connections go instead, for a server behind a tunnel or a published port; the address stays its name. */
  readonly via?: { readonly host: string; readonly port: number };
  /**
   * Where this machine has the files of a server with a file system of its own, path prefix by path prefix. What is
   * under none of them cannot be looked at from here.
   */
  readonly mounts?: readonly { readonly inside: string; readonly here: string }[];
  /** What other nodes call it, beside its own address: the same server, not another one. */
  readonly alias?: { readonly host: string; readonly port: number };
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

export async function openTcp(endpoint: Endpoint, port = endpoint.port): Promise<Socket> {
  return opened(connectTcp(placeOf(endpoint, port)), 'connect', endpoint.timeoutMs);
}

/** The path of a server's file on this machine; one that leads nowhere when it has none here. */
export function pathHere({ mounts }: Pick<Endpoint, 'mounts'>, path: string): string {
  if (!mounts || !path.startsWith('/')) return path;
  const mount = mounts.find(({ inside }) => path === inside || path.startsWith(`${inside}/`));
  return mount ? `${mount.here}${path.slice(mount.inside.length)}` : `/nonexistent${path}`;
}

/** Where to connect for a port of the server. Only the port that was asked for has another way. */
export function placeOf(
  { host, port, path, via }: Pick<Endpoint, 'host' | 'port' | 'path' | 'via'>,
  wanted = port,
): { readonly host: string; readonly port: number } | { readonly path: string } {
  if (path !== undefined && wanted === port) return { path };
  if (!via) return { host, port: wanted };
  if (wanted !== port) throw new Error(`no way from here to port ${wanted} of ${host}`);
  return via;
}

/**
 * A handshake that never verifies: the audit wants to see what is served, and judges it afterwards. Nothing secret is
 * ever sent over such a connection.
 */
export async function openTls(endpoint: Endpoint, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const { path: _, ...network } = endpoint;
  const { host, servername, timeoutMs } = network;
  const name = servername ?? (/^[\d.]+$|:/.test(host) ? undefined : host);
  const socket = connectTls({
    ...placeOf(network),
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
