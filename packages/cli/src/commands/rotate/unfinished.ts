import { Journal } from '../../apply/journal.js';
import type { Context } from '../../context.js';
import type { LoadedDeployment } from '../../deployment/loaded-deployment.js';
import { CliError } from '../../errors.js';

export async function unfinishedOf(loaded: LoadedDeployment, kind: string): Promise<Journal | undefined> {
  return (await Journal.list(loaded.folder, kind)).findLast(({ outcome }) => outcome === 'running');
}

/**
 * The rotation that has not ended, if it had begun with `step`. One that was killed before it had noted what it rotates has changed
 * nothing: it is closed, or every later run would find nothing to do in it.
 */
export async function begunOf(loaded: LoadedDeployment, kind: string, step: string): Promise<Journal | undefined> {
  const journal = await unfinishedOf(loaded, kind);
  if (journal === undefined || journal.dataOf(step) !== undefined) return journal;
  await journal.finish('undone');
  return undefined;
}

/** For `--resume` and `--abort`, which begin nothing. */
export function requireUnfinished(journal: Journal | undefined): asserts journal is Journal {
  if (journal) return;
  throw new CliError(
    'REDKEEP_USAGE',
    'There is no rotation of this kind that has not ended.',
    'redkeep rotate status shows what there is.',
  );
}

export async function requireYes({ prompt }: Context, yes: boolean | undefined, question: string): Promise<void> {
  if (yes || (await prompt.confirm(question, false))) return;
  throw new CliError('REDKEEP_CONSENT_NEEDED', 'Nothing was rotated.', 'Confirm with --yes.');
}
