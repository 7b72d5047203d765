import { RESP_TYPES, type RedisClient } from 'redkeep';
import type { LiveTarget } from './live-target.js';

export interface CopyResult {
  readonly copied: number;
  /** Of these, keys that never expire. */
  readonly lasting: number;
  /** Keys whose time had passed since the moment that was restored. */
  readonly expired: number;
}

export interface CopyOptions {
  /** Only keys of which one pattern matches; all where there is none. */
  readonly patterns?: readonly RegExp[] | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: (keys: number) => void;
}

/** Keys under way at a time: enough to fill the pipeline, few enough for large values. */
const batchKeys = 200;

/** All keys of a server that match, by database, in batches. */
export async function* scanKeys(
  client: RedisClient,
  patterns: readonly RegExp[] | undefined,
): AsyncGenerator<{ readonly database: string; readonly keys: readonly Buffer[] }> {
  const binary = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  const keyspace = String(await client.sendCommand(['INFO', 'keyspace']));
  for (const [, database] of keyspace.matchAll(/^db(\d+):/gm)) {
    await client.sendCommand(['SELECT', database!]);
    let cursor = '0';
    do {
      const [next, found] = (await binary.sendCommand([
        ...(['SCAN', cursor, 'COUNT', String(batchKeys)] as const),
      ])) as unknown as [Buffer, Buffer[]];
      cursor = String(next);
      const keys = found.filter((key) => matchesAny(patterns, key));
      if (keys.length > 0) yield { database: database!, keys };
    } while (cursor !== '0');
  }
  await client.sendCommand(['SELECT', '0']);
}

/** Copies keys from a scratch server into a running deployment by DUMP and RESTORE, with their times to live. */
export async function copyKeys(from: RedisClient, to: LiveTarget, options: CopyOptions): Promise<CopyResult> {
  const binary = from.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  let copied = 0;
  let lasting = 0;
  let expired = 0;
  for await (const { database, keys } of scanKeys(from, options.patterns)) {
    options.signal.throwIfAborted();
    const batch = await Promise.all(
      keys.map(async (key) => {
        const [dump, until] = await Promise.all([
          binary.sendCommand(['DUMP', key]) as unknown as Promise<Buffer | null>,
          from.sendCommand(['PEXPIRETIME', key]) as unknown as Promise<number>,
        ]);
        return { key, dump, until: Math.max(0, Number(until)) };
      }),
    );
    const alive = batch.filter(({ dump, until }) => dump !== null && (until === 0 || until > Date.now()));
    expired += batch.length - alive.length;
    await Promise.all(
      alive.map(({ key, dump, until }) =>
        to.onKey(key, database, ['RESTORE', key, String(until), dump!, 'REPLACE', 'ABSTTL']),
      ),
    );
    copied += alive.length;
    lasting += alive.filter(({ until }) => until === 0).length;
    options.onProgress?.(copied);
  }
  return { copied, lasting, expired };
}

/** Brings functions over; they belong to every primary. */
export async function copyFunctions(from: RedisClient, to: LiveTarget): Promise<void> {
  const binary = from.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  const dump = (await binary.sendCommand(['FUNCTION', 'DUMP'])) as unknown as Buffer;
  for (const primary of await to.primaries()) await primary.sendCommand(['FUNCTION', 'RESTORE', dump, 'REPLACE']);
}

export function matchesAny(patterns: readonly RegExp[] | undefined, key: Buffer): boolean {
  if (!patterns) return true;
  const text = key.toString('utf8');
  return patterns.some((pattern) => pattern.test(text));
}
