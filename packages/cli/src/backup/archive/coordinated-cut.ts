import type { RedisClient } from 'redkeep';
import type { CutBody } from '../format/entry.js';
import { type BackupSource, primaryOf, replicationOffset, type SourceShard } from '../source/backup-source.js';
import { secondOf } from './archive-clock.js';
import type { ShardArchiver } from './shard-archiver.js';
import type { Spool } from './spool.js';

/** Writes wait at most this long should the release not arrive. */
const pauseMs = 2000;
/** The streams must have passed the cut by then. */
const passMs = 30_000;

interface Held {
  readonly shard: SourceShard;
  readonly client: RedisClient;
}

/**
 * One moment over all shards: writes are paused on every primary, the offsets are read, writes are released. Nothing is
 * copied meanwhile, so it takes a few milliseconds. No write that was acknowledged after the pause is in, none before it
 * is out. A failover or a slot that moved meanwhile is noticed by the epoch, and the cut says that it is not one moment.
 *
 * @returns what was committed
 */
export async function coordinatedCut(
  source: BackupSource,
  archivers: ReadonlyMap<string, ShardArchiver>,
  spool: Spool,
  now: () => Date,
  signal: AbortSignal,
): Promise<CutBody> {
  const held: Held[] = [];
  let result: Awaited<ReturnType<typeof readOffsets>>;
  try {
    try {
      for (const shard of source.shards) held.push({ shard, client: await primaryOf(source, shard) });
      result = await readOffsets(held);
    } catch (error) {
      result = { reason: messageOf(error), pausedMs: 0, offsets: new Map() };
    }
  } finally {
    for (const { client } of held) if (client.isOpen) client.destroy();
  }
  const second = secondOf(now().getTime());
  const offsets: Record<string, { history: number; offset: number }> = {};
  let { reason } = result;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(passMs)]);
  for (const [shard, archiver] of archivers) {
    const offset = result.offsets.get(shard);
    if (offset !== undefined) await archiver.passed(offset, limit);
    if (offset !== undefined && archiver.offset < offset) reason ??= `the stream of ${shard} did not reach the cut`;
    offsets[shard] = { history: archiver.history, offset: offset ?? archiver.offset };
  }
  const body: CutBody = {
    ...{ kind: 'cut', second, offsets, oneMoment: reason === undefined, pausedMs: result.pausedMs },
    ...(reason === undefined ? {} : { reason }),
  };
  await spool.commit(body);
  return body;
}

async function readOffsets(held: readonly Held[]) {
  const epochsBefore = await epochsOf(held);
  const began = performance.now();
  try {
    await Promise.all(held.map(({ client }) => client.sendCommand(['CLIENT', 'PAUSE', String(pauseMs), 'WRITE'])));
    const states = await Promise.all(held.map(({ client }) => replicationOffset(client)));
    const readMs = performance.now() - began;
    const offsets = new Map(held.map(({ shard }, index) => [shard.name, states[index]!.offset]));
    await Promise.all(held.map(({ client }) => client.sendCommand(['CLIENT', 'UNPAUSE'])));
    const pausedMs = Math.round((performance.now() - began) * 1000) / 1000;
    const epochsAfter = await epochsOf(held);
    const reason =
      readMs >= pauseMs
        ? 'the pause ran out before all offsets were read'
        : states.some(({ role }) => role !== 'primary') || epochsBefore !== epochsAfter
          ? 'a failover or a slot migration happened meanwhile'
          : undefined;
    return { offsets, pausedMs, reason };
  } catch (error) {
    await Promise.allSettled(held.map(({ client }) => client.sendCommand(['CLIENT', 'UNPAUSE'])));
    return { offsets: new Map<string, number>(), pausedMs: performance.now() - began, reason: messageOf(error) };
  }
}

/** The cluster's configuration epoch on every node; empty where there is no cluster. */
async function epochsOf(held: readonly Held[]): Promise<string> {
  const texts = await Promise.all(
    held.map(({ client }) => client.sendCommand(['CLUSTER', 'INFO']).then(String, () => '')),
  );
  return texts.map((text) => /cluster_current_epoch:(\d+)/.exec(text)?.[1] ?? '').join(',');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
