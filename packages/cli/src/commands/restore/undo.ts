import { globPattern } from '../../backup/restore/find-command.js';
import { copyFunctions, copyKeys, matchesAny, scanKeys } from '../../backup/restore/into/copy-keys.js';
import { LiveTarget } from '../../backup/restore/into/live-target.js';
import { isOpen, type RestoreJournal, readJournal, writeJournal } from '../../backup/restore/into/restore-journal.js';
import type { Context } from '../../context.js';
import { withFolderLock } from '../../deployment/folder-lock.js';
import type { LoadedDeployment } from '../../deployment/loaded-deployment.js';
import { loadDeployment } from '../../deployment/state.js';
import { CliError } from '../../errors.js';
import { readIdentities } from '../backup/options.js';
import { type Reading, readBackup } from '../backup/reading.js';
import { plural } from '../backup/sizes.js';
import { agree } from './agree.js';
import { type LoadedShard, loadBackup } from './loaded-backup.js';
import type { RestoreCommandOptions } from './restore-options.js';
import { planSafetyCopy } from './safety-copy.js';

/** `redkeep restore undo`: what the last restore replaced, from its safety copy. */
export async function restoreUndo(context: Context, options: RestoreCommandOptions): Promise<void> {
  const loaded = await loadDeployment(context, options.into);
  await withFolderLock(loaded.folder, 'restore undo', () => undoLocked(context, loaded, options));
}

async function undoLocked(context: Context, loaded: LoadedDeployment, options: RestoreCommandOptions): Promise<void> {
  const { terminal } = context;
  const journal = await readJournal(loaded.folder);
  if (!journal || journal.step === 'undone') {
    throw new CliError(
      'REDKEEP_BACKUP_NOT_FOUND',
      'There is no restore that could be undone.',
      'See "redkeep backup list".',
    );
  }
  const live = await LiveTarget.open(context, loaded);
  try {
    // Up to here only the applications were locked out.
    const untouched = journal.step === 'held' || journal.step === 'safe';
    const copied = untouched ? 0 : await putBack(context, live, journal, loaded.folder, options);
    await live.releaseApplications(journal.held);
    await writeJournal(loaded.folder, { ...journal, step: 'undone' });
    if (options.json) return terminal.json({ source: journal.source, keys: copied });
    terminal.done(
      untouched
        ? `Nothing had been changed in "${live.name}"; the applications are let in.`
        : `Put back ${plural(copied, 'key')} in "${live.name}".`,
    );
  } finally {
    live.close();
  }
}

async function putBack(
  context: Context,
  live: LiveTarget,
  journal: RestoreJournal,
  folder: string,
  options: RestoreCommandOptions,
): Promise<number> {
  const patterns = journal.keys?.map(globPattern);
  const { shards, close } = await openSafetyCopy(context, journal, options);
  try {
    await agree(context, options, [
      `Puts back what "${live.name}" had before the restore of ${journal.began}.`,
      ...(isOpen(journal) ? [] : ['What was written since then is lost.']),
    ]);
    if (!patterns) {
      const held = isOpen(journal) ? journal.held : [...(await live.activeApplications())];
      await writeJournal(folder, { ...journal, held, step: 'loading' });
      await live.holdApplications(held);
      await live.empty();
    } else {
      await writeJournal(folder, { ...journal, step: 'loading' });
      await removeMatching(live, patterns);
    }
    let copied = 0;
    for (const { client } of shards) {
      copied += (await copyKeys(client, live, { patterns, signal: context.signal })).copied;
      if (!patterns) await copyFunctions(client, live);
    }
    return copied;
  } finally {
    await close();
  }
}

/** The safety copy, loaded; nothing where there was nothing to save. */
async function openSafetyCopy(
  context: Context,
  { safety, source }: RestoreJournal,
  options: RestoreCommandOptions,
): Promise<{ readonly shards: readonly LoadedShard[]; close(): Promise<void> }> {
  if (safety === null) return { shards: [], close: async () => undefined };
  const identities = await readIdentities(context, options.identity);
  const reading: Reading = await readBackup(context, { ...options, dir: options.dir ?? options.into!, source });
  const plan = await planSafetyCopy(reading.environment.store, source, safety);
  const shards = await loadBackup(context, plan, reading, identities, options);
  return {
    shards,
    close: async () => {
      for (const shard of shards) await shard.close();
    },
  };
}

/** Keys that the restore brought and that were not there before go again. */
async function removeMatching(live: LiveTarget, patterns: readonly RegExp[]): Promise<void> {
  for (const primary of await live.primaries()) {
    for await (const { database, keys } of scanKeys(primary, patterns)) {
      for (const key of keys.filter((one) => matchesAny(patterns, one))) {
        await live.onKey(key, database, ['UNLINK', key]);
      }
    }
  }
}
