import { setTimeout as pause } from 'node:timers/promises';
import {
  signal as abortSignal,
  anything,
  callback,
  checked,
  client,
  having,
  number,
  required,
  type Schema,
  text,
} from '../options.js';
import { type GuardClient, listOf, Redis, textOf } from '../redis/redis.js';
import { Script } from '../redis/script.js';
import type { Encryption, SealContext } from './encryption.js';
import { valuesOf } from './stored-values.js';

/** State of a re-encryption; give it to the next run to go on from there. */
export interface ReencryptProgress {
  /** SCAN cursor to continue from; `0` after the last batch. */
  readonly cursor: string;
  readonly scanned: number;
  /** Values sealed anew. */
  readonly renewed: number;
  /** Values changed by somebody else meanwhile (who sealed them with the newest key). */
  readonly overtaken: number;
  /** Values that do not open; left as they are. */
  readonly failed: number;
  readonly done: boolean;
}

/** Options of {@link reencrypt}. */
export interface ReencryptOptions {
  /** A client of one server; for a cluster, run it once for each primary. */
  readonly client: GuardClient;
  readonly encryption: Encryption;
  /** SCAN pattern of the keys: `notes:*`. Strings and hashes are handled. */
  readonly match: string;
  /** Where a value was sealed for; return undefined for a hash field that is not sealed. */
  readonly contextOf: (key: string, field: string | undefined) => SealContext | undefined;
  readonly resume?: ReencryptProgress;
  /** Called after every batch, before the next: keep it to resume after a crash. */
  readonly onProgress?: (progress: ReencryptProgress) => void | Promise<void>;
  /** Keys per second at most; default 1000. */
  readonly rate?: number;
  readonly signal?: AbortSignal;
}

/** Replaces a value only if nobody changed it; its expiry stays. */
export const REPLACE = new Script(
  'value_replace',
  `
if ARGV[3] == '1' then
  if redis.call('HGET', KEYS[1], ARGV[4]) ~= ARGV[1] then return 0 end
  redis.call('HSET', KEYS[1], ARGV[4], ARGV[2])
else
  if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
  redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
end
return 1`,
);

/** Few enough calls, at the default rate, not to look like somebody who copies the data. */
const BATCH = 500;
const REENCRYPT: Schema<ReencryptOptions> = {
  client: required(client),
  encryption: required(having('an Encryption', 'isStale', 'seal', 'open')),
  match: required(text),
  contextOf: required(callback),
  resume: anything,
  onProgress: callback,
  rate: number(1),
  signal: abortSignal,
};

/**
 * Seals values under old keys (or, with `legacyPlaintext`, plaintext) with the newest key, beside the traffic: each
 * value is replaced only if unchanged, keeps its expiry, and may be read at any moment. When it is done with
 * `failed: 0`, old keys can leave the ring.
 */
export async function reencrypt(given: ReencryptOptions): Promise<ReencryptProgress> {
  const options = checked(given, REENCRYPT);
  const { encryption, contextOf, signal } = options;
  const redis = new Redis(options.client, 10_000);
  const count = { scanned: 0, renewed: 0, overtaken: 0, failed: 0, ...pick(options.resume) };
  let cursor = options.resume?.cursor ?? '0';
  const msPerKey = 1000 / (options.rate ?? 1000);

  const renew = async (key: string, field: string | undefined, value: Buffer): Promise<void> => {
    const context = contextOf(key, field);
    if (context === undefined) return;
    try {
      if (!(await encryption.isStale(value))) return;
      const sealed = await encryption.seal(await encryption.open(value, context), context);
      const replaced = await redis.script(
        REPLACE,
        [key],
        [value, sealed, field === undefined ? '0' : '1', field ?? ''],
      );
      if (replaced === 1) count.renewed += 1;
      else count.overtaken += 1;
    } catch (error) {
      if ((error as { code?: string }).code === 'REDKEEP_STORE_UNAVAILABLE') throw error;
      count.failed += 1;
    }
  };

  for (;;) {
    signal?.throwIfAborted();
    const startedAt = performance.now();
    const [next, found] = listOf(await redis.command('SCAN', cursor, 'MATCH', options.match, 'COUNT', String(BATCH)));
    const keys = listOf(found).map((key) => textOf(key)!);
    for (const key of keys) for await (const { field, value } of valuesOf(redis, key)) await renew(key, field, value);
    count.scanned += keys.length;
    cursor = textOf(next)!;
    const progress: ReencryptProgress = { ...count, cursor, done: cursor === '0' };
    await options.onProgress?.(progress);
    if (progress.done) return progress;
    const ahead = keys.length * msPerKey - (performance.now() - startedAt);
    if (ahead > 1) await pause(ahead, undefined, signal === undefined ? {} : { signal });
  }
}

function pick(resume: ReencryptProgress | undefined): Partial<ReencryptProgress> {
  if (resume === undefined) return {};
  const { scanned, renewed, overtaken, failed } = resume;
  return { scanned, renewed, overtaken, failed };
}
