import {
  type BaseBody,
  type Entry,
  type EntryOf,
  isBase,
  isQuiet,
  isSegment,
  type QuietBody,
  type SegmentBody,
} from '../format/entry.js';

export interface HistoryPlace {
  readonly writer: string;
  readonly shard: string;
  /** Counted up whenever the stream was broken. */
  readonly history: number;
}

/** A part of the stream: its writes, or the fact that there was none. */
export type Stretch = EntryOf<SegmentBody> | EntryOf<QuietBody>;

/** An unbroken stream of a shard: every moment from its first base to its end can be restored. */
export interface History extends HistoryPlace {
  /** The oldest first. */
  readonly bases: readonly EntryOf<BaseBody>[];
  /** In the order of their offsets. */
  readonly stretches: readonly Stretch[];
  /** Second of the first base. */
  readonly start: number;
  /** Up to where writes are known. */
  readonly end: { readonly offset: number; readonly second: number };
}

/**
 * Sorts the entries of a source into histories.
 *
 * @param gone names of objects that expiry removed: nothing is built on them
 */
export function historiesOf(
  entries: readonly Entry[],
  source: string,
  gone: ReadonlySet<string> = new Set(),
): readonly History[] {
  const groups = new Map<string, { place: HistoryPlace; bases: EntryOf<BaseBody>[]; stretches: Stretch[] }>();
  for (const entry of entries) {
    if (entry.source !== source) continue;
    const { body, writer } = entry;
    if (body.kind !== 'base' && body.kind !== 'segment' && body.kind !== 'quiet') continue;
    if (body.kind !== 'quiet' && gone.has(body.object.name)) continue;
    const { shard, history } = body;
    const key = `${writer}/${shard}/${history}`;
    const group = groups.get(key) ?? { place: { writer, shard, history }, bases: [], stretches: [] };
    groups.set(key, group);
    if (isBase(entry)) group.bases.push(entry);
    if (isSegment(entry) || isQuiet(entry)) group.stretches.push(entry);
  }
  return [...groups.values()].flatMap(({ place, bases, stretches }) => {
    if (bases.length === 0) return [];
    bases.sort((a, b) => a.body.offset - b.body.offset);
    stretches.sort((a, b) => a.body.from - b.body.from);
    const newest = bases.at(-1)!.body;
    const last = stretches.at(-1)?.body;
    const end =
      last && last.to >= newest.offset
        ? { offset: last.to, second: Math.max(last.lastSecond, newest.second) }
        : { offset: newest.offset, second: newest.second };
    return [{ ...place, bases, stretches, start: bases[0]!.body.second, end }];
  });
}
