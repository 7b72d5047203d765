import type { Command } from 'commander';
import type { Context } from '../../context.js';
import { withFolderLock } from '../../deployment/folder-lock.js';
import { applyNow } from '../apply/apply.js';
import { type DirOption, withDirOption } from '../dir-option.js';
import { withHelp } from '../help.js';
import { chosenNodes, openDelivery } from '../open-delivery.js';

interface RestartOptions extends DirOption {
  readonly yes?: boolean;
}

/** `redkeep restart`: nodes one by one, a primary after it has been handed over. */
export function register(program: Command, context: Context): void {
  const command = withDirOption(program.command('restart'))
    .description('restart nodes one by one; a primary hands over first, without losing a write')
    .argument('[nodes...]', 'these nodes (default: all)')
    .option('-y, --yes', 'ask nothing');
  withHelp(command, {
    examples: [
      ['redkeep restart node-2', 'one node'],
      ['redkeep restart --yes', 'all of them, replicas first, then sentinels, then the primary'],
    ],
  }).action((names: string[], options: RestartOptions) => restart(context, names, options));
}

async function restart(context: Context, names: readonly string[], options: RestartOptions): Promise<void> {
  const delivery = await openDelivery(context, options.dir);
  await delivery.check();
  const nodes = chosenNodes(delivery, names).map(({ name }) => name);
  await withFolderLock(delivery.loaded.folder, 'restart', async () => {
    const kind = 'restart';
    await applyNow(context, delivery, { yes: options.yes === true, kind, only: nodes, restart: nodes });
  });
}
