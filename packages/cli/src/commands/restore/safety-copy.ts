import { runOnce } from '../../backup/archive/archive-run.js';
import type { RestoreJournal } from '../../backup/restore/into/restore-journal.js';
import { loadEntries, safetySuffix } from '../../backup/restore/load-entries.js';
import { planRestore, type RestorePlan } from '../../backup/restore/plan-restore.js';
import type { Store } from '../../backup/store/store.js';
import type { Context } from '../../context.js';
import { archiveOptions } from '../backup/archive-options.js';
import type { Reading } from '../backup/reading.js';
import type { RestoreCommandOptions } from './restore-options.js';

type SafetyCopy = NonNullable<RestoreJournal['safety']>;

/** Safety copies are a backup of their own: the state before a restore must never be the newest of the real one. */
function safetySource(source: string): string {
  return `${source.slice(0, 48)}${safetySuffix}`;
}

/** Backs up what a deployment has now, for the recipients of the backup that will replace it. */
export async function takeSafetyCopy(
  context: Context,
  options: RestoreCommandOptions,
  { loaded, source }: Reading,
): Promise<SafetyCopy> {
  const base = loaded.entries.findLast(({ body }) => body.kind === 'base')?.body;
  const recipient = base?.kind === 'base' ? base.recipients : undefined;
  const take = {
    ...options,
    dir: options.into!,
    onPrimary: true,
    source: safetySource(source),
    ...(recipient ? { recipient } : {}),
  };
  const { run, environment } = await archiveOptions(context, take, 'safety', () => undefined);
  const newest = async () => {
    const { writers } = await loadEntries(environment.store, { source: run.source.name });
    return new Map(writers.map(({ id, seq }) => [id, seq]));
  };
  const before = await newest();
  await runOnce(run, context.signal);
  const after = [...(await newest())].map(([writer, to]) => ({ writer, from: before.get(writer) ?? 0, to }));
  context.terminal.note('Backed up what is there now.');
  return after.find(({ from, to }) => to > from)!;
}

/** How a safety copy is restored. */
export async function planSafetyCopy(
  store: Store,
  source: string,
  { writer, from, to }: SafetyCopy,
): Promise<RestorePlan> {
  const named = safetySource(source);
  const { entries } = await loadEntries(store, { source: named });
  const safe = entries.filter((entry) => entry.writer === writer && entry.seq > from && entry.seq <= to);
  const cut = safe.find(({ body }) => body.kind === 'cut');
  if (cut?.body.kind !== 'cut') return planRestore(safe, named, { kind: 'latest' });
  return planRestore(safe, named, { kind: 'cut', cut: { ...cut, body: cut.body } });
}
