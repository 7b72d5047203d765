import { randomBytes } from 'node:crypto';
import { RESP_TYPES, type RedisClient } from 'redkeep';
import { type BackupSource, primaryOf, replicationOffset } from '../source/backup-source.js';
import { countKeys } from './count-keys.js';

/** A value as the running server gave it, the same before and after the moment. */
interface SampledKey {
  readonly database: string;
  readonly key: Buffer;
  readonly dump: Buffer;
  /** When it expires, in milliseconds since 1970; below 0 where it does not. */
  readonly until: number;
}

/** A moment of a running shard that a restore must bring back. */
export interface LiveShard {
  /** Bytes of its stream up to the moment. */
  readonly offset: number;
  readonly canary: { readonly key: string; readonly value: string };
  readonly sample: readonly SampledKey[];
  /** Keys of the sample that changed meanwhile, or whose value is too large to be asked for. */
  readonly passedOver: number;
}

/** How a restored shard compares with the running one. */
export interface LiveComparison {
  readonly compared: number;
  readonly passedOver: number;
  readonly differences: readonly string[];
}

/** Values above this are passed over: reading them would be felt by the applications. */
const largestValue = 1_000_000;
const canaryName = 'redkeep:canary';
const slotTries = 1000;

/**
 * Makes a moment on each primary: a canary is written, the offset is read, the canary is written again. What is restored
 * to that offset has the first value. A sample of keys is read before and after; a key that is equal in both must be
 * equal in the restore. The canary is removed.
 */
export async function makeLiveMoment(source: BackupSource, sample: number): Promise<ReadonlyMap<string, LiveShard>> {
  const shards = new Map<string, LiveShard>();
  const each = Math.ceil(sample / source.shards.length);
  for (const shard of source.shards) {
    const client = await primaryOf(source, shard);
    try {
      shards.set(shard.name, await momentOf(client, each));
    } finally {
      if (client.isOpen) client.destroy();
    }
  }
  return shards;
}

async function momentOf(client: RedisClient, sample: number): Promise<LiveShard> {
  const before = await sampleOf(client, sample);
  const value = randomBytes(12).toString('hex');
  const key = await writeCanary(client, value);
  const { offset } = await replicationOffset(client);
  await client.sendCommand(['SET', key, 'written after the moment']);
  const after = await Promise.all(before.keys.map((one) => readKey(client, one.database, one.key)));
  await client.sendCommand(['DEL', key]);
  const same = before.keys.filter((one, index) => {
    const now = after[index];
    return now !== undefined && now.until === one.until && now.dump.equals(one.dump);
  });
  const passedOver = before.tooLarge + before.keys.length - same.length;
  return { offset, canary: { key, value }, sample: same, passedOver };
}

/** In a cluster a name belongs to one shard: tags are tried until the server takes one. */
async function writeCanary(client: RedisClient, value: string): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    const key = attempt === 0 ? canaryName : `${canaryName}:{${attempt}}`;
    try {
      await client.sendCommand(['SET', key, value]);
      return key;
    } catch (error) {
      const isElsewhere = error instanceof Error && /\bMOVED\b/.test(error.message);
      if (!isElsewhere || attempt === slotTries) throw error;
    }
  }
}

/** Random keys of every database, by how many keys each has. */
async function sampleOf(client: RedisClient, wanted: number) {
  const databases = Object.entries(await countKeys(client));
  const total = databases.reduce((sum, [, keys]) => sum + keys, 0);
  const keys: SampledKey[] = [];
  let tooLarge = 0;
  for (const [database, count] of databases) {
    const names = new Map<string, Buffer>();
    await client.sendCommand(['SELECT', database]);
    const tries = Math.ceil((wanted * count) / total);
    for (let attempt = 0; attempt < tries; attempt++) {
      const key = await binary(client).sendCommand<Buffer | null>(['RANDOMKEY']);
      if (key) names.set(key.toString('latin1'), key);
    }
    for (const key of names.values()) {
      const bytes = Number(await client.sendCommand(['MEMORY', 'USAGE', key]));
      if (bytes > largestValue) tooLarge += 1;
      const found = bytes > largestValue ? undefined : await readKey(client, database, key);
      if (found) keys.push(found);
    }
  }
  if (databases.length > 0) await client.sendCommand(['SELECT', '0']);
  return { keys, tooLarge };
}

async function readKey(client: RedisClient, database: string, key: Buffer): Promise<SampledKey | undefined> {
  // One turn: nothing else is sent on this connection between the three.
  const [, dump, until] = await Promise.all([
    client.sendCommand(['SELECT', database]),
    binary(client).sendCommand<Buffer | null>(['DUMP', key]),
    client.sendCommand(['PEXPIRETIME', key]),
  ]);
  return dump ? { database, key, dump, until: Number(until) } : undefined;
}

/** Compares a loaded shard with what the running one was. Values are compared by digest: encodings may differ. */
export async function compareLive(client: RedisClient, live: LiveShard): Promise<LiveComparison> {
  const differences: string[] = [];
  const { key, value } = live.canary;
  await client.sendCommand(['SELECT', '0']);
  const canary = await client.get(key);
  if (canary === null) differences.push('the canary that was written before the moment is missing');
  else if (canary !== value) differences.push('the canary has the value that was written after the moment');
  let compared = 0;
  for (const one of live.sample) {
    // It has expired since, here as there.
    if (one.until > 0 && one.until <= Date.now()) continue;
    compared += 1;
    if (!(await isEqual(client, one))) differences.push(`database ${one.database} has a key that is not as it is live`);
  }
  await client.sendCommand(['SELECT', '0']);
  return { compared, passedOver: live.passedOver + live.sample.length - compared, differences };
}

async function isEqual(client: RedisClient, { database, key, dump, until }: SampledKey): Promise<boolean> {
  const beside = Buffer.from(`${canaryName}:compared`);
  await client.sendCommand(['SELECT', database]);
  const expires = await client.sendCommand(['PEXPIRETIME', key]);
  if (Number(expires) !== until) return false;
  const ttl = String(Math.max(0, until));
  await client.sendCommand(['RESTORE', beside, ttl, dump, 'REPLACE', 'ABSTTL']);
  const digests = await client.sendCommand<string[]>(['DEBUG', 'DIGEST-VALUE', key, beside]);
  await client.sendCommand(['DEL', beside]);
  return String(digests[0]) === String(digests[1]);
}

function binary(client: RedisClient) {
  return client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
}
