import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient, type RedisClient } from 'redkeep';
import type { ServerProgram } from '../../engine/server-program.js';
import { CliError } from '../../errors.js';

const pollMs = 20;
const socketName = 's';

/**
 * A server of our own that has loaded a data folder: no port, a Unix socket in a folder of this user, gone afterwards.
 * DEBUG is open there, which is why it is never the production server.
 */
export class ScratchServer {
  readonly #child: ChildProcess;
  readonly #socketFolder: string;
  readonly client: RedisClient;
  /** From the start of the process to the first answer behind loading, in milliseconds. */
  readonly loadMs: number;

  private constructor(child: ChildProcess, socketFolder: string, client: RedisClient, loadMs: number) {
    this.#child = child;
    this.#socketFolder = socketFolder;
    this.client = client;
    this.loadMs = loadMs;
  }

  /** Starts it on a folder that `writeDataFolder` wrote. An error that quotes the server's log where it cannot load. */
  static async start(program: ServerProgram, folder: string, signal: AbortSignal): Promise<ScratchServer> {
    // The path of a Unix socket has at most 107 bytes.
    const socketFolder = await mkdtemp(path.join(tmpdir(), 'rks-'));
    const socket = path.join(socketFolder, socketName);
    const config = path.join(socketFolder, 'server.conf');
    await writeFile(config, configuration(folder, socket), { mode: 0o600 });
    const began = performance.now();
    const child = spawn(program.path, [config], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], LANG: 'C.UTF-8' },
    });
    let log = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
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
      child.kill('SIGKILL');
      await rm(socketFolder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Ends it without saving; the data folder is the caller's. */
  async stop(): Promise<void> {
    if (this.client.isOpen) this.client.destroy();
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGKILL');
      await once(this.#child, 'exit');
    }
    await rm(this.#socketFolder, { recursive: true, force: true });
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
    try {
      await client.connect();
      await client.sendCommand(['PING']);
      return client;
    } catch {
      if (client.isOpen) client.destroy();
      await delay(pollMs, undefined, { signal });
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
