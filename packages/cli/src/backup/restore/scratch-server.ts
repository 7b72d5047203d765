import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient, type RedisClient } from 'redkeep';
import type { ServerProgram } from '../../engine/server-program.js';
import { CliError } from '../../errors.js';
import { endKeeper, ScratchFolder } from './scratch-folder.js';

const pollMs = 20;
const socketName = 's';

// The system closes the pipe when the process that holds its other end dies, even by SIGKILL; then the server is ended.
const supervise = `
exec 3<&0
"$1" "$2" 3<&- </dev/null &
server=$!
{ read -r _ <&3; kill -9 "$server"; } >/dev/null 2>&1 &
exec 3<&- </dev/null
wait "$server" 2>/dev/null
code=$?
kill $! 2>/dev/null
exit "$code"
`;

type Supervisor = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * A server of our own that has loaded a data folder: no port, a Unix socket in a folder of this user, gone afterwards,
 * and gone when this process ends, however it ends: a small shell is the server's parent and waits for that. DEBUG is open
 * there, which is why it is never the production server.
 */
export class ScratchServer {
  readonly #child: Supervisor;
  readonly #socketFolder: ScratchFolder;
  readonly client: RedisClient;
  /** From the start of the process to the first answer behind loading, in milliseconds. */
  readonly loadMs: number;

  private constructor(child: Supervisor, socketFolder: ScratchFolder, client: RedisClient, loadMs: number) {
    this.#child = child;
    this.#socketFolder = socketFolder;
    this.client = client;
    this.loadMs = loadMs;
  }

  /** Starts it on a folder that `writeDataFolder` wrote. An error that quotes the server's log where it cannot load. */
  static async start(program: ServerProgram, folder: string, signal: AbortSignal): Promise<ScratchServer> {
    // The path of a Unix socket has at most 107 bytes.
    const socketFolder = await ScratchFolder.in(undefined);
    const socket = path.join(socketFolder.path, socketName);
    const config = path.join(socketFolder.path, 'server.conf');
    await writeFile(config, configuration(folder, socket), { mode: 0o600 });
    const began = performance.now();
    const child = spawn('/bin/sh', ['-c', supervise, 'redkeep-scratch', program.path, config], {
      // A session of its own: a signal to the group of the terminal reaches redkeep, and it ends the server.
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], LANG: 'C.UTF-8' },
    });
    let log = '';
    child.stdin.on('error', () => undefined);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        log = (log + text).slice(-8192);
      });
    }
    const failed = new Promise<never>((_, reject) => {
      child.once('error', reject);
      child.once('exit', () => reject(refused(program, log)));
    });
    failed.catch(() => undefined);
    try {
      const client = await Promise.race([answering(socket, signal), failed]);
      return new ScratchServer(child, socketFolder, client, performance.now() - began);
    } catch (error) {
      await endKeeper(child);
      await socketFolder.remove();
      throw error;
    }
  }

  /** Ends it without saving; the data folder is the caller's. */
  async stop(): Promise<void> {
    if (this.client.isOpen) this.client.destroy();
    await endKeeper(this.#child);
    await this.#socketFolder.remove();
  }
}

function configuration(folder: string, socket: string): string {
  const quoted = (text: string) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  return [
    'port 0',
    `unixsocket ${quoted(socket)}`,
    'unixsocketperm 700',
    `dir ${quoted(folder)}`,
    'appendonly yes',
    // A restore to a moment is complete or fails.
    'aof-load-truncated no',
    'save ""',
    'auto-aof-rewrite-percentage 0',
    'enable-debug-command local',
    'databases 1024',
    '',
  ].join('\n');
}

async function answering(socket: string, signal: AbortSignal): Promise<RedisClient> {
  for (;;) {
    signal.throwIfAborted();
    const client = createClient({
      socket: { path: socket, reconnectStrategy: false },
      tls: false,
      commandPolicy: 'unrestricted',
      commandOptions: { timeout: undefined },
    });
    client.on('error', () => undefined);
    // It waits for as long as the server loads.
    const stop = () => client.destroy();
    signal.addEventListener('abort', stop);
    try {
      await client.connect();
      await client.sendCommand(['PING']);
      return client;
    } catch {
      if (client.isOpen) client.destroy();
      await delay(pollMs, undefined, { signal });
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }
}

/** The line of the log that says why. */
function refused(program: ServerProgram, log: string): CliError {
  const lines = log.trim().split('\n');
  const telling = lines.findLast((line) =>
    /can't handle rdb|unknown command|bad file format|error|fatal|wrong/i.test(line),
  );
  const reason = (telling ?? lines.at(-1) ?? 'it said nothing').replace(/^\d+:\S+ .*? [*#.-] /, '').slice(0, 200);
  const tooOld = /RDB format version|unknown command/i.test(reason);
  return new CliError(
    tooOld ? 'REDKEEP_BACKUP_INCOMPATIBLE' : 'REDKEEP_BACKUP_UNPROVED',
    `${program.engine.name} ${program.fullVersion} cannot load this backup: ${reason}`,
    tooOld
      ? 'Name a server program of the engine and version that wrote it with --server.'
      : 'Run "redkeep backup verify"; then try another moment.',
  );
}
