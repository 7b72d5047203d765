// The system's package manager, whichever it is.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { run } from './step.mjs';

const exec = promisify(execFile);

/**
 * The first of `managers` that is here, as something that can be called; `{ program, root, env }` each.
 * @throws Error that says why none can be used
 */
export async function packageManager(managers) {
  const manager = managers.find(({ program }) => isInPath(program));
  if (!manager)
    throw new Error(`no package manager that we know (${managers.map(({ program }) => program).join(', ')})`);
  const prefix = manager.root ? await asRoot() : [];
  if (!prefix) throw new Error(`${manager.program} needs root, and sudo asks for a password`);
  const call = (args) => {
    const [program, ...rest] = [...prefix, manager.program, ...args];
    return run(program, rest, { quiet: true, env: manager.env });
  };
  return { manager, prefix, call };
}

/** What to put before a command so that root runs it; undefined when that takes a password. */
async function asRoot() {
  if (process.getuid?.() === 0) return [];
  const allowed = await exec('sudo', ['-n', 'true']).then(
    () => true,
    () => false,
  );
  return allowed ? ['sudo', '-n'] : undefined;
}

export function isInPath(program) {
  return (process.env.PATH ?? '').split(':').some((folder) => folder && existsSync(`${folder}/${program}`));
}

export async function firstWhere(items, condition) {
  for (const item of items) if (await condition(item)) return item;
  return undefined;
}
