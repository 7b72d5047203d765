import { createHash } from 'node:crypto';
import type { AclLogEntry } from '../snapshot.js';

export interface AclLogChange {
  readonly entry: AclLogEntry;
  /** Refusals since the last round. */
  readonly count: number;
}

export interface AclLogDifference {
  readonly changes: readonly AclLogChange[];
  readonly memory: Readonly<Record<string, readonly number[]>>;
}

/**
 * What ACL LOG gained since the last round. Redis adds to the count of an entry when the same is refused again within
 * 60 s. Entries have an id from 7.2 on; before, the entries of one kind are aligned by their counts, newest first.
 */
export function aclLogChanges(
  entries: readonly AclLogEntry[],
  before: Readonly<Record<string, readonly number[]>> | undefined,
): AclLogDifference {
  const groups = new Map<string, AclLogEntry[]>();
  for (const entry of entries) groups.set(keyOf(entry), [...(groups.get(keyOf(entry)) ?? []), entry]);
  const changes: AclLogChange[] = [];
  const memory: Record<string, readonly number[]> = {};
  for (const [key, group] of groups) {
    const now = group.map(({ count }) => count);
    memory[key] = now;
    if (before === undefined) continue;
    const added = grown(now, before[key] ?? []);
    for (const [index, count] of added.entries()) if (count > 0) changes.push({ entry: group[index]!, count });
  }
  return { changes, memory };
}

function keyOf(entry: AclLogEntry): string {
  if (entry.id !== undefined) return entry.id;
  // Hashed, because a password that was typed as a name must not be remembered.
  const what = JSON.stringify([entry.reason, entry.context, entry.object, entry.username]);
  return createHash('sha256').update(what).digest('hex').slice(0, 16);
}

/** By how much each of `now` grew, given the same entries as they were; both newest first. */
export function grown(now: readonly number[], before: readonly number[]): number[] {
  for (let shift = 0; shift <= now.length; shift += 1) {
    const older = now.slice(shift);
    const fits = older.every((count, index) => {
      const earlier = before[index];
      return index === 0 ? earlier === undefined || count >= earlier : earlier === undefined || count === earlier;
    });
    // Entries that were never seen are new, not old ones that had been cut off.
    if (!fits || older.length > before.length) continue;
    return now.map((count, index) => (index < shift ? count : index === shift ? count - before[0]! : 0));
  }
  return [...now];
}
