import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Clock, Context } from '../context.js';
import { connect } from '../engine/connect-node.js';
import { ExitCode } from '../exit-codes.js';
import { run } from '../program.js';
import { Terminal } from '../terminal.js';

export interface CliResult {
  readonly code: ExitCode;
  readonly out: string;
  readonly err: string;
  /** What was asked. */
  readonly questions: readonly string[];
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
  /** What a person at the terminal answers, one after the other; then only the defaults. */
  readonly replies?: readonly string[];
  /** Called with each piece of text the command writes. */
  readonly onText?: (text: string) => void;
}

/** A folder for one test, and the command line run in it, in this process. */
export class CliSandbox {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(): Promise<CliSandbox> {
    process.umask(0o077);
    return new CliSandbox(await mkdtemp(path.join(tmpdir(), 'redkeep-cli-')));
  }

  path(...parts: readonly string[]): string {
    return path.join(this.folder, ...parts);
  }

  async run(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
    let out = '';
    let err = '';
    const questions: string[] = [];
    const replies = [...(options.replies ?? [])];
    const env = options.env ?? process.env;
    const context: Context = {
      cwd: this.folder,
      env,
      clock: options.clock ?? { now: () => new Date() },
      terminal: new Terminal({
        out: {
          write: (text) => {
            out += text;
            options.onText?.(text);
          },
        },
        err: {
          write: (text) => {
            err += text;
            options.onText?.(text);
          },
        },
        env: {},
      }),
      signal: options.signal ?? new AbortController().signal,
      prompt: {
        available: options.replies !== undefined,
        ask: async (question, fallback) => {
          questions.push(question);
          return replies.shift() || fallback;
        },
        confirm: async (_, fallback) => fallback,
      },
      connect,
      exitCode: ExitCode.Ok,
    };
    const code = await run(args, context);
    return { code, out, err, questions };
  }

  /** Stops the servers of a deployment made here and removes the folder. */
  async remove(deployment = 'redkeep'): Promise<void> {
    await this.run(['down', '--dir', deployment]);
    await rm(this.folder, { recursive: true, force: true });
  }
}
