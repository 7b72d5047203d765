import { runOnce } from '../../backup/archive/archive-run.js';
import type { ArchiveEvent } from '../../backup/archive/shard-archiver.js';
import type { Context } from '../../context.js';
import { archiveOptions, type TakeOptions } from './archive-options.js';
import { keepRecords } from './keep-records.js';
import { Progress, plural, seconds, size } from './sizes.js';

/** `redkeep backup run`: one base of every shard, in the store when it returns. */
export async function backupRun(context: Context, options: TakeOptions): Promise<void> {
  const { terminal, signal } = context;
  const progress = new Progress((text) => terminal.note(text));
  const bases: Extract<ArchiveEvent, { kind: 'base' }>[] = [];
  const onEvent = (event: ArchiveEvent) => {
    if (event.kind === 'base') bases.push(event);
    if (event.kind === 'snapshot-progress') progress.report(`snapshot of ${event.shard}`, event.bytes);
  };
  const { environment, run } = await archiveOptions(context, options, 'run', onEvent);
  const began = performance.now();
  const cut = await runOnce(run, signal);
  const tookMs = Math.round(performance.now() - began);
  await keepRecords(context, environment, run.source.name, options);
  const bytes = bases.reduce((sum, base) => sum + base.bytes, 0);
  if (options.json) return terminal.json({ source: run.source.name, shards: bases, bytes, tookMs, cut, proved: false });
  terminal.done(
    `Backed up ${plural(bases.length, 'shard')} of "${run.source.name}" to ${environment.store.description}: ${size(bytes)} in ${seconds(tookMs)}.`,
  );
  if (cut?.oneMoment) terminal.note(`All shards are of one moment: writes waited for at most ${cut.pausedMs} ms.`);
  else if (cut) terminal.warn(`The shards are not of one moment: ${cut.reason}.`);
  terminal.note('It is unproved until "redkeep backup prove" has restored it.');
}
