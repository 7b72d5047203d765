import type { Command } from 'commander';
import type { Context } from '../../context.js';
import { withReadOptions } from '../backup/options.js';
import { withMoment } from '../backup/register.js';

/** `redkeep restore`: brings data back. */
export function register(program: Command, context: Context): void {
  const restore = program.command('restore').description('bring data back: whole, to a second, or to before a command');
  withMoment(withReadOptions(restore))
    .option('--out <folder>', 'write a data folder for each shard, from which a server starts')
    .option('--unverified-writer', 'restore a backup whose writer is not known')
    .action(async (options) => (await import('./restore.js')).restore(context, options));
}
