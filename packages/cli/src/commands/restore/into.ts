import { globPattern } from '../../backup/restore/find-command.js';
import { copyFunctions, copyKeys } from '../../backup/restore/into/copy-keys.js';
import { LiveTarget } from '../../backup/restore/into/live-target.js';
import {
  isOpen,
  type RestoreJournal,
  type RestoreStep,
  readJournal,
  writeJournal,
} from '../../backup/restore/into/restore-journal.js';
import { instant, planRestore } from '../../backup/restore/plan-restore.js';
import type { Context } from '../../context.js';
import { withFolderLock } from '../../deployment/folder-lock.js';
import type { LoadedDeployment } from '../../deployment/loaded-deployment.js';
import { loadDeployment } from '../../deployment/state.js';
import { CliError } from '../../errors.js';
import { stopIfInterrupted } from '../../interruption.js';
import { readIdentities } from '../backup/options.js';
import { type Reading, readBackup, requireTrust, warnOfProblems } from '../backup/reading.js';
import { Progress, plural, seconds } from '../backup/sizes.js';
import { agree } from './agree.js';
import { type LoadedShard, loadBackup, requireTaken } from './loaded-backup.js';
import { momentOf } from './moment.js';
import type { RestoreCommandOptions } from './restore-options.js';
import { takeSafetyCopy } from './safety-copy.js';

/** `redkeep restore --into`: the state of a moment, or some of its keys, into a running deployment. */
export async function restoreInto(context: Context, options: RestoreCommandOptions): Promise<void> {
  const loaded = await loadDeployment(context, options.into);
  const unfinished = await readJournal(loaded.folder);
  // A run that goes on has made them already.
  if (options.newCredentials && !(unfinished && isOpen(unfinished))) {
    const { rotateUsersCommand } = await import('../rotate/users.js');
    const { into: dir, yes } = options;
    await rotateUsersCommand(context, [], { ...{ dir, yes }, all: true, emergency: true, grace: 0, watch: 0 } as const);
  }
  await withFolderLock(loaded.folder, 'restore', () => intoLocked(context, loaded, options));
}

async function intoLocked(context: Context, loaded: LoadedDeployment, options: RestoreCommandOptions): Promise<void> {
  const { terminal } = context;
  const unfinished = await unfinishedOf(loaded, options);
  const identities = await readIdentities(context, options.identity);
  const found = await readBackup(context, { ...options, dir: options.dir ?? options.into! });
  const all = requireTrust(context, found, options.unverifiedWriter ?? false);
  const reading = unfinished ? before(all, unfinished) : all;
  warnOfProblems(context, reading.loaded.problems);
  const { target, found: text } = options.moment ?? (await momentOf(reading, options, identities));
  const { loaded: entries, source, gone, environment } = reading;
  const plan = planRestore(entries.entries, source, target, { gone, nearest: options.nearest ?? false });
  const began = performance.now();
  const live = await LiveTarget.open(context, loaded);
  const shards = await loadBackup(context, plan, reading, identities, options).catch((error) => {
    live.close();
    throw error;
  });
  try {
    await requireTaken(shards, live);
    const keys = options.keys ? [...options.keys] : null;
    const there = await live.keys();
    const moment = text ?? instant(Math.max(...plan.shards.map(({ second }) => second)));
    const what = keys ? `the keys ${keys.join(' ')}` : 'everything';
    await agree(context, options, [
      `${unfinished ? 'Goes on to restore' : 'Restores'} ${what} of "${source}" (${moment}) into "${live.name}", which has ${plural(there, 'key')}.`,
      ...(keys
        ? [`1. backs up what is there now to ${environment.store.description}`, '2. replaces these keys']
        : [
            '1. locks out the applications',
            `2. backs up what is there now to ${environment.store.description}`,
            '3. removes all keys, and brings those of the backup',
            '4. lets the applications in',
          ]),
    ]);
    const journal = unfinished ?? {
      ...({ format: 1, step: 'held', source, keys, safety: null } as const),
      began: context.clock.now().toISOString(),
      upTo: Object.fromEntries(entries.writers.map(({ id, seq }) => [id, seq])),
      held: keys ? [] : [...(await live.activeApplications())],
    };
    const result = await replace(context, loaded.folder, live, shards, journal, reading, options);
    const tookMs = Math.round(performance.now() - began);
    const { copied, expired } = result;
    if (options.json) return terminal.json({ source, keys: copied, expired, tookMs, journal: result.journal });
    terminal.done(`Restored ${plural(copied, 'key')} into "${live.name}" in ${seconds(tookMs)}.`);
    if (expired > 0) terminal.note(`${plural(expired, 'key')} had expired since that moment.`);
    if (!plan.oneMoment) terminal.warn('The shards are not of one moment: no coordinated cut was chosen (--cut).');
    terminal.note('Take it back with "redkeep restore undo" and the same flags.');
  } catch (error) {
    const left = await readJournal(loaded.folder);
    if (left && isOpen(left)) {
      const locked = left.held.length > 0 ? 'Applications are locked out. ' : '';
      terminal.warn(`${locked}Run it again with the same flags, or "redkeep restore undo".`);
    }
    throw error;
  } finally {
    live.close();
    for (const shard of shards) await shard.close();
  }
}

/** An unfinished restore of this deployment. One of other keys is refused: it has left the others as they are now. */
async function unfinishedOf(
  { folder, deployment }: LoadedDeployment,
  { keys }: RestoreCommandOptions,
): Promise<RestoreJournal | undefined> {
  const journal = await readJournal(folder);
  if (!journal || !isOpen(journal)) return undefined;
  if (JSON.stringify(journal.keys) === JSON.stringify(keys ?? null)) return journal;
  const what = journal.keys ? `of the keys ${journal.keys.join(' ')}` : 'of everything';
  throw new CliError(
    'REDKEEP_BUSY',
    `A restore ${what} into "${deployment.name}" is not finished; it began at ${journal.began}.`,
    `Run it again${journal.keys ? ` with --keys ${journal.keys.join(' ')}` : ' without --keys'}, or take it back with "redkeep restore undo".`,
  );
}

/** The backup as it was when an unfinished restore began. */
function before(reading: Reading, { upTo }: RestoreJournal): Reading {
  const entries = reading.loaded.entries.filter(({ writer, seq }) => seq <= (upTo[writer] ?? Infinity));
  return { ...reading, loaded: { ...reading.loaded, entries } };
}

/** The steps, each on disk before it is taken; every one of them may be taken again. */
async function replace(
  context: Context,
  folder: string,
  live: LiveTarget,
  shards: readonly LoadedShard[],
  from: RestoreJournal,
  reading: Reading,
  options: RestoreCommandOptions,
): Promise<{ readonly copied: number; readonly expired: number; readonly journal: RestoreJournal }> {
  const { terminal, signal } = context;
  let journal = from;
  const step = async (next: RestoreStep, more: Partial<RestoreJournal> = {}) => {
    stopIfInterrupted(signal);
    journal = { ...journal, ...more, step: next };
    await writeJournal(folder, journal);
  };
  const isWhole = journal.keys === null;
  const patterns = journal.keys?.map(globPattern);
  const untouched = journal.step === 'held';
  if (untouched) await step('held');
  // A node that was restarted meanwhile has let them in again.
  await live.holdApplications(journal.held);
  if (untouched) {
    await live.settle();
    const isEmpty = (await live.keys()) === 0 && !(await live.hasFunctions());
    await step('safe', { safety: isEmpty ? null : await takeSafetyCopy(context, options, reading) });
  }
  await step('loading');
  if (isWhole) await live.empty();
  const progress = new Progress((text) => terminal.note(text));
  let copied = 0;
  let lasting = 0;
  let expired = 0;
  for (const { client } of shards) {
    const result = await copyKeys(client, live, {
      ...{ patterns, signal },
      onProgress: (count) => progress.report('keys', copied + count),
    });
    copied += result.copied;
    lasting += result.lasting;
    expired += result.expired;
    if (isWhole) await copyFunctions(client, live);
  }
  await step('loaded');
  const after = await live.keys();
  // Keys can expire between the copy and the count.
  if (isWhole && (after > copied || after < lasting)) throw unproved(`${after} keys are there, ${copied} were copied`);
  await live.releaseApplications(journal.held);
  await step('released');
  return { copied, expired, journal };
}

function unproved(what: string): CliError {
  return new CliError(
    'REDKEEP_BACKUP_UNPROVED',
    `The restored data is not what was copied: ${what}. Applications are still locked out.`,
    'Run it again, or take it back with "redkeep restore undo".',
  );
}
