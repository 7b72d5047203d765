import { createServer, type Socket } from 'node:net';
import { parseRequest } from '@redkeep/testing';

/** What a peer says of itself. */
export interface PeerScript {
  readonly info: Readonly<Record<string, string>>;
  readonly settings?: Readonly<Record<string, string>>;
  /** Lines of ACL LIST. */
  readonly users?: readonly string[];
  readonly modules?: readonly { readonly name: string; readonly path: string }[];
  /** Lines of CLIENT LIST. */
  readonly clients?: readonly string[];
  /** Answers HTTP at these paths, as Dragonfly does on its data port. */
  readonly http?: readonly string[];
  /** Serves strangers; else they get NOAUTH. */
  readonly open?: boolean;
  /** Knows ACL DRYRUN. */
  readonly dryRun?: boolean;
}

const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
const array = (items: readonly string[]): string => `*${items.length}\r\n${items.join('')}`;
const refusal = '-NOAUTH Authentication required.\r\n';

function answer(script: PeerScript, [name = '', sub = '', ...rest]: readonly string[]): string {
  const { info, settings = {}, users = [], modules = [], clients = [] } = script;
  switch (`${name} ${sub}`.toUpperCase().trim()) {
    case 'CONFIG GET': {
      const known = rest.filter((one) => settings[one] !== undefined);
      return array(known.flatMap((one) => [bulk(one), bulk(settings[one]!)]));
    }
    case 'ACL LIST':
      return array(users.map(bulk));
    case 'ACL LOG':
    case 'FUNCTION LIST':
      return array([]);
    case 'ACL DRYRUN':
      return script.dryRun ? bulk('User has no permissions') : "-ERR unknown subcommand 'DRYRUN'. Try ACL HELP.\r\n";
    case 'CLIENT LIST':
      return bulk(`${clients.join('\n')}\n`);
    case 'MODULE LIST':
      return array(modules.map((one) => array(['name', one.name, 'path', one.path].map(bulk))));
  }
  switch (name.toUpperCase()) {
    case 'INFO':
      return bulk(
        Object.entries(info)
          .map(([field, value]) => `${field}:${value}\r\n`)
          .join(''),
      );
    case 'COMMAND':
      return array([]);
    case 'EXISTS':
      return ':0\r\n';
    default:
      return '+OK\r\n';
  }
}

/**
 * A peer that says it is an engine which cannot be run here (Dragonfly, Redis 6, Redis 8.6), to show that the audit knows
 * it and what it concludes. It accepts every AUTH.
 */
export async function startPeer(script: PeerScript) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let pending: Buffer = Buffer.alloc(0);
    let inside = script.open === true;
    const reply = (words: readonly string[]): void => {
      if (words[0]?.toUpperCase() === 'AUTH') inside = true;
      // Without HELLO, clients log in by AUTH and speak RESP2.
      if (words[0]?.toUpperCase() === 'HELLO') socket.write("-ERR unknown command 'HELLO'\r\n");
      else socket.write(inside ? answer(script, words) : refusal);
    };
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      pending = Buffer.concat([pending, bytes]);
      // A ClientHello, in which a line end may stand by chance: a plaintext port says nothing to it.
      if (pending[0] === 0x16) return;
      if (/^[A-Z]/.test(pending.toString('latin1', 0, 1))) {
        const line = pending.toString('latin1').split('\r\n')[0]!;
        const [, path] = line.match(/^GET (\S+) HTTP/) ?? [];
        pending = Buffer.alloc(0);
        if (path === undefined) reply(line.split(' '));
        else socket.end(`HTTP/1.1 ${script.http?.includes(path) ? '200 OK' : '404 Not Found'}\r\n\r\n`);
        return;
      }
      for (let request = parseRequest(pending); request; request = parseRequest(pending)) {
        pending = pending.subarray(request.end);
        reply(request.value.map(String));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
