/**
 * A person's machine: an empty home, an empty project, a user without rights, Node, npm and a server in PATH, and a
 * registry that has the packages as they would be published.
 */
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { chmod, chown, cp, mkdir, mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { findEngine, type Packed, packPackages } from '@redkeep/testing';
import { type Registry, startRegistry } from './registry.js';
import { type Finished, type Shell, Terminal } from './terminal.js';

const run = promisify(execFile);

/** Root gives its rights up for `nobody`, as a test that runs as root would hide what only root may do. */
const USER = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

export class Machine {
  readonly folder: string;
  readonly home: string;
  readonly project: string;
  readonly registry: Registry;
  readonly env: NodeJS.ProcessEnv;
  readonly user: { readonly uid?: number; readonly gid?: number };
  readonly #turn: Server | undefined;

  constructor(folder: string, registry: Registry, user: Machine['user'], turn: Server | undefined) {
    this.user = user;
    this.#turn = turn;
    this.folder = folder;
    this.home = join(folder, 'home');
    this.project = join(folder, 'project');
    this.registry = registry;
    this.env = {
      HOME: this.home,
      PATH: [dirname(process.execPath), dirname(findEngine().server), '/usr/bin', '/bin'].join(':'),
      LANG: 'C.UTF-8',
      TERM: 'xterm-256color',
      npm_config_registry: registry.url,
      npm_config_audit: 'false',
      npm_config_fund: 'false',
      npm_config_update_notifier: 'false',
    };
  }

  /** A new shell in the project's folder. */
  open(shell: Shell): Promise<Terminal> {
    return Terminal.open(shell, { cwd: this.project, env: this.env, ...this.user });
  }

  /** Writes a file of the project, as its user would with an editor. */
  async write(name: string, text: string): Promise<string> {
    const path = join(this.project, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    await this.#own(path);
    await this.#own(dirname(path));
    return path;
  }

  /** Puts a folder that another machine sent into the project; only its content comes along. */
  async receive(folder: string, name: string): Promise<void> {
    const target = join(this.project, name);
    await cp(folder, target, { recursive: true });
    await this.#own(target);
    for (const file of await readdir(target)) await this.#own(join(target, file));
  }

  async #own(path: string): Promise<void> {
    if (this.user.uid !== undefined) await chown(path, this.user.uid, this.user.gid!);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.registry[Symbol.asyncDispose]();
    await endProcessesIn(this.folder);
    await rm(this.folder, { recursive: true, force: true });
    this.#turn?.close();
  }
}

/** Ends what still runs in a folder: a journey that failed half-way leaves its servers behind. */
async function endProcessesIn(folder: string): Promise<void> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '');
    if (cwd.startsWith(folder)) process.kill(Number(pid), 'SIGKILL');
  }
}

/**
 * Waits until no other journey uses the port that the pages name (6379). The turn is an abstract Unix socket, which the
 * kernel frees when its process ends.
 */
async function takeTurn(): Promise<Server> {
  for (;;) {
    const turn = createServer();
    const isTaken = await new Promise<boolean>((resolve, reject) => {
      turn.once('error', (error: NodeJS.ErrnoException) =>
        error.code === 'EADDRINUSE' ? resolve(true) : reject(error),
      );
      turn.listen('\0redkeep-journey-6379', () => resolve(false));
    });
    if (!isTaken) return turn;
    await sleep(200);
  }
}

let packed: Promise<{ readonly folder: string; readonly packages: Packed[] }> | undefined;

/**
 * A machine of a person; each person has a user of their own. The first person runs a server on the port that the pages
 * name, and waits for the journeys of other processes that do.
 */
export async function startMachine(person = 0): Promise<Machine> {
  packed ??= packOnce();
  const { packages } = await packed;
  const folder = await mkdtemp(join(tmpdir(), 'redkeep-journey-'));
  await chmod(folder, 0o755);
  const user = USER.uid === undefined ? {} : { uid: USER.uid - person, gid: USER.gid };
  const machine = new Machine(folder, await startRegistry(packages), user, person === 0 ? await takeTurn() : undefined);
  for (const path of [machine.home, machine.project]) {
    await mkdir(path);
    if (user.uid !== undefined) await chown(path, user.uid, user.gid);
  }
  return machine;
}

async function packOnce() {
  const folder = await mkdtemp(join(tmpdir(), 'redkeep-packed-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return { folder, packages: await packPackages(folder, ['client', 'guard', 'cli']) };
}

/** Whether this is `npm run journeys`, with everything that takes its time, and not `npm test`. */
export const isFull = process.env['REDKEEP_JOURNEYS'] === 'full';

/** The shells that the journeys are made in: bash, and with `npm run journeys` zsh too, which has to be installed. */
export async function journeyShells(): Promise<readonly Shell[]> {
  if (!isFull) return ['bash'];
  const all = ['bash', 'zsh'] as const;
  for (const name of all) await run(name, ['-c', 'true']);
  return all;
}

export type { Finished, Shell };
export { Terminal };
