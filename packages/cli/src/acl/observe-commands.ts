import { connect, type TLSSocket } from 'node:tls';
import type { TlsEndpoint } from '../engine/probe-tls.js';
import { type MonitoredCommand, parseMonitorLine } from './monitor-line.js';

/**
 * Runs MONITOR on a connection of its own for a bounded time and hands over each command. It is a stream of lines
 * that no request asked for, which a client for requests and replies has no place for.
 */
export function observeCommands(
  endpoint: TlsEndpoint,
  credentials: { readonly username: string; readonly password: string },
  options: {
    readonly milliseconds: number;
    readonly signal: AbortSignal;
    onCommand(command: MonitoredCommand): void;
    onStart(): void;
  },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ ...endpoint, minVersion: 'TLSv1.2', servername: '' });
    const end = () => socket.end();
    const timer = setTimeout(end, options.milliseconds);
    options.signal.addEventListener('abort', end, { once: true });
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
          if (accepted === 2) options.onStart();
        } else {
          const command = parseMonitorLine(line);
          if (command) options.onCommand(command);
        }
      }
    });
    socket.once('error', reject);
    socket.once('close', () => {
      clearTimeout(timer);
      options.signal.removeEventListener('abort', end);
      resolve();
    });
  });
}

function encode(args: readonly string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`).join('')}`;
}
