import type { Command } from 'commander';
import type { Context } from '../../context.js';
import { withFolderLock } from '../../deployment/folder-lock.js';
import { type DirOption, withDirOption } from '../dir-option.js';
import { withHelp } from '../help.js';
import { openDelivery } from '../open-delivery.js';
import { stopAll } from '../up/up.js';

/** `redkeep down`: stops the servers; each writes its data first. */
export function register(program: Command, context: Context): void {
  withHelp(withDirOption(program.command('down')).description('stop the servers; data, users and certificates stay'), {
    examples: [['redkeep down', 'stop every server; the next "redkeep up" finds the data']],
  }).action((options: DirOption) => down(context, options));
}

async function down(context: Context, options: DirOption): Promise<void> {
  const delivery = await openDelivery(context, options.dir);
  await withFolderLock(delivery.loaded.folder, 'down', async () => {
    const stopped = await stopAll(context, delivery, delivery.loaded.deployment.nodes);
    context.terminal.done(stopped === 0 ? 'Nothing was running.' : `Stopped ${stopped}; the data is kept.`);
  });
}
