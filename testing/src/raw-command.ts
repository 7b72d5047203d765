import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { encodeRequest, parseReply, RawError, type RawReply } from './resp.js';
import { PATIENCE } from './wait-for.js';

/** Where to send a command, and the user to log in as. */
export interface RawTarget {
  readonly port: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Present: TLS. PEM text; `ca` verifies the server. */
  readonly tls?: {
    readonly ca: string;
    readonly cert?: string;
    readonly key?: string;
    /** For servers whose certificate is wrong on purpose. */
    readonly dangerouslyAcceptAnyCertificate?: boolean;
  };
  readonly username?: string;
  readonly password?: string | undefined;
}

/**
 * One command on a connection of its own, without any Redkeep code. Error replies are thrown as RawError.
 *
 * @example await rawCommand({ port }, ['CONFIG', 'GET', 'port'])
 */
export async function rawCommand(target: RawTarget, args: readonly (string | Buffer)[]): Promise<RawReply> {
  const [reply] = await rawCommands(target, [args]);
  if (reply instanceof RawError) throw reply;
  return reply ?? null;
}

/** Several commands, pipelined on one connection. Error replies come back as values. */
export async function rawCommands(
  target: RawTarget,
  commands: readonly (readonly (string | Buffer)[])[],
): Promise<RawReply[]> {
  const socket = openSocket(target);
  const { username = 'default', password } = target;
  const login = password === undefined ? [] : [['AUTH', username, password]];
  try {
    const replies = await exchange(socket, [...login, ...commands]);
    if (login.length > 0) {
      const answer = replies.shift();
      if (answer instanceof RawError) throw answer;
    }
    return replies;
  } finally {
    socket.destroy();
  }
}

function openSocket({ port, host = '127.0.0.1', tls }: RawTarget): Socket {
  if (!tls) return connectTcp({ port, host });
  const { dangerouslyAcceptAnyCertificate = false, ...credentials } = tls;
  return connectTls({ port, host, ...credentials, rejectUnauthorized: !dangerouslyAcceptAnyCertificate });
}

function exchange(socket: Socket, commands: readonly (readonly (string | Buffer)[])[]): Promise<RawReply[]> {
  return new Promise((resolve, reject) => {
    const replies: RawReply[] = [];
    let pending: Buffer = Buffer.alloc(0);
    socket.setTimeout(PATIENCE, () => reject(new Error('No reply in time')));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('The server closed the connection before it answered')));
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      try {
        for (;;) {
          const reply = parseReply(pending);
          if (!reply) return;
          replies.push(reply.value);
          pending = pending.subarray(reply.end);
          if (replies.length === commands.length) return resolve(replies);
        }
      } catch (error) {
        reject(error);
      }
    });
    socket.write(Buffer.concat(commands.map(encodeRequest)));
  });
}
