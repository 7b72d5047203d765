import { open } from 'node:fs/promises';
import path from 'node:path';
import type { CommandPattern } from '../../backup/restore/find-command.js';
import type { History } from '../../backup/restore/histories.js';
import {
  planRestore,
  type RestorePlan,
  type RestoreTarget,
  type ShardPlan,
} from '../../backup/restore/plan-restore.js';
import { appendFolder, incrementalFile } from '../../backup/restore/write-data-folder.js';
import { CliError } from '../../errors.js';
import { type Archive, badUnit, type FoundBad, readSegments, type SearchResult } from './archive-search.js';
import { LaterWrites, type Unit } from './later-writes.js';

export interface Selection {
  /** Writes of which every key matches one of these; undefined for none, an empty list for all. */
  readonly patterns: readonly RegExp[] | undefined;
  /** Numbers that are left out although they match. */
  readonly skip: ReadonlySet<number>;
}

export interface LaterWrite extends Unit {
  readonly shard: string;
  readonly replayed: boolean;
}

export interface Recovery {
  readonly first: FoundBad;
  readonly target: RestoreTarget;
  readonly plan: RestorePlan;
  readonly later: number;
  readonly bad: number;
  readonly replayed: number;
  /** Appends the chosen writes to the data folder of a shard. */
  readonly complete: (folder: string, shard: ShardPlan) => Promise<void>;
}

export interface RecoveryRequest {
  readonly archive: Archive;
  readonly search: SearchResult;
  /** Which of the bad commands the state is to be before; 1 is the earliest. */
  readonly firstBad: number;
  readonly patterns: readonly CommandPattern[];
  readonly selection: Selection;
  readonly onLater: (write: LaterWrite) => void;
}

/** Finds the clean point, and reads what was written behind it; nothing is restored yet. */
export async function planRecovery(request: RecoveryRequest): Promise<Recovery> {
  const { archive, search, firstBad } = request;
  const first = search.bad[firstBad - 1];
  if (!first)
    throw new CliError(
      'REDKEEP_BACKUP_NOT_FOUND',
      search.bad.length === 0
        ? 'The archive has no command that is known to be bad.'
        : `There is no bad command number ${firstBad}: there are ${search.bad.length}.`,
      'Name what was bad: --bad "DEL customer:*", or restore a moment with "redkeep restore --at".',
    );
  const stops = { [first.shard]: { place: first.place, offset: first.offset } };
  const target: RestoreTarget = { kind: 'before', stops, second: first.second - 1 };
  const plan = planRestore(archive.entries, archive.source, target, { gone: archive.gone });
  const chosen = new Map<string, { readonly first: number; readonly numbers: Set<number> }>();
  let number = 1;
  let later = 0;
  let bad = 0;
  let replayed = 0;
  for (const shard of plan.shards) {
    const numbers = new Set<number>();
    chosen.set(shard.shard, { first: number, numbers });
    number = await readLater(request, shard, number, (unit) => {
      const reason = badUnit(unit, request.patterns);
      const isReplayed = reason === undefined && matches(unit, request.selection);
      later += 1;
      if (reason) bad += 1;
      if (isReplayed) {
        numbers.add(unit.number);
        replayed += 1;
      }
      request.onLater({ ...unit, ...(reason && { bad: reason }), shard: shard.shard, replayed: isReplayed });
    });
  }
  return {
    ...{ first, target, plan, later, bad, replayed },
    complete: async (folder, shard) => {
      const { first: firstNumber, numbers } = chosen.get(shard.shard)!;
      if (numbers.size > 0) await append(request, shard, firstNumber, numbers, folder);
    },
  };
}

function matches({ number, commands }: Unit, { patterns, skip }: Selection): boolean {
  if (patterns === undefined || skip.has(number)) return false;
  if (patterns.length === 0) return true;
  const keys = commands.flatMap((command) => command.keys);
  return keys.length > 0 && keys.every((key) => patterns.some((pattern) => pattern.test(key)));
}

/** The history that is restored, from the stop on, and those that the same writer began behind it. */
function behind({ search }: RecoveryRequest, shard: ShardPlan): { history: History; fromOffset: number }[] {
  const own = search.histories
    .filter(
      ({ writer, shard: name, history }) => writer === shard.writer && name === shard.shard && history >= shard.history,
    )
    .sort((a, b) => a.history - b.history);
  return own.map((history) => ({
    history,
    fromOffset: history.history === shard.history ? (shard.stopOffset ?? 0) : 0,
  }));
}

async function readLater(
  request: RecoveryRequest,
  shard: ShardPlan,
  firstNumber: number,
  onUnit: (unit: Unit) => void,
): Promise<number> {
  let number = firstNumber;
  for (const { history, fromOffset } of behind(request, shard)) {
    const reader = new LaterWrites({ ...limitsOf(shard, history, fromOffset), firstNumber: number, onUnit });
    await readSegments(request.archive, history, reader, undefined, fromOffset);
    number = reader.nextNumber;
  }
  return number;
}

/** A shard that stops at the end of a second goes on behind it; one that stops at a command goes on with it. */
function limitsOf(
  shard: ShardPlan,
  history: History,
  fromOffset: number,
): { readonly fromOffset: number; readonly afterSecond?: number } {
  const isOwn = history.history === shard.history;
  return isOwn && shard.stopOffset === undefined && shard.stopSecond !== undefined
    ? { fromOffset: shard.base.body.offset, afterSecond: shard.stopSecond }
    : { fromOffset };
}

async function append(
  request: RecoveryRequest,
  shard: ShardPlan,
  firstNumber: number,
  numbers: ReadonlySet<number>,
  folder: string,
): Promise<void> {
  const file = await open(path.join(folder, appendFolder, incrementalFile), 'a');
  try {
    let number = firstNumber;
    for (const { history, fromOffset } of behind(request, shard)) {
      const keeps = (each: number) => numbers.has(each);
      const reader = new LaterWrites({ ...limitsOf(shard, history, fromOffset), firstNumber: number, keeps });
      await readSegments(request.archive, history, reader, (piece) => file.write(piece), fromOffset);
      number = reader.nextNumber;
    }
    await file.sync();
  } finally {
    await file.close();
  }
}
