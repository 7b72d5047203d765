import path from 'node:path';
import { loadProofs } from '../../backup/format/proof.js';
import { recordsOf } from '../../backup/report.js';
import { expiredObjects } from '../../backup/restore/expired-objects.js';
import { historiesOf } from '../../backup/restore/histories.js';
import { loadEntries } from '../../backup/restore/load-entries.js';
import { labelOf } from '../../backup/source/resolve-source.js';
import type { Context } from '../../context.js';
import { withFolderLock } from '../../deployment/folder-lock.js';
import { readState, resolveFolder } from '../../deployment/state.js';
import { CliError } from '../../errors.js';
import { updateRecords } from '../../monitor/update-records.js';
import type { BackupEnvironment } from './options.js';

export interface KeepRecordsOptions {
  readonly dir?: string;
  readonly from?: readonly string[];
  readonly trust?: readonly string[];
  readonly offHost?: boolean;
}

/**
 * Writes what a store holds of a deployment into that deployment's records, where its audit and its monitor read when
 * the last backup and the last proof were. Backups of anything else leave no record.
 */
export async function keepRecords(
  context: Context,
  environment: BackupEnvironment,
  source: string,
  options: KeepRecordsOptions,
): Promise<void> {
  const folder = await resolveFolder(context, options.dir);
  const state = await readState(folder);
  const own = state && (environment.config.source ?? labelOf(state.deployment.name));
  if (source !== own || (options.from?.length ?? 0) > 0) return;
  const { store } = environment;
  const trusted = await environment.trusted(options.trust);
  const { entries, writers } = await loadEntries(store, { source, trusted });
  const believed = new Set(writers.flatMap(({ id, trusted: known }) => (known ? [id] : [])));
  const { names: gone } = await expiredObjects(store, source, trusted);
  const histories = historiesOf(entries, source, gone).filter(({ writer }) => believed.has(writer));
  const proofs = await loadProofs(store, source, trusted);
  const { backups, restoreTest } = recordsOf(histories, proofs, options.offHost ?? store.isOffHost);
  try {
    await withFolderLock(folder, 'records', () =>
      updateRecords({ locate: (file) => path.join(folder, file) }, (records) => ({
        ...records,
        backups,
        ...(restoreTest === undefined ? {} : { restoreTest }),
      })),
    );
  } catch (error) {
    // A rotation that holds the lock, or a folder that is mounted read-only: the backup itself is good.
    if (!(error instanceof CliError)) throw error;
    context.terminal.note(`The deployment's records were not updated: ${error.message}`);
  }
}
