import type { Command } from 'commander';
import type { Context } from '../../context.js';
import { type DirOption, withDirOption } from '../dir-option.js';
import { loadLocal, stopAll } from '../up/up.js';

/** `redkeep down`: stops the servers; each writes its data first. */
export function register(program: Command, context: Context): void {
  withDirOption(program.command('down'))
    .description('stop the servers; data, users and certificates stay')
    .action((options: DirOption) => down(context, options));
}

async function down(context: Context, options: DirOption): Promise<void> {
  const loaded = await loadLocal(context, options.dir);
  const stopped = await stopAll(loaded, loaded.deployment.nodes);
  context.terminal.done(stopped === 0 ? 'Nothing was running.' : `Stopped ${stopped}; the data is kept.`);
}
