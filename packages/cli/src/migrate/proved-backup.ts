import { readFile } from 'node:fs/promises';
import { backupKeyNew } from '../commands/backup/key.js';
import { backupProve } from '../commands/backup/prove.js';
import { backupRun } from '../commands/backup/run.js';
import type { Context } from '../context.js';
import { readIfPresent } from '../files/read-if-present.js';
import { Terminal } from '../terminal.js';
import type { StepContext } from './step.js';

const source = 'before-migration';

/**
 * A backup of the primary by its replication stream, encrypted to a key that stays in the migration's folder, and
 * restored into a scratch server. Without that proof nothing is changed.
 */
export async function takeProvedBackup({ migration, context, server }: StepContext): Promise<string> {
  const primary = migration.plan.nodes.find(({ role }) => role === 'primary')!;
  const identity = migration.file('backup', 'identity.txt');
  const quiet = silent(context);
  const { mkdir } = await import('node:fs/promises');
  await mkdir(migration.file('backup'), { recursive: true, mode: 0o700 });
  if ((await readIfPresent(identity)) === undefined) await backupKeyNew(quiet, identity, {});
  const recipient = /^# public key: (\S+)$/m.exec(await readFile(identity, 'utf8'))?.[1] ?? '';
  const place = { store: migration.file('backup', 'store'), source, state: migration.file('backup', 'state') };
  const { user, passwordFile } = migration.plan.given;
  await backupRun(quiet, {
    ...place,
    from: [`redis://${primary.host.includes(':') ? `[${primary.host}]` : primary.host}:${primary.port}`],
    recipient: [recipient],
    // The old way is plaintext by nature; this step is taken before there is another.
    allowPlaintext: true,
    onPrimary: true,
    ...(user !== undefined && { user }),
    ...(passwordFile !== undefined && { passwordFile }),
  });
  await backupProve(quiet, { ...place, identity: [identity], ...(server !== undefined && { server }) });
  return `proved; the data is in ${place.store}, its key in ${identity}`;
}

function silent(context: Context): Context {
  const sink = { write: () => undefined };
  return Object.create(context, {
    terminal: { value: new Terminal({ out: sink, err: sink, env: {} }) },
  }) as Context;
}
