import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { CliSandbox } from './run-cli.js';

const program = fileURLToPath(new URL('../../bin/redkeep.js', import.meta.url));
const killer = new URL('./kill-at.js', import.meta.url).href;

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly err: string;
}

/** Runs redkeep in a process of its own: only that can be killed. */
export function runRedkeep(
  sandbox: CliSandbox,
  args: readonly string[],
  env: Record<string, string> = {},
  onStart: (child: ChildProcess) => void = () => undefined,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', killer, program, ...args], {
      cwd: sandbox.folder,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...env },
    });
    let err = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, err }));
    onStart(child);
  });
}

/** Runs it until it kills itself at a moment of its journal (`kill-at.ts`). */
export async function killRedkeep(sandbox: CliSandbox, args: readonly string[], moment: string): Promise<void> {
  const { signal, err } = await runRedkeep(sandbox, args, { REDKEEP_TEST_KILL: moment });
  assert.equal(signal, 'SIGKILL', `never came to ${moment}: ${err}`);
}

export interface KilledChain {
  /** Where a run was ended, in order. */
  readonly kills: readonly string[];
  /** The run that was not. */
  readonly last: Ended;
}

/**
 * Runs a command and, each time that it was killed, `again`, until a run comes to its end. Each is ended after the first
 * write of the journal, change of a file or change of a server after which none of the same name was ended before.
 */
export async function killEverywhere(
  sandbox: CliSandbox,
  args: readonly string[],
  again: readonly string[],
  { name, only = '' }: { readonly name: string; readonly only?: string },
): Promise<KilledChain> {
  const file = sandbox.path(`${name}.list`);
  const read = async () => (await readFile(file, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
  const before = await read();
  const env = { REDKEEP_TEST_EFFECTS: file, REDKEEP_TEST_EFFECTS_OF: only };
  let last = await runRedkeep(sandbox, args, env);
  while (last.signal === 'SIGKILL') last = await runRedkeep(sandbox, again, env);
  return { kills: (await read()).slice(before.length), last };
}
