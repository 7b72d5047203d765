import path from 'node:path';
import { loadProofs } from '../../backup/format/proof.js';
import { metricsText, recordsOf } from '../../backup/report.js';
import { historiesOf } from '../../backup/restore/histories.js';
import { cutsOf, instant } from '../../backup/restore/plan-restore.js';
import type { Context } from '../../context.js';
import { replaceFile } from '../../files/replace-file.js';
import { keepRecords } from './keep-records.js';
import type { ReadOptions } from './options.js';
import { readBackup } from './reading.js';
import { plural, size } from './sizes.js';

export interface ListOptions extends ReadOptions {
  readonly metrics?: string;
  readonly records?: boolean;
  readonly offHost?: boolean;
}

/** `redkeep backup list`: what can be restored, from when to when, and when that was last proved. */
export async function backupList(context: Context, options: ListOptions): Promise<void> {
  const { terminal } = context;
  const { environment, loaded, source, trusted, gone } = await readBackup(context, options);
  const histories = historiesOf(loaded.entries, source, gone);
  const proofs = await loadProofs(environment.store, source, trusted);
  const rows = histories.map((history) => {
    const bases = new Set(history.bases.map(({ body }) => body.object.name));
    const proof = proofs.findLast(({ shards }) => shards.some(({ base }) => bases.has(base)));
    const objects = [...history.bases, ...history.stretches].map(({ body }) =>
      'object' in body ? body.object.bytes : 0,
    );
    const newest = history.bases.at(-1)!.body;
    return {
      ...{ shard: history.shard, history: history.history, writer: history.writer },
      from: instant(history.start),
      to: instant(history.end.second),
      bases: history.bases.length,
      bytes: objects.reduce((sum, bytes) => sum + bytes, 0),
      engine: `${newest.engine} ${newest.engineVersion ?? ''}`.trim(),
      rdbVersion: newest.rdbVersion,
      recipients: newest.recipients,
      provedAt: proof?.at,
      provedMs: proof?.tookMs,
      provedLive: proof?.shards.some(({ live }) => live !== undefined) ?? false,
    };
  });
  const gaps = loaded.entries.flatMap(({ body, source: of }) => (of === source && body.kind === 'gap' ? [body] : []));
  const cuts = cutsOf(loaded.entries, source);
  await keepRecords(context, environment, source, options);
  if (options.records) {
    return terminal.json(recordsOf(histories, proofs, options.offHost ?? environment.store.isOffHost));
  }
  if (options.metrics !== undefined) {
    const problems = loaded.problems.length;
    const text = metricsText({ source, histories, proofs, gaps: gaps.map(({ shard }) => shard), problems });
    return replaceFile(path.resolve(context.cwd, options.metrics), text);
  }
  if (options.json) {
    return terminal.json({
      source,
      histories: rows,
      gaps,
      cuts: cuts.map(({ body }) => body),
      problems: loaded.problems,
    });
  }
  terminal.table(
    ['shard', 'from', 'to', 'bases', 'size', 'engine', 'proved at'],
    rows.map((row) => [
      ...[row.shard, row.from, row.to, String(row.bases), size(row.bytes), row.engine],
      row.provedAt ? `${row.provedAt}${row.provedLive ? ' (live)' : ''}` : terminal.style('yellow', 'unproved'),
    ]),
  );
  for (const gap of gaps) {
    const from = gap.lastSecond === undefined ? '' : ` behind ${instant(gap.lastSecond)}`;
    terminal.warn(`${gap.shard}: a gap${from}: ${gap.reason}.`);
  }
  const whole = cuts.filter(({ body }) => body.oneMoment).length;
  if (cuts.length > 0) terminal.line(`${plural(cuts.length, 'cut')} over all shards, ${whole} of one moment.`);
  for (const { object, text } of loaded.problems) terminal.warn(`${object}: ${text}`);
}
