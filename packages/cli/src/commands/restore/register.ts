import type { Command } from 'commander';
import type { Context } from '../../context.js';
import { withReadOptions } from '../backup/options.js';
import { withMoment } from '../backup/register.js';

/** `redkeep restore`: brings data back. */
export function register(program: Command, context: Context): void {
  const restore = program.command('restore').description('bring data back: whole, to a second, or to before a command');
  withMoment(withInto(withReadOptions(restore)))
    .option('--out <folder>', 'write a data folder for each shard, from which a server starts')
    .option('--keys <patterns...>', 'with --into: only these keys, for example "customer:42:*"')
    .option('--new-credentials', 'with --into: make the password of every user anew first; old ones are refused')
    .action(async (options) => (await import('./restore.js')).restore(context, options));
  withInto(withReadOptions(restore.command('undo')))
    .description('put back what the last restore into a deployment replaced, from its safety copy')
    .action(async (_options, command: Command) =>
      (await import('./undo.js')).restoreUndo(context, command.optsWithGlobals()),
    );
}

function withInto(command: Command): Command {
  return command
    .option('--into <deployment>', 'bring it into the running deployment of this folder, after a safety copy')
    .option('--server <program>', 'the server program that loads the backup on this machine')
    .option('--work <folder>', 'where data is written meanwhile (default: the temporary folder)')
    .option('--unverified-writer', 'restore a backup whose writer is not known')
    .option('-y, --yes', 'ask nothing');
}
