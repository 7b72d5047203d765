import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import type { Connect } from './engine/connect-node.js';
import { ExitCode } from './exit-codes.js';
import { Terminal } from './terminal.js';

/** Time as a command sees it, so that a test can move it. */
export interface Clock {
  now(): Date;
}

export interface Prompt {
  /** True when a person can be asked. */
  readonly available: boolean;
  /** Asks for a line; an empty answer is `fallback`. */
  ask(question: string, fallback: string): Promise<string>;
  confirm(question: string, fallback: boolean): Promise<boolean>;
}

/** Everything a command may touch of the world outside. */
export interface Context {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly terminal: Terminal;
  /** Aborted by Ctrl-C and SIGTERM. Long steps watch it and leave nothing half-done. */
  readonly signal: AbortSignal;
  readonly prompt: Prompt;
  /** Connects to a server as one of its users. */
  readonly connect: Connect;
  /** What the process will exit with when the command returns; set it for outcomes that are not errors. */
  exitCode: ExitCode;
}

export interface ProcessStreams {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** The context of a real process. */
export function createContext(streams: ProcessStreams, signal: AbortSignal): Context {
  return {
    cwd: process.cwd(),
    env: process.env,
    clock: { now: () => new Date() },
    terminal: new Terminal({ out: streams.stdout, err: streams.stderr, env: process.env }),
    signal,
    prompt: linePrompt(streams, signal),
    // Loaded when a server is first reached: help and files need no client.
    connect: async (target) => (await import('./engine/connect-node.js')).connect(target),
    exitCode: ExitCode.Ok,
  };
}

/** Loaded when it is needed: errors bring the client with them, which no help and no file needs. */
async function interruption(): Promise<Error> {
  return (await import('./interruption.js')).interrupted();
}

function linePrompt({ stdin, stderr }: ProcessStreams, signal: AbortSignal): Prompt {
  const available = stdin.isTTY === true && stderr.isTTY === true;
  async function ask(question: string, fallback: string): Promise<string> {
    if (!available) return fallback;
    const lines = createInterface({ input: stdin, output: stderr });
    // Ctrl-D ends the input; Ctrl-C reaches readline, which has the terminal, and not the process.
    const closed = once(lines, 'close').then(async () => Promise.reject(await interruption()));
    closed.catch(() => undefined);
    try {
      const answer = await Promise.race([lines.question(`${question} [${fallback}] `, { signal }), closed]);
      return answer.trim() || fallback;
    } catch (error) {
      throw error instanceof Error && error.name === 'AbortError' ? await interruption() : error;
    } finally {
      lines.close();
    }
  }
  return {
    available,
    ask,
    async confirm(question, fallback) {
      const answer = await ask(`${question} (y/n)`, fallback ? 'y' : 'n');
      return /^y(es)?$/i.test(answer);
    },
  };
}
