import path from 'node:path';
import { instant, planRestore } from '../../backup/restore/plan-restore.js';
import { ScratchFolder } from '../../backup/restore/scratch-folder.js';
import { writeDataFolder } from '../../backup/restore/write-data-folder.js';
import type { Context } from '../../context.js';
import { folderNotEmpty, occupancy } from '../../deployment/write-files.js';
import { CliError, explainSystemError } from '../../errors.js';
import { readIdentities } from '../backup/options.js';
import { readBackup, requireTrust, warnOfProblems } from '../backup/reading.js';
import { Progress, plural, size } from '../backup/sizes.js';
import { momentOf } from './moment.js';
import type { RestoreCommandOptions } from './restore-options.js';

export async function restore(context: Context, options: RestoreCommandOptions): Promise<void> {
  const { terminal, signal } = context;
  if (options.into !== undefined && options.out === undefined) {
    return (await import('./into.js')).restoreInto(context, options);
  }
  if (options.out === undefined || options.into !== undefined || options.keys || options.newCredentials) {
    throw new CliError(
      'REDKEEP_USAGE',
      'Say where to restore to: --out <folder>, or --into <deployment> (with --keys, if only some).',
      'redkeep restore --help',
    );
  }
  const out = path.resolve(context.cwd, options.out);
  if ((await occupancy(out)) === 'occupied') throw folderNotEmpty(out);
  const identities = await readIdentities(context, options.identity);
  const reading = requireTrust(context, await readBackup(context, options), options.unverifiedWriter ?? false);
  warnOfProblems(context, reading.loaded.problems);
  const { environment, loaded, source, gone } = reading;
  const { target, found } = options.moment ?? (await momentOf(reading, options, identities));
  if (found && !options.json) terminal.note(`Restores to ${found}.`);
  const plan = planRestore(loaded.entries, source, target, { gone, nearest: options.nearest ?? false });
  const progress = new Progress((text) => terminal.note(text));
  // Beside its place until it is whole: a restore that fails leaves nothing that looks like one.
  const scratch = await ScratchFolder.named(`${out}.part-`).catch((error) => {
    throw explainSystemError(error, out);
  });
  const staging = scratch.path;
  const written = [];
  try {
    for (const shard of plan.shards) {
      const below = plan.shards.length === 1 ? '' : shard.shard;
      const { bytes, commands } = await writeDataFolder(path.join(staging, below), shard, {
        ...{ store: environment.store, identities, signal },
        onProgress: (read) => progress.report(shard.shard, read, shard.encryptedBytes),
      });
      await options.complete?.(path.join(staging, below), shard);
      written.push({ shard: shard.shard, folder: path.join(out, below), second: shard.second, bytes, commands });
    }
    await scratch.moveTo(out);
  } catch (error) {
    throw explainSystemError(error, out);
  } finally {
    await scratch.remove();
  }
  if (options.json) return terminal.json({ source, oneMoment: plan.oneMoment, shards: written });
  for (const { shard, folder, second, bytes, commands } of written) {
    terminal.done(
      `${shard}: ${size(bytes)} in ${folder}, as of ${instant(second)} (${plural(commands, 'command')} behind the base).`,
    );
    terminal.line(`redis-server --dir ${folder} --appendonly yes --port 0 --unixsocket ${folder}/redis.sock`);
  }
  if (!plan.oneMoment) terminal.warn('The shards are not of one moment: no coordinated cut was chosen (--cut).');
}
