import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { hasCode } from '../errors.js';
import { client as anyClient, anyText, argument } from '../options.js';
import { checkedPrefix, type GuardClient, listOf, Redis, textOf } from '../redis/redis.js';
import { Script } from '../redis/script.js';

/** What is known about the copies of a write. */
export interface Replication {
  /** Replicas that the primary knows; 0 for a single server. */
  readonly replicas: number;
  /** Replicas that have it. */
  readonly confirmed: number;
}

/** Where wrapped keys are kept. Its content is useless without the key-encryption key. */
export interface KeyStore {
  get(name: string): Promise<string | undefined>;
  /** Writes `value` if the stored one is `expected` (undefined = nothing); false when it is not. */
  swap(name: string, expected: string | undefined, value: string): Promise<boolean>;
  /** Names that begin with a text; a name may come twice. What re-wrapping walks through. */
  names?(begin: string): AsyncIterable<string>;
  /**
   * Waits until all replicas, and at least `atLeast`, have everything written so far; undefined when that is not known.
   */
  replicated?(name: string, waitMs: number, atLeast: number): Promise<Replication | undefined>;
  /** The store's own time, Unix ms: what erasures are dated by. Without it the clock of the process is used. */
  now?(name: string): Promise<number>;
  /** Whether the data of a client is on this store's own server; undefined when that is not known. */
  isBeside?(data: GuardClient): Promise<boolean | undefined>;
  /** The Redis client it is kept with. */
  readonly client?: GuardClient;
}

export const SWAP = new Script(
  'key_swap',
  `
local held = redis.call('GET', KEYS[1])
if ARGV[1] == '0' then if held then return 0 end
elseif held ~= ARGV[2] then return 0 end
redis.call('SET', KEYS[1], ARGV[3])
return 1`,
);

/** Milliseconds between two looks at the replicas' offsets. */
const LOOK_EVERY_MS = 20;
/** Holds a random id: where a client of the data finds the same one, it is the same server. */
const INSTANCE = 'instance';

/** Key store in Redis: `<prefix><name>`, without expiry. Use a server with persistence and no eviction. */
export function redisKeyStore(client: GuardClient, prefix = 'redkeep:keys:'): KeyStore {
  argument(client, 'client', anyClient);
  checkedPrefix(argument(prefix, 'prefix', anyText));
  const redis = new Redis(client);
  const store: KeyStore = {
    client,
    async get(name) {
      return textOf(await redis.read(prefix + name, 'GET'));
    },
    async swap(name, expected, value) {
      const args = [expected === undefined ? '0' : '1', expected ?? '', value];
      return (await redis.script(SWAP, [prefix + name], args)) === 1;
    },
    async now(name) {
      const [seconds, micros] = listOf(await redis.at(prefix + name, 'TIME')).map((part) => Number(textOf(part)));
      return seconds! * 1000 + Math.floor(micros! / 1000);
    },
    async *names(begin) {
      for (let cursor = '0'; ; ) {
        const [next, found] = listOf(
          await redis.command('SCAN', cursor, 'MATCH', `${prefix}${begin}*`, 'COUNT', '250'),
        );
        for (const name of listOf(found)) yield textOf(name)!.slice(prefix.length);
        cursor = textOf(next)!;
        if (cursor === '0') return;
      }
    },
    // ROLE and not WAIT: WAIT answers for one connection, and a pool or a reconnect has others.
    async replicated(name, waitMs, atLeast) {
      const giveUpAt = performance.now() + waitMs;
      let target: number | undefined;
      for (;;) {
        const [role, offset, replicas] = listOf(await redis.at(prefix + name, 'ROLE'));
        if (textOf(role) !== 'master') return undefined;
        target ??= Number(offset);
        const offsets = listOf(replicas).map((replica) => Number(textOf(listOf(replica)[2])));
        const reached = target;
        const confirmed = offsets.filter((reachedBy) => reachedBy >= reached).length;
        const enough = confirmed === offsets.length && confirmed >= atLeast;
        if (enough || performance.now() >= giveUpAt) return { replicas: offsets.length, confirmed };
        await pause(LOOK_EVERY_MS);
      }
    },
    async isBeside(data) {
      if (data === client) return true;
      const other = new Redis(data);
      await store.swap(INSTANCE, undefined, randomUUID());
      const [here, there] = [await store.get(INSTANCE), await seenBy(other, prefix + INSTANCE)];
      if (here === there.value) return true;
      const ids = await Promise.all([runId(redis), runId(other)]);
      if (ids[0] !== undefined && ids[0] === ids[1]) return true;
      // Another database of one server would not show the key: without both run ids that is not excluded.
      return there.known && ids.every((id) => id !== undefined) ? false : undefined;
    },
  };
  return store;
}

async function seenBy(redis: Redis, key: string): Promise<{ known: boolean; value: string | undefined }> {
  try {
    return { known: true, value: textOf(await redis.read(key, 'GET')) };
  } catch (error) {
    if (!hasCode(error, 'REDKEEP_STORE_DENIED')) throw error;
    return { known: false, value: undefined };
  }
}

async function runId(redis: Redis): Promise<string | undefined> {
  try {
    return /run_id:(\w+)/.exec(textOf(await redis.command('INFO', 'server')) ?? '')?.[1];
  } catch {
    return undefined;
  }
}
