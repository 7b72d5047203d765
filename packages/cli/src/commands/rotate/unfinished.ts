import { Journal } from '../../apply/journal.js';
import type { Context } from '../../context.js';
import type { LoadedDeployment } from '../../deployment/loaded-deployment.js';
import { CliError } from '../../errors.js';

export async function unfinishedOf(loaded: LoadedDeployment, kind: string): Promise<Journal | undefined> {
  return (await Journal.list(loaded.folder, kind)).findLast(({ outcome }) => outcome === 'running');
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
