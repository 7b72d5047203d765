import type { RedisClient } from 'redkeep';
import { callsBetween } from './command-stats.js';
import type { CommandTable } from './command-table.js';
import { shortestCall } from './effective-commands.js';

/**
 * Share of the commands possibly run by a user that must be attributed before rules are proposed from them, in percent.
 * A connection is attributed by one look at CLIENT LIST, taken four times a second: of connections that live for many
 * looks nothing is missed, so that the rest is a health check or a command in flight. An application on short
 * connections falls far below, and what it runs rarely is then most likely among what is missing.
 */
export const leastAttributedPercent = 95;

/** How much of what the servers counted was assigned to users. */
export class Attribution {
  /** Commands seen on connections of the user. */
  attributed = 0;
  /** Commands that the server counted, that nobody known ran, and that the user's present rules allow; by name. */
  readonly unattributed = new Map<string, number>();

  merge(other: Attribution): void {
    this.attributed += other.attributed;
    for (const [name, count] of other.unattributed) {
      this.unattributed.set(name, (this.unattributed.get(name) ?? 0) + count);
    }
  }

  get possible(): number {
    return this.attributed + [...this.unattributed.values()].reduce((sum, count) => sum + count, 0);
  }

  /** 0 to 100, rounded down to a tenth: never more than was seen. 100 when nothing ran. */
  get percent(): number {
    return this.possible === 0 ? 100 : Math.floor((this.attributed / this.possible) * 1000) / 10;
  }
}

export interface Counted {
  readonly before: ReadonlyMap<string, number>;
  readonly after: ReadonlyMap<string, number>;
  /** Commands as MONITOR showed them between the two counts, by client and name. */
  readonly seen: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** The user of each client that is known. */
  readonly users: ReadonlyMap<string, string>;
  /** What this process ran meanwhile and MONITOR does not show. */
  readonly own: ReadonlyMap<string, number>;
}

/** Compares what MONITOR showed of known clients with what the server counted; the counters miss no connection. */
export async function attributionOf(
  admin: RedisClient,
  table: CommandTable,
  user: string,
  counted: Counted,
): Promise<Attribution> {
  const result = new Attribution();
  const rest = callsBetween(counted.before, counted.after);
  const take = (name: string, count: number) => {
    // Before 7.0 the counters know containers only.
    const key = rest.has(name) ? name : name.split('|')[0]!;
    rest.set(key, (rest.get(key) ?? 0) - count);
  };
  for (const [name, count] of counted.own) take(name, count);
  for (const [client, commands] of counted.seen) {
    const owner = counted.users.get(client);
    if (owner === undefined) continue;
    for (const [name, count] of commands) {
      take(name, count);
      if (owner === user) result.attributed += count;
    }
  }
  for (const [name, count] of rest) {
    if (count > 0 && !replication.has(name) && (await mayRun(admin, table, user, name))) {
      result.unattributed.set(name, count);
    }
  }
  return result;
}

/** What replicas say to their primary; MONITOR does not show it. */
const replication = new Set(['replconf', 'psync', 'sync']);

/** False only where the server says that the user may not run the command at all: a refused call is not counted. */
async function mayRun(admin: RedisClient, table: CommandTable, user: string, name: string): Promise<boolean> {
  const facts = table.get(name);
  if (!facts) return true;
  const verdict = await admin.sendCommand(['ACL', 'DRYRUN', user, ...shortestCall(name, facts, 'x')]).catch(() => '');
  return !/no permissions to run/.test(String(verdict));
}
