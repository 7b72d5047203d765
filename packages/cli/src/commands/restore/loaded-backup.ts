import type { RedisClient } from 'redkeep';
import { countKeys } from '../../backup/restore/count-keys.js';
import type { LiveTarget } from '../../backup/restore/into/live-target.js';
import type { RestorePlan } from '../../backup/restore/plan-restore.js';
import { ScratchFolder } from '../../backup/restore/scratch-folder.js';
import { ScratchServer } from '../../backup/restore/scratch-server.js';
import { writeDataFolder } from '../../backup/restore/write-data-folder.js';
import { infoField } from '../../backup/source/backup-source.js';
import type { Context } from '../../context.js';
import { CliError } from '../../errors.js';
import type { Reading } from '../backup/reading.js';
import { scratchProgram } from '../backup/scratch-program.js';
import { Progress, size } from '../backup/sizes.js';
import type { RestoreCommandOptions } from './restore-options.js';

/** A shard of a backup, loaded into a scratch server. */
export interface LoadedShard {
  readonly client: RedisClient;
  close(): Promise<void>;
}

/** A loaded server for each shard. Whatever does not load is known before anything is touched. */
export async function loadBackup(
  context: Context,
  plan: RestorePlan,
  { environment }: Reading,
  identities: readonly string[],
  options: RestoreCommandOptions,
): Promise<LoadedShard[]> {
  const { signal, terminal } = context;
  const program = await scratchProgram(context, plan, options.server);
  const progress = new Progress((text) => terminal.note(text));
  const opened: LoadedShard[] = [];
  try {
    for (const shard of plan.shards) {
      const scratch = await ScratchFolder.in(options.work);
      const folder = scratch.path;
      try {
        await writeDataFolder(folder, shard, {
          ...{ store: environment.store, identities, signal },
          onProgress: (bytes) => progress.report(shard.shard, bytes, shard.encryptedBytes),
        });
        await options.complete?.(folder, shard);
        const server = await ScratchServer.start(program, folder, signal);
        await server.client.sendCommand(['DEBUG', 'SET-ACTIVE-EXPIRE', '0']);
        opened.push({ client: server.client, close: () => server.stop().then(() => scratch.remove()) });
      } catch (error) {
        await scratch.remove();
        throw error;
      }
    }
    return opened;
  } catch (error) {
    for (const server of opened) await server.close();
    throw error;
  }
}

/** Compares what would be brought with what the deployment takes: formats, databases, memory. */
export async function requireTaken(loaded: readonly LoadedShard[], live: LiveTarget): Promise<void> {
  await requireFormat(loaded[0]!, live);
  const databases = new Set<number>();
  let bytes = 0;
  for (const { client } of loaded) {
    for (const database of Object.keys(await countKeys(client))) databases.add(Number(database));
    bytes += Number(infoField(String(await client.sendCommand(['INFO', 'memory'])), 'used_memory_dataset') ?? 0);
  }
  const { databases: most, memoryBytes } = await live.limits();
  const outside = [...databases].filter((database) => database >= most);
  if (outside.length > 0) {
    throw untaken(
      `the backup has keys in database ${outside.sort((a, b) => a - b).join(', ')}, and "${live.name}" has ${most === 1 ? 'only database 0' : `databases 0 to ${most - 1}`}`,
      live.isCluster
        ? 'A cluster has one database: restore into a deployment without one.'
        : 'Raise "databases" there.',
    );
  }
  if (memoryBytes > 0 && bytes > memoryBytes) {
    throw untaken(
      `the data needs ${size(bytes)} of memory, and "${live.name}" may use ${size(memoryBytes)} (maxmemory)`,
      'Raise maxmemory, or restore into a larger deployment.',
    );
  }
}

/** Tries one value of the backup under a name of its own: a target of an older format refuses it. */
async function requireFormat({ client }: LoadedShard, live: LiveTarget): Promise<void> {
  const { RESP_TYPES } = await import('redkeep');
  const probe = Buffer.from(`redkeep:restore-probe:${process.pid}`);
  await client.sendCommand(['SET', probe, 'x']);
  const dump = await client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer }).sendCommand<Buffer>(['DUMP', probe]);
  await client.sendCommand(['DEL', probe]);
  try {
    await live.onKey(probe, '0', ['RESTORE', probe, '1000', dump, 'REPLACE']);
    await live.onKey(probe, '0', ['DEL', probe]);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    if (!/DUMP payload version|Bad data format/i.test(text)) throw error;
    throw untaken(
      `"${live.name}" does not take values of this backup, because its server is older or of another engine`,
      'Restore into a server of the engine and version that wrote it (redkeep backup list), then move on from there.',
      error,
    );
  }
}

function untaken(what: string, next: string, cause?: unknown): CliError {
  const text = `${what[0]!.toUpperCase()}${what.slice(1)}. Nothing was touched.`;
  return new CliError('REDKEEP_BACKUP_INCOMPATIBLE', text, next, { cause });
}
