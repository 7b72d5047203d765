import type { Command } from 'commander';
import type { Context } from '../../context.js';
import { withReadOptions, withServerOptions, withSourceOptions } from './options.js';

/** `redkeep backup`: takes, lists, checks and proves backups. */
export function register(program: Command, context: Context): void {
  const backup = program
    .command('backup')
    .description('take, follow, list, verify, prove and expire encrypted backups');
  withSourceOptions(backup.command('run'))
    .description('back up once: a snapshot of every shard, encrypted, in the store when it returns')
    .option('--json', 'print JSON')
    .action(async (options) => (await import('./run.js')).backupRun(context, options));
  withSourceOptions(backup.command('archive'))
    .description('follow every write and keep it, so that any second can be restored (a service)')
    .option('--seal-seconds <seconds>', 'seal what arrived after this time (default 2)')
    .option('--seal-megabytes <megabytes>', 'or when it has this size (default 32)')
    .option('--base-hours <hours>', 'take a new base after this time (default 24)')
    .option('--spool-megabytes <megabytes>', 'what may wait here while the store is away (default 8192)')
    .option('--cut-seconds <seconds>', 'of several shards: a coordinated cut after this time; 0 for none (default 300)')
    .option('--quiet-seconds <seconds>', 'record after this time that nothing was written (default 60)')
    .option('--json', 'print events as JSON, one a line')
    .action(async (options) => (await import('./archive.js')).backupArchive(context, options));
  withReadOptions(backup.command('list'))
    .description('what can be restored, from when to when, and when that was last proved')
    .option('--metrics <file>', 'write Prometheus text for a textfile collector instead')
    .option('--records', 'print what "redkeep audit --records" reads instead')
    .option('--off-host', 'with --records: the folder of the store is on another host')
    .action(async (options) => (await import('./list.js')).backupList(context, options));
  withReadOptions(backup.command('verify'))
    .description('check signatures, chains and the bytes of every object; needs no identity')
    .option('--share <percent>', 'read only a part of the objects, spread evenly')
    .action(async (options) => (await import('./verify.js')).backupVerify(context, options));
  withServerOptions(withMoment(withReadOptions(backup.command('prove'))))
    .description('restore into a scratch server, count, digest and time it, and record that')
    .option(
      '--live [keys]',
      'prove a moment of now: a canary on the running servers, and so many of their keys compared (default 1000)',
    )
    .option('--server <program>', 'the server program to load it with')
    .option('--work <folder>', 'where the restored data is written meanwhile (default: the temporary folder)')
    .option('--unverified-writer', 'accept a backup whose writer is not known')
    .action(async (options) => (await import('./prove.js')).backupProve(context, options));
  withReadOptions(backup.command('expire'))
    .description('remove what no kept moment needs; says what that is, and does it with --confirm')
    .option('--keep-seconds-days <days>', 'every second of so many days (default 7)')
    .option('--keep-daily <count>', 'the newest base of so many days (default 7)')
    .option('--keep-weekly <count>', 'of so many weeks (default 4)')
    .option('--keep-monthly <count>', 'of so many months (default 12)')
    .option('--confirm', 'remove it')
    .option('--on-writer-host', 'run although this host writes the backup')
    .action(async (options) => (await import('./expire.js')).backupExpire(context, options));
  const key = backup.command('key').description('the keys of backups');
  key
    .command('new')
    .argument('<file>')
    .description('make an age identity in a new file and print its public half, the recipient')
    .option('--json', 'print JSON')
    .action(async (file, options) => (await import('./key.js')).backupKeyNew(context, file, options));
  key
    .command('from-words')
    .argument('<file>')
    .description('make the identity of a recovery kit again from its 24 words (standard input)')
    .option('--json', 'print JSON')
    .action(async (file, options) => (await import('./key.js')).backupKeyFromWords(context, file, options));
  withReadOptions(key.command('kit').argument('<file>'))
    .description('write a recovery kit to print (HTML): key as QR code and words, store, writers, steps')
    .action(async (file, options) => (await import('./key.js')).backupKeyKit(context, file, options));
}

/** Flags that name the moment to restore. */
export function withMoment(command: Command): Command {
  return command
    .option(
      '--at <time>',
      'the state at the end of this second, for example 2026-03-01T14:03:06Z (default: the latest)',
    )
    .option('--before <command>', 'the state just before this command, for example FLUSHALL or "DEL customer:*"')
    .option('--cut', 'one moment over all shards: the last coordinated cut (at or before --at)')
    .option('--nearest', 'the last moment before, where that one is not in the archive');
}
