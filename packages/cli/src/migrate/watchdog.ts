import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Ask } from '../audit/gather/live.js';
import type { Session } from '../audit/gather/node.js';
import type { Context } from '../context.js';
import { CliError } from '../errors.js';
import { openAdmin } from './access.js';
import { Migration, type MigrationNode, type StepId } from './migration.js';

const program = fileURLToPath(new URL('../../bin/redkeep.js', import.meta.url));

/**
 * Starts a process of its own that takes a step back when this process dies, hangs or loses its connection, as `netplan
 * try` does. It logs in before anything is closed, and so still can act when nobody can log in any more.
 */
export async function startWatchdog({ folder }: Migration, step: StepId, seconds: number): Promise<void> {
  const child = spawn(
    process.execPath,
    [program, 'migrate', 'watchdog', '--dir', folder, '--step', step, '--seconds', String(seconds)],
    { detached: true, stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const [answer] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])) as [unknown];
  if (!Buffer.isBuffer(answer))
    throw new CliError(
      'REDKEEP_SERVER_FAILED',
      'The watchdog that would take this step back did not start, so the step was not taken.',
      'Look at free memory and processes, and run it again.',
    );
  child.stdout.destroy();
  child.unref();
}

/** The watchdog's own process: waits for the journal, and undoes the step over the connections that it opened before. */
export async function runWatchdog(context: Context, folder: string, step: StepId, seconds: number): Promise<void> {
  const migration = await Migration.load(folder);
  const sessions: { node: MigrationNode; session: Session }[] = [];
  for (const node of migration.plan.nodes) sessions.push({ node, session: await openAdmin(migration, node) });
  context.terminal.line('watching');
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    const state = (await Migration.load(folder)).stateOf(step);
    if (state !== 'begun' && state !== undefined) return closeAll(sessions);
    await delay(200);
  }
  const late = await Migration.load(folder);
  if (late.stateOf(step) === 'begun') {
    for (const { node, session } of sessions) await openAgain(session.ask, node, step);
    await late.record(step, 'rolled-back', context.clock.now(), `not confirmed within ${seconds} s`);
  }
  await closeAll(sessions);
}

/** What this step closed, as it was before; what earlier steps closed stays closed. */
async function openAgain(ask: Ask, node: MigrationNode, step: StepId): Promise<void> {
  if (step === 'close-plaintext') {
    await ask('CONFIG', 'SET', 'port', node.before['port'] ?? String(node.port));
    return;
  }
  const [, , ...rules] = node.defaultUser.split(' ');
  await ask('ACL', 'SETUSER', 'default', 'reset', ...rules);
}

async function closeAll(sessions: readonly { session: Session }[]): Promise<void> {
  for (const { session } of sessions) await session.close().catch(() => undefined);
}
