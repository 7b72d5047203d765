import type { RedisClient } from 'redkeep';

/** Calls of each command since the server started or its counters were reset: `get` or `config|get`. */
export async function readCommandStats(client: RedisClient): Promise<Map<string, number>> {
  const text = String(await client.sendCommand(['INFO', 'commandstats']));
  const lines = [...text.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)];
  return new Map(lines.map(([, name, calls]) => [name!.toLowerCase(), Number(calls)]));
}

/** What was called in between. */
export function callsBetween(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): Map<string, number> {
  const calls = [...after].map(([name, count]) => [name, count - (before.get(name) ?? 0)] as const);
  return new Map(calls.filter(([, count]) => count > 0));
}
