import { CliError } from '../../errors.js';
import type { BaseBody, CutBody, Entry, EntryOf, SegmentBody } from '../format/entry.js';
import { isSegment } from '../format/entry.js';
import { type History, type HistoryPlace, historiesOf } from './histories.js';

/** The moment to restore. */
export type RestoreTarget =
  | { readonly kind: 'latest' }
  /** The state at the end of this second. */
  | { readonly kind: 'second'; readonly second: number }
  /** The state before the command that starts at an offset; shards without one stop at the end of a second. */
  | {
      readonly kind: 'before';
      readonly stops: Readonly<Record<string, { readonly place: HistoryPlace; readonly offset: number }>>;
      readonly second: number;
    }
  | { readonly kind: 'cut'; readonly cut: EntryOf<CutBody> };

/** What a shard is made of: a base, then segments, and where they stop. */
export interface ShardPlan extends HistoryPlace {
  readonly base: EntryOf<BaseBody>;
  readonly segments: readonly EntryOf<SegmentBody>[];
  /** Commands that start at this offset or later are left out. */
  readonly stopOffset?: number;
  /** Commands of later seconds are left out. */
  readonly stopSecond?: number;
  /** The second that the shard is restored to. */
  readonly second: number;
  readonly encryptedBytes: number;
}

export interface RestorePlan {
  readonly source: string;
  readonly shards: readonly ShardPlan[];
  /** True when all shards are of one moment: there is only one, or a coordinated cut says so. */
  readonly oneMoment: boolean;
}

export interface PlanOptions {
  /** Takes the last moment before the one asked for where that one is not in the archive. */
  readonly nearest?: boolean;
  /** Only this shard. */
  readonly shard?: string;
  /** Names of objects that expiry removed. */
  readonly gone?: ReadonlySet<string>;
}

interface Stop {
  readonly offset?: number;
  readonly second?: number;
}

/** Chooses base and segments of each shard; an error that names the nearest moment where there is none. */
export function planRestore(
  entries: readonly Entry[],
  source: string,
  target: RestoreTarget,
  options: PlanOptions = {},
): RestorePlan {
  const histories = historiesOf(entries, source, options.gone).filter(
    ({ shard }) => options.shard === undefined || shard === options.shard,
  );
  const names = [...new Set(histories.map(({ shard }) => shard))].sort();
  if (names.length === 0) throw notFound(`There is no base of "${source}".`, 'Take one: redkeep backup run.');
  const shards = names.map((shard) => {
    const own = histories.filter((history) => history.shard === shard);
    return planShard(shard, own, target, options.nearest ?? false);
  });
  const oneMoment = shards.length === 1 || (target.kind === 'cut' && target.cut.body.oneMoment);
  return { source, shards, oneMoment };
}

/** Cuts over the shards of a source, the newest first. */
export function cutsOf(entries: readonly Entry[], source: string): EntryOf<CutBody>[] {
  return entries
    .filter((entry): entry is EntryOf<CutBody> => entry.source === source && entry.body.kind === 'cut')
    .sort((a, b) => b.body.second - a.body.second || b.seq - a.seq);
}

function planShard(shard: string, histories: readonly History[], target: RestoreTarget, nearest: boolean): ShardPlan {
  switch (target.kind) {
    case 'latest': {
      const newest = [...histories].sort((a, b) => b.end.second - a.end.second || b.start - a.start)[0];
      if (!newest) throw notFound(`Shard "${shard}" has no base.`, 'Take one: redkeep backup run.');
      return within(newest, { offset: newest.end.offset });
    }
    case 'second':
      return atSecond(shard, histories, target.second, nearest);
    case 'before': {
      const stop = target.stops[shard];
      if (!stop) return atSecond(shard, histories, target.second, true);
      return within(historyAt(histories, stop.place), { offset: stop.offset });
    }
    case 'cut': {
      const at = target.cut.body.offsets[shard];
      if (!at) throw notFound(`The cut does not include the shard "${shard}".`, 'Choose another cut, or a second.');
      const place = { writer: target.cut.writer, shard, history: at.history };
      return within(historyAt(histories, place), { offset: at.offset });
    }
  }
}

function atSecond(shard: string, histories: readonly History[], second: number, nearest: boolean): ShardPlan {
  const begun = histories.filter(({ start }) => start <= second).sort((a, b) => b.end.second - a.end.second);
  const covering = begun.filter(({ end }) => end.second >= second).sort((a, b) => b.start - a.start)[0];
  const chosen = covering ?? (nearest ? begun[0] : undefined);
  if (chosen) return within(chosen, { second });
  const later = histories.map(({ start }) => start).filter((start) => start > second);
  const known = [
    ...(begun[0] ? [`the archive before it ends at ${instant(begun[0].end.second)}`] : []),
    ...(later.length > 0 ? [`the next one begins at ${instant(Math.min(...later))}`] : []),
  ];
  throw notFound(
    `Shard "${shard}" has no archive of ${instant(second)}: ${known.join(', ')}.`,
    begun[0] ? 'Choose another moment, or --nearest for the last one before it.' : 'Choose a later moment.',
  );
}

function historyAt(histories: readonly History[], place: HistoryPlace): History {
  const history = histories.find((one) => one.writer === place.writer && one.history === place.history);
  if (history) return history;
  throw notFound(
    `History ${place.history} of shard "${place.shard}" is not in the store any more.`,
    'Choose a later moment; "redkeep backup list" shows what there is.',
  );
}

/** The newest base before the stop from which an unbroken way of segments leads to it. */
function within(history: History, stop: Stop): ShardPlan {
  const { writer, shard, history: number } = history;
  const fitting = history.bases.filter(
    ({ body }) => body.offset <= (stop.offset ?? Infinity) && body.second <= (stop.second ?? Infinity),
  );
  for (const base of [...fitting].reverse()) {
    const segments = segmentsBetween(history, base, stop);
    if (!segments) continue;
    const last = segments.at(-1)?.body.lastSecond ?? base.body.second;
    const reached = stop.offset === undefined || stop.offset >= history.end.offset ? history.end.second : last;
    return {
      ...{ writer, shard, history: number, base, segments },
      ...(stop.offset === undefined ? {} : { stopOffset: stop.offset }),
      ...(stop.second === undefined ? {} : { stopSecond: stop.second }),
      second: Math.min(stop.second ?? Infinity, reached),
      encryptedBytes: [base, ...segments].reduce((sum, { body }) => sum + body.object.bytes, 0),
    };
  }
  throw notFound(
    `Shard "${shard}" has no unbroken way from a base to this moment.`,
    'Run "redkeep backup verify": objects or entries are missing.',
  );
}

/** The segments from a base to the stop, or undefined where the stream is not covered. */
function segmentsBetween(history: History, base: EntryOf<BaseBody>, stop: Stop): EntryOf<SegmentBody>[] | undefined {
  const chosen: EntryOf<SegmentBody>[] = [];
  let reached = base.body.offset;
  for (const stretch of history.stretches) {
    const { from, to, firstSecond } = stretch.body;
    if (to <= reached) continue;
    if (from >= (stop.offset ?? Infinity) || firstSecond > (stop.second ?? Infinity)) break;
    if (from > reached) return undefined;
    if (isSegment(stretch)) chosen.push(stretch);
    reached = to;
  }
  return reached >= Math.min(stop.offset ?? 0, history.end.offset) ? chosen : undefined;
}

function notFound(message: string, next: string): CliError {
  return new CliError('REDKEEP_BACKUP_NOT_FOUND', message, next);
}

/** A second as people write it. */
export function instant(second: number): string {
  return new Date(second * 1000).toISOString().replace('.000Z', 'Z');
}
