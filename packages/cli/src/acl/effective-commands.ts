import type { RedisClient } from 'redkeep';
import { type CommandFacts, readCommandTable } from './command-table.js';

/** How many commands of a kind a user can run, of how many the server has. */
export interface EffectiveKind {
  readonly kind: string;
  readonly allowed: number;
  readonly all: number;
}

/** ACL categories that say what a command works on, in words. */
const kinds: Readonly<Record<string, string>> = {
  string: 'strings',
  hash: 'hashes',
  list: 'lists',
  set: 'sets',
  sortedset: 'sorted sets',
  stream: 'streams',
  bitmap: 'bitmaps',
  hyperloglog: 'HyperLogLogs',
  geo: 'places',
  keyspace: 'keys of any kind',
  pubsub: 'pub/sub',
  transaction: 'transactions',
  scripting: 'scripts and functions',
  connection: 'its connection',
  admin: 'administration',
  dangerous: 'dangerous commands',
};

/**
 * Asks the server (ACL DRYRUN) for every command that it has, with `key` where keys stand. Commands whose keys depend
 * on further arguments (EVAL, XREAD) are left out: a made-up one proves nothing.
 */
export async function effectiveCommands(admin: RedisClient, user: string, key: string): Promise<EffectiveKind[]> {
  const table = [...(await readCommandTable(admin))].filter(([, { movable }]) => !movable);
  const verdicts = await Promise.all(
    table.map(async ([name, facts]) => {
      const reply = await admin.sendCommand(['ACL', 'DRYRUN', user, ...shortestCall(name, facts, key)]).catch(() => '');
      return { facts, allowed: String(reply) === 'OK' };
    }),
  );
  return Object.entries(kinds).flatMap(([category, kind]) => {
    const fitting = verdicts.filter(({ facts }) => facts.categories.includes(category));
    const allowed = fitting.filter((verdict) => verdict.allowed).length;
    return fitting.length > 0 ? [{ kind, allowed, all: fitting.length }] : [];
  });
}

/** The shortest call that the server judges: its arity in words, keys where it says they stand. */
export function shortestCall(name: string, { arity, first, last, step }: CommandFacts, key: string): string[] {
  const words = name.split('|');
  const call = Array.from({ length: Math.max(arity, words.length, first + 1) }, (_, index) => words[index] ?? '1');
  if (first > 0) {
    const end = last < 0 ? call.length + last : last;
    for (let at = first; at <= Math.max(first, end) && at < call.length; at += Math.max(1, step)) call[at] = key;
  }
  return call;
}
