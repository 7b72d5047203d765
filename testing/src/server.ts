import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Engine, findEngine } from './engines.js';
import { freePort } from './free-port.js';
import type { Pki } from './pki.js';
import { type RawTarget, rawCommand } from './raw-command.js';
import { RawError, type RawReply } from './resp.js';
import { type ConfigLines, prepareTls, quote, renderLines, type ServerTls, writeConfig } from './server-config.js';
import { ServerProcess } from './server-process.js';
import { waitFor } from './wait-for.js';

export interface ServerOptions {
  /** Default: `findEngine()`, which REDKEEP_ENGINE chooses. */
  readonly engine?: Engine;
  /** Added after the defaults, so it wins. */
  readonly config?: ConfigLines;
  /** Serves TLS, and only TLS unless `plaintext`. */
  readonly tls?: boolean | ServerTls;
  /** With `tls`: keeps the plaintext port open as well. */
  readonly plaintext?: boolean;
  /** The default user's password (`requirepass`). */
  readonly password?: string;
  /** Lines of an ACL file, `user app on >secret ~app:* +@read`; written to `users.acl`, 0600. */
  readonly users?: readonly string[];
  /** The user that `server.command()` logs in as, and a replica of this server; default: the default user with `password`. */
  readonly admin?: { readonly username: string; readonly password: string };
  /** Starts as a replica and waits until it is in step. */
  readonly replicaOf?: Server;
  /** Default false. */
  readonly appendonly?: boolean;
}

/** How a process is reached; `port` is 0 where there is none. */
interface Addresses {
  readonly port: number;
  readonly tlsPort: number;
}

/**
 * A running server (or sentinel) on loopback, with a folder of its own (0700). `await using server = await
 * startServer()` ends it with the block; `stop()` in an `after` hook does the same, and when the test process goes
 * without either, the server and its folder still go.
 */
export class Server {
  readonly engine: Engine;
  /** Plaintext port; 0 when there is none. */
  readonly port: number;
  /** TLS port; 0 when there is none. */
  readonly tlsPort: number;
  /** Its folder: configuration, data, certificates, log. */
  readonly dir: string;
  readonly configFile: string;
  /** The certificates it was given; undefined without TLS. */
  readonly pki: Pki | undefined;
  /** Paths of PEM files that a client can use; undefined without TLS. */
  readonly tlsFiles: { readonly ca: string; readonly clientCert: string; readonly clientKey: string } | undefined;
  /** How `command()` gets in. */
  readonly target: RawTarget;
  readonly #process: ServerProcess;

  constructor(
    parts: Addresses & {
      engine: Engine;
      dir: string;
      configFile: string;
      pki: Pki | undefined;
      tlsFiles: Server['tlsFiles'];
      target: RawTarget;
      process: ServerProcess;
    },
  ) {
    this.engine = parts.engine;
    this.port = parts.port;
    this.tlsPort = parts.tlsPort;
    this.dir = parts.dir;
    this.configFile = parts.configFile;
    this.pki = parts.pki;
    this.tlsFiles = parts.tlsFiles;
    this.target = parts.target;
    this.#process = parts.process;
  }

  readonly host = '127.0.0.1';

  /** `rediss://127.0.0.1:<tlsPort>` when it speaks TLS, else `redis://127.0.0.1:<port>`. No credentials in it. */
  get url(): string {
    return this.tlsPort ? `rediss://${this.host}:${this.tlsPort}` : `redis://${this.host}:${this.port}`;
  }

  /** Undefined while it is down. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  get isUp(): boolean {
    return this.#process.isUp;
  }

  /** What it has printed so far. */
  log(): string {
    return this.#process.log();
  }

  /** One command over a connection of its own, as the admin; error replies are thrown. */
  command(...args: (string | Buffer)[]): Promise<RawReply> {
    return rawCommand(this.target, args);
  }

  /** `INFO` as fields. */
  async info(section = 'everything'): Promise<Record<string, string>> {
    const text = String(await this.command('INFO', section));
    const fields = [...text.matchAll(/^([^#:\r\n]+):([^\r\n]*)/gm)];
    return Object.fromEntries(fields.map(([, name, value]) => [name, value]));
  }

  /** Starts it again on the same port and folder; its data is what it had written. */
  async restart(): Promise<void> {
    await this.#process.stop();
    await this.start();
  }

  /** Starts a server that is down. */
  async start(): Promise<void> {
    await this.#process.start();
    await waitFor(async () => !this.#process.isUp || (await this.#answers()), { message: `an answer on ${this.url}` });
    if (!this.#process.isUp) {
      throw new ServerFailed(`${this.engine.name} ended while starting:\n${this.log().slice(-2000)}`);
    }
  }

  /** Ends it as an operator would (SIGTERM), keeping its folder until the test process ends. */
  stop(): Promise<void> {
    return this.#process.stop();
  }

  /** Sends a signal, SIGKILL by default, and for SIGKILL waits until it is gone. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.#process.signal(signal);
    if (signal === 'SIGKILL') await this.#process.ended();
  }

  /** Freezes it: connections stay open, nothing is answered. */
  pause(): void {
    this.#process.signal('SIGSTOP');
  }

  resume(): void {
    this.#process.signal('SIGCONT');
  }

  /** Ends it at once and removes its folder. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#process.dispose();
  }

  async #answers(): Promise<boolean> {
    // Reaching our own child, whose certificate may be wrong on purpose: only here is it not verified.
    const { tls } = this.target;
    const target = tls ? { ...this.target, tls: { ...tls, dangerouslyAcceptAnyCertificate: true } } : this.target;
    try {
      await rawCommand({ ...target, username: 'default', password: undefined }, ['PING']);
      return true;
    } catch (error) {
      return error instanceof RawError && !/^(LOADING|BUSY|MASTERDOWN)/.test(error.message);
    }
  }
}

/** The server gave up: bad configuration, port taken. Its log's end is in the message. */
export class ServerFailed extends Error {
  override readonly name = 'ServerFailed';
}

/**
 * Starts a real server and waits until it answers.
 *
 * @example
 * await using server = await startServer({ tls: true, config: { maxmemory: '10mb' } });
 * await server.command('SET', 'key', 'value');
 */
export async function startServer(options: ServerOptions = {}): Promise<Server> {
  const { replicaOf: primary, password = primary?.target.password, admin } = options;
  const login = admin ?? (password === undefined ? undefined : { username: 'default', password });
  const server = await launch({ ...options, password }, login, (dir) => [
    'save ""',
    'repl-diskless-sync-delay 0',
    `appendonly ${options.appendonly ? 'yes' : 'no'}`,
    ...(options.password === undefined ? [] : [`requirepass ${quote(options.password)}`]),
    ...(options.users ? [`aclfile ${quote(join(dir, 'users.acl'))}`] : []),
    ...(primary ? replicaLines(primary) : []),
  ]);
  if (primary) await waitFor(async () => (await server.info('replication'))['master_link_status'] === 'up');
  return server;
}

function replicaLines(primary: Server): string[] {
  const { username, password } = primary.target;
  return [
    `replicaof ${primary.host} ${primary.tlsPort || primary.port}`,
    ...(primary.tlsPort ? ['tls-replication yes'] : []),
    ...(username && username !== 'default' ? [`masteruser ${username}`] : []),
    ...(password === undefined ? [] : [`masterauth ${quote(password)}`]),
  ];
}

/** Starts a server in sentinel mode, with the lines given. */
export function startSentinelServer(options: ServerOptions, lines: readonly string[]): Promise<Server> {
  const { password } = options;
  const login = password === undefined ? undefined : { username: 'default', password };
  return launch(
    options,
    login,
    () => [...(password === undefined ? [] : [`requirepass ${quote(password)}`]), ...lines],
    ['--sentinel'],
  );
}

// Between the moment a port is found free and the moment the server takes it, somebody else can.
const PORT_ATTEMPTS = 5;

async function launch(
  options: ServerOptions,
  login: { username: string; password: string } | undefined,
  lines: (dir: string) => string[],
  extraArgs: readonly string[] = [],
): Promise<Server> {
  for (let attempt = 1; ; attempt++) {
    const server = await prepare(options, login, lines, extraArgs);
    try {
      await server.start();
      return server;
    } catch (error) {
      const portTaken = /Address already in use|Failed listening/.test(server.log());
      await server[Symbol.asyncDispose]();
      if (!portTaken || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

async function prepare(
  options: ServerOptions,
  login: { username: string; password: string } | undefined,
  lines: (dir: string) => string[],
  extraArgs: readonly string[],
): Promise<Server> {
  const engine = options.engine ?? findEngine();
  const dir = await mkdtemp(join(tmpdir(), 'redkeep-test-'));
  const tls = await prepareTls(options.tls, dir);
  const port = !tls || options.plaintext ? await freePort() : 0;
  const tlsPort = tls ? await freePort() : 0;
  if (options.users) await writeConfig(dir, 'users.acl', options.users);
  const configFile = await writeConfig(dir, 'redis.conf', [
    'bind 127.0.0.1 -::1',
    `port ${port}`,
    `dir ${quote(dir)}`,
    ...(tls ? [`tls-port ${tlsPort}`, ...tls.lines] : []),
    ...lines(dir),
    ...renderLines(options.config),
  ]);
  const target: RawTarget = { port: tlsPort || port, ...(tls ? { tls: tls.client } : {}), ...login };
  const process = new ServerProcess({ program: engine.server, args: [configFile, ...extraArgs], dir });
  return new Server({ engine, port, tlsPort, dir, configFile, pki: tls?.pki, tlsFiles: tls?.files, target, process });
}
