import type { RedisClient } from 'redkeep';

/** Keys by database, as INFO counts them. */
export async function countKeys(client: RedisClient): Promise<Record<string, number>> {
  const text = String(await client.sendCommand(['INFO', 'keyspace']));
  return Object.fromEntries(
    [...text.matchAll(/^db(\d+):keys=(\d+)/gm)].map(([, database, keys]) => [database!, Number(keys)]),
  );
}
