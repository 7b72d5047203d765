import { type Entry, isSegment, objectOf } from '../format/entry.js';
import { type History, historiesOf } from '../restore/histories.js';
import { cutsOf } from '../restore/plan-restore.js';

/** What is kept. The newest base of each shard always is. */
export interface Retention {
  /** Days back from now of which every second can be restored. */
  readonly secondsDays: number;
  /** The newest base of each of so many days, weeks and months that have one. */
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
}

export interface ExpiryPlan {
  readonly removed: readonly string[];
  readonly keptObjects: number;
  readonly keptBases: readonly { readonly shard: string; readonly second: number; readonly reason: string }[];
  readonly removedBytes: number;
}

const daySeconds = 86_400;

/** Chooses what may go. Whatever a kept moment needs stays: its base, and the segments behind that to its end. */
export function planExpiry(
  entries: readonly Entry[],
  source: string,
  retention: Retention,
  nowSecond: number,
  gone: ReadonlySet<string> = new Set(),
): ExpiryPlan {
  const keep = new Set<string>();
  const keptBases: { shard: string; second: number; reason: string }[] = [];
  const histories = historiesOf(entries, source, gone);
  const cuts = cutsOf(entries, source);
  for (const shard of new Set(histories.map((history) => history.shard))) {
    const own = histories.filter((history) => history.shard === shard);
    for (const [name, reason] of basesToKeep(own, retention, nowSecond)) {
      const history = own.find(({ bases }) => bases.some(({ body }) => body.object.name === name))!;
      const base = history.bases.find(({ body }) => body.object.name === name)!;
      keep.add(name);
      keptBases.push({ shard, second: base.body.second, reason });
      // A base of several shards is of one moment only at a cut: the way to the first one stays.
      const cut = cuts.findLast(
        ({ body, writer }) =>
          writer === history.writer &&
          body.offsets[shard]?.history === history.history &&
          body.offsets[shard].offset >= base.body.offset,
      );
      const end = cut?.body.offsets[shard]?.offset ?? base.body.offset;
      keepSegments(history, base.body.offset, end, keep);
    }
    const from = nowSecond - retention.secondsDays * daySeconds;
    for (const history of own) {
      if (retention.secondsDays === 0 || history.end.second < from) continue;
      const start = history.bases.findLast(({ body }) => body.second <= from) ?? history.bases[0]!;
      for (const { body } of history.bases) if (body.offset >= start.body.offset) keep.add(body.object.name);
      keepSegments(history, start.body.offset, Infinity, keep);
    }
  }
  const objects = entries.flatMap((entry) => {
    const object = entry.source === source && entry.body.kind !== 'settings' ? objectOf(entry) : undefined;
    return object && !gone.has(object.name) ? [object] : [];
  });
  const removed = objects.filter(({ name }) => !keep.has(name));
  return {
    removed: removed.map(({ name }) => name),
    keptObjects: objects.length - removed.length,
    keptBases,
    removedBytes: removed.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

function keepSegments(history: History, from: number, to: number, keep: Set<string>): void {
  for (const stretch of history.stretches) {
    if (isSegment(stretch) && stretch.body.to > from && stretch.body.from < to) keep.add(stretch.body.object.name);
  }
}

/** Names of bases and why they stay. */
function basesToKeep(histories: readonly History[], retention: Retention, nowSecond: number): Map<string, string> {
  const bases = histories
    .flatMap((history) => history.bases)
    .sort((a, b) => b.body.second - a.body.second || b.body.offset - a.body.offset);
  const kept = new Map<string, string>();
  if (bases[0]) kept.set(bases[0].body.object.name, 'newest');
  const periods = [
    { reason: 'daily', count: retention.daily, of: dayOf },
    { reason: 'weekly', count: retention.weekly, of: weekOf },
    { reason: 'monthly', count: retention.monthly, of: monthOf },
  ];
  for (const { reason, count, of } of periods) {
    const seen = new Set<string>();
    for (const { body } of bases) {
      const period = of(body.second);
      if (body.second > nowSecond || seen.has(period)) continue;
      if (seen.size >= count) break;
      seen.add(period);
      if (!kept.has(body.object.name)) kept.set(body.object.name, reason);
    }
  }
  return kept;
}

function dayOf(second: number): string {
  return new Date(second * 1000).toISOString().slice(0, 10);
}

/** Weeks begin on Monday, in UTC; 1970-01-01 was a Thursday. */
function weekOf(second: number): string {
  return String(Math.floor((second / daySeconds + 3) / 7));
}

function monthOf(second: number): string {
  return dayOf(second).slice(0, 7);
}
