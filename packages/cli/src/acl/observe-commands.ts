import { connect, type TLSSocket } from 'node:tls';
import type { TlsEndpoint } from '../engine/probe-tls.js';
import { type MonitoredCommand, parseMonitorLine } from './monitor-line.js';

/**
 * Runs MONITOR on a connection of its own while `during` works, and hands over each command. It is a stream of lines
 * that no request asked for, which a client for requests and replies has no place for. What a script runs is handed
 * over as its caller's: the server shows it right after the caller's line.
 */
export function observeCommands(
  endpoint: TlsEndpoint,
  credentials: { readonly username: string; readonly password: string },
  options: {
    onCommand(command: MonitoredCommand): void;
    during(): Promise<void>;
  },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ ...endpoint, minVersion: 'TLSv1.2', servername: '' });
    let caller = '';
    let work = Promise.resolve();
    let buffered = '';
    let accepted = 0;
    socket.setEncoding('latin1');
    socket.once('secureConnect', () => {
      socket.write(encode(['AUTH', credentials.username, credentials.password]) + encode(['MONITOR']));
    });
    socket.on('data', (text: string) => {
      const lines = (buffered + text).split('\r\n');
      buffered = lines.pop() ?? '';
      for (const line of lines) {
        if (line.startsWith('-')) socket.destroy(new Error(line.slice(1)));
        else if (line === '+OK') {
          accepted += 1;
          if (accepted !== 2) continue;
          work = options.during().finally(() => socket.end());
        } else {
          const command = parseMonitorLine(line);
          if (!command) continue;
          if (command.client !== 'lua') caller = command.client;
          options.onCommand({ ...command, client: caller });
        }
      }
    });
    socket.once('error', reject);
    // A server that drops a slow reader closes early; what was missed shows when the work has counted.
    socket.once('close', () => work.then(resolve, reject));
  });
}

function encode(args: readonly string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`).join('')}`;
}
