import { type Entry, isSegment } from '../../backup/format/entry.js';
import type { CommandPattern } from '../../backup/restore/find-command.js';
import { type History, type HistoryPlace, historiesOf } from '../../backup/restore/histories.js';
import { readContent } from '../../backup/restore/read-object.js';
import type { Store } from '../../backup/store/store.js';
import type { BadCommand } from '../indicators/scene.js';
import { wipedBetween } from './bad-commands.js';
import { LaterWrites, type Unit, unitText } from './later-writes.js';

export interface Archive {
  readonly store: Store;
  readonly entries: readonly Entry[];
  readonly source: string;
  readonly gone: ReadonlySet<string>;
  readonly identities: readonly string[];
  readonly signal: AbortSignal;
}

/** A bad command, and where the archive has it. */
export interface FoundBad extends BadCommand {
  readonly place: HistoryPlace;
}

export interface SearchResult {
  /** The earliest first. */
  readonly bad: readonly FoundBad[];
  readonly histories: readonly History[];
  /** Seconds between which the archive has something. */
  readonly from: number;
  readonly to: number;
}

/** Reads every write of the archive, and finds what an intruder or a mistake would have run. */
export async function searchArchive(archive: Archive, patterns: readonly CommandPattern[] = []): Promise<SearchResult> {
  const histories = historiesOf(archive.entries, archive.source, archive.gone);
  const bad: FoundBad[] = [];
  for (const history of histories) {
    const { writer, shard, history: number } = history;
    const place = { writer, shard, history: number };
    const reader = new LaterWrites({
      fromOffset: 0,
      firstNumber: 1,
      onUnit: (unit) => {
        const found = badUnit(unit, patterns);
        if (found) bad.push({ ...found, shard, offset: unit.offset, second: unit.second, place });
      },
    });
    await readSegments(archive, history, reader);
  }
  for (const wiped of wipedBetween(histories)) {
    const history = histories.find(({ shard, end }) => shard === wiped.shard && end.offset === wiped.offset)!;
    bad.push({ ...wiped, place: { writer: history.writer, shard: history.shard, history: history.history } });
  }
  bad.sort((a, b) => a.second - b.second || a.offset - b.offset);
  return {
    bad,
    histories,
    from: Math.min(...histories.map(({ start }) => start)),
    to: Math.max(...histories.map(({ end }) => end.second)),
  };
}

/** Why a write is bad: it is known to be, or the operator said so. */
export function badUnit(unit: Unit, patterns: readonly CommandPattern[]): Unit['bad'] {
  return unit.bad ?? named(unit, patterns);
}

/** Commands that the operator said were bad. */
function named(unit: Unit, patterns: readonly CommandPattern[]): { indicator: string; text: string } | undefined {
  const hit = unit.commands.some(({ name, keys }) =>
    patterns.some(
      (pattern) => pattern.name === name && (!pattern.argument || keys.some((key) => pattern.argument!.test(key))),
    ),
  );
  return hit ? { indicator: 'named', text: unitText(unit) } : undefined;
}

/** Gives the segments of a history to a reader; its output, piece by piece, to `write`. */
export async function readSegments(
  archive: Archive,
  history: History,
  reader: LaterWrites,
  write?: (piece: Buffer) => Promise<unknown>,
  fromOffset = 0,
): Promise<void> {
  for (const { body } of history.stretches.filter(isSegment)) {
    if (body.to <= fromOffset) continue;
    reader.beginSegment();
    for await (const part of readContent(archive.store, body.object, archive.identities)) {
      archive.signal.throwIfAborted();
      for (const piece of reader.take(part)) await write?.(piece);
    }
  }
}
