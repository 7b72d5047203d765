import { createHash } from 'node:crypto';
import type { Bytes } from './bytes.js';

/** What a server holds: keys by database, and one digest over all of them that does not depend on their order. */
export interface Contents {
  readonly keys: Readonly<Record<string, number>>;
  readonly digest: string;
}

const batchKeys = 200;
/** How each type is read whole, in a form that is the same on every engine and version. */
export const reads: Readonly<Record<string, (key: Buffer) => readonly (string | Buffer)[]>> = {
  string: (key) => ['GET', key],
  list: (key) => ['LRANGE', key, '0', '-1'],
  set: (key) => ['SMEMBERS', key],
  hash: (key) => ['HGETALL', key],
  zset: (key) => ['ZRANGE', key, '0', '-1', 'WITHSCORES'],
  stream: (key) => ['XRANGE', key, '-', '+'],
};

/** Types whose elements have no order of their own. */
const unordered = new Set(['set', 'hash']);

/** All keys by database, in batches. */
export async function* keysOf(
  client: Bytes,
): AsyncGenerator<{ readonly database: string; readonly keys: readonly Buffer[] }> {
  const keyspace = String(await client('INFO', 'keyspace'));
  for (const [, database] of keyspace.matchAll(/^db(\d+):/gm)) {
    if (database !== '0') await client('SELECT', database!);
    let cursor = '0';
    do {
      const [next, found] = (await client('SCAN', cursor, 'COUNT', String(batchKeys))) as [Buffer, Buffer[]];
      cursor = String(next);
      if (found.length > 0) yield { database: database!, keys: found };
    } while (cursor !== '0');
    if (database !== '0') await client('SELECT', '0');
  }
}

/**
 * Reads everything. For servers whose writes are paused, or which are in step. Keys that expire before `ignoreBefore`
 * (milliseconds since 1970) are left out: they can go between two readings.
 */
export async function contentsOf(client: Bytes, signal: AbortSignal, ignoreBefore: number): Promise<Contents> {
  const counts: Record<string, number> = {};
  const sum = Buffer.alloc(32);
  const seen = new Set<string>();
  for await (const { database, keys } of keysOf(client)) {
    signal.throwIfAborted();
    const digests = await Promise.all(
      keys.map(async (key) => {
        // SCAN may return a key twice.
        const name = `${database} ${key.toString('base64')}`;
        if (seen.has(name)) return undefined;
        seen.add(name);
        return digestOfKey(client, database, key, ignoreBefore);
      }),
    );
    for (const digest of digests) {
      if (!digest) continue;
      counts[database] = (counts[database] ?? 0) + 1;
      for (let index = 0; index < sum.length; index += 1) sum[index] = sum[index]! ^ digest[index]!;
    }
  }
  return { keys: counts, digest: sum.toString('hex') };
}

async function digestOfKey(
  client: Bytes,
  database: string,
  key: Buffer,
  ignoreBefore: number,
): Promise<Buffer | undefined> {
  const type = String(await client('TYPE', key));
  if (type === 'none') return undefined;
  const words = reads[type];
  // A type of a module has no common form; that it is there, and its type, is compared.
  const value = words ? await client(...words(key)) : null;
  const until = Number(await client('PEXPIRETIME', key));
  if (until > 0 && until < ignoreBefore) return undefined;
  const hash = createHash('sha256');
  for (const part of [Buffer.from(database), key, Buffer.from(type), Buffer.from(String(until))]) length(hash, part);
  const parts = flatten(value);
  const plain = type === 'zset' ? withPlainScores(parts) : parts;
  const ordered = unordered.has(type) ? sortedPairs(plain, type === 'hash' ? 2 : 1) : plain;
  for (const part of ordered) length(hash, part);
  return hash.digest();
}

function length(hash: ReturnType<typeof createHash>, part: Buffer): void {
  hash.update(`${part.length}:`).update(part);
}

/** A reply of RESP2 as one flat list. */
export function flatten(reply: unknown): Buffer[] {
  if (Buffer.isBuffer(reply)) return [reply];
  if (Array.isArray(reply)) return reply.flatMap(flatten);
  return reply === null || reply === undefined ? [] : [Buffer.from(String(reply))];
}

/** Versions write the same number in different ways: `1.1000000000000001` and `1.1`. */
function withPlainScores(parts: readonly Buffer[]): Buffer[] {
  return parts.map((part, index) => (index % 2 === 1 ? Buffer.from(String(Number(part))) : part));
}

function sortedPairs(parts: readonly Buffer[], size: number): Buffer[] {
  const groups: Buffer[][] = [];
  for (let index = 0; index < parts.length; index += size) groups.push(parts.slice(index, index + size));
  return groups.sort((a, b) => Buffer.compare(a[0]!, b[0]!)).flat();
}
