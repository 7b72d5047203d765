import { randomBytes } from 'node:crypto';
import type { PortFacts, ProbeFacts } from '../facts/facts.js';
import { strangerCommands } from '../facts/stranger-commands.js';
import { type Endpoint, firstLine, isResp, openTcp, openTls } from './endpoint.js';

async function ask(endpoint: Endpoint, tls: boolean, command: string): Promise<string> {
  const socket = tls ? await openTls(endpoint) : await openTcp(endpoint);
  return firstLine(socket, `${command}\r\n`, endpoint.timeoutMs);
}

/** Connections that never authenticate and show no certificate: what the server does for a stranger. */
export async function probeAnonymous(endpoint: Endpoint, tls: boolean): Promise<ProbeFacts> {
  const replies = await Promise.all(
    strangerCommands.map(async (command) => {
      try {
        return [command, (await ask(endpoint, tls, command)) || 'connection closed'] as const;
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? String(error.code) : '';
        // With client certificates required, the handshake itself turns strangers away.
        if (tls && code.startsWith('ERR_SSL')) return [command, 'refused in the TLS handshake'] as const;
        throw error;
      }
    }),
  );
  const accepted = replies.filter(([, line]) => isResp(line) && !line.startsWith('-')).map(([command]) => command);
  return { replies: Object.fromEntries(replies), accepted };
}

/** What administrators and guides call users. */
const usualNames = ['admin', 'root', 'user', 'app', 'redis', 'guest', 'test', 'monitor', 'exporter', 'replica'];

/**
 * Names that log in with a password nobody chose: users with `nopass`. Each name that is not one leaves a failed login
 * in the server's log, so this is for an audit without credentials, which cannot ask for the users.
 */
export async function probeOpenUsers(endpoint: Endpoint, tls: boolean, names: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const name of new Set([...usualNames, ...names])) {
    if (!/^[\w.@-]+$/.test(name)) continue;
    const guess = randomBytes(16).toString('hex');
    const line = await ask(endpoint, tls, `AUTH ${name} ${guess}`).catch(() => '');
    if (line.startsWith('+')) found.push(name);
  }
  return found;
}

/** Whether a port is open and speaks the protocol in clear. A closed port is an answer, not an error. */
export async function probePort(endpoint: Endpoint, port: number): Promise<PortFacts> {
  try {
    const socket = await openTcp(endpoint, port);
    const line = await firstLine(socket, 'PING\r\n', Math.min(endpoint.timeoutMs, 1000));
    const foreign = line !== '' && !isResp(line);
    return { port, open: true, plaintext: isResp(line), ...(foreign && { foreign: line.slice(0, 40) }) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ECONNREFUSED' || code === 'ECONNRESET') return { port, open: false, plaintext: false };
    throw error;
  }
}

/** Dragonfly answers HTTP on its data port: a console at `/`, figures at `/metrics`. */
export async function probeHttp(endpoint: Endpoint, tls: boolean): Promise<{ root: boolean; metrics: boolean }> {
  const get = async (path: string): Promise<boolean> => {
    const socket = tls ? await openTls(endpoint) : await openTcp(endpoint);
    const line = await firstLine(socket, `GET ${path} HTTP/1.1\r\nHost: ${endpoint.host}\r\n\r\n`, 1000);
    return /^HTTP\/1\.\d 200/.test(line);
  };
  return { root: await get('/'), metrics: await get('/metrics') };
}
