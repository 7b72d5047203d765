import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

const exec = promisify(execFile);

export interface Outcome {
  readonly code: number;
  readonly out: string;
}

/** Runs a program to its end and gives its code and all that it printed. */
export async function runProgram(program: string, args: readonly string[]): Promise<Outcome> {
  try {
    const { stdout, stderr } = await exec(program, [...args], { maxBuffer: 16 * 1024 * 1024 });
    return { code: 0, out: stdout + stderr };
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code: unknown; stdout?: string; stderr?: string };
    if (typeof code !== 'number') throw error;
    return { code, out: stdout + stderr };
  }
}

/** Starts a program that runs until it is disposed of. */
export function startProgram(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(program, [...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let output = '';
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-20_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const ended = once(child, 'exit');
  // A test process that is killed must not leave it behind.
  const stop = () => child.kill('SIGKILL');
  process.once('exit', stop);
  return {
    output: () => output,
    async [Symbol.asyncDispose]() {
      process.removeListener('exit', stop);
      child.kill('SIGKILL');
      await ended;
    },
  };
}
