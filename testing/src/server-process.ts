import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { reaped, reapWhenGone } from './reaper.js';

// A server that was asked to end writes its data first; one that takes longer than this is killed.
const GRACE = 10_000;

/** What is started: a program with arguments, whose files all live in one folder that goes with it. */
export interface Launch {
  readonly program: string;
  readonly args: readonly string[];
  /** Its folder, mode 0700; removed by `dispose`. */
  readonly dir: string;
}

/** A child process with a folder. Ends with its test process at the latest. */
export class ServerProcess {
  readonly #launch: Launch;
  #child: ChildProcess | undefined;
  #ended: Promise<unknown> = Promise.resolve();

  constructor(launch: Launch) {
    this.#launch = launch;
    reapWhenGone(0, launch.dir);
  }

  /** The process id; undefined while it is down. */
  get pid(): number | undefined {
    return this.isUp ? this.#child?.pid : undefined;
  }

  get isUp(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get logFile(): string {
    return join(this.#launch.dir, 'server.log');
  }

  /** Everything it has printed since it was first started. */
  log(): string {
    return readFileSync(this.logFile, 'utf8');
  }

  async start(): Promise<void> {
    const { program, args, dir } = this.#launch;
    const output = openSync(this.logFile, 'a', 0o600);
    const child = spawn(program, args, { cwd: dir, stdio: ['ignore', output, output] });
    closeSync(output);
    this.#child = child;
    this.#ended = once(child, 'exit').catch(() => {});
    await once(child, 'spawn');
    const pid = child.pid as number;
    reapWhenGone(pid, dir);
    child.once('exit', () => reaped(pid, dir));
    // A test that forgets to stop its server ends all the same; the reaper then ends the server.
    child.unref();
  }

  /** Resolves when the process is down; at once when it is not up. */
  async ended(): Promise<void> {
    this.#child?.ref();
    await this.#ended;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.isUp) this.#child?.kill(signal);
  }

  /** SIGTERM, then SIGKILL when it does not go. Safe at any time. */
  async stop(): Promise<void> {
    if (!this.isUp) return;
    this.signal('SIGCONT');
    this.signal('SIGTERM');
    const killer = setTimeout(() => this.signal('SIGKILL'), GRACE);
    await this.ended();
    clearTimeout(killer);
  }

  /** Ends it at once and removes its folder. */
  async dispose(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended();
    await rm(this.#launch.dir, { recursive: true, force: true });
    reaped(0, this.#launch.dir);
  }
}
