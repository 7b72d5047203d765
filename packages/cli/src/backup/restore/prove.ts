import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import type { RedisClient } from 'redkeep';
import type { ServerProgram } from '../../engine/server-program.js';
import { CliError } from '../../errors.js';
import type { Store } from '../store/store.js';
import { countKeys } from './count-keys.js';
import type { LiveComparison } from './live-moment.js';
import type { RestorePlan, ShardPlan } from './plan-restore.js';
import { ScratchFolder } from './scratch-folder.js';
import { ScratchServer } from './scratch-server.js';
import { appendFolder, writeDataFolder } from './write-data-folder.js';

const execute = promisify(execFile);

/** What a shard was found to hold by loading it. */
export interface ShardProof {
  readonly shard: string;
  readonly writer: string;
  readonly base: string;
  readonly segments: number;
  /** The last second of it. */
  readonly second: number;
  readonly keys: number;
  readonly databases: Readonly<Record<string, number>>;
  /** DEBUG DIGEST, equal on Redis and Valkey for equal data. */
  readonly digest: string;
  readonly commands: number;
  readonly encryptedBytes: number;
  readonly bytes: number;
  readonly fetchMs: number;
  readonly checkMs: number;
  readonly loadMs: number;
  readonly digestMs: number;
  /** How it compared with the running server; undefined where that was not asked for. */
  readonly live?: LiveComparison | undefined;
}

export interface ProveOptions {
  readonly store: Store;
  readonly identities: readonly string[];
  readonly program: ServerProgram;
  readonly signal: AbortSignal;
  /** Where data folders are written; they are removed afterwards. */
  readonly workFolder?: string | undefined;
  readonly onProgress?: (shard: string, step: string, bytes: number, total: number) => void;
  /** Compares the loaded server with the running one. */
  readonly compare?: (client: RedisClient, plan: ShardPlan) => Promise<LiveComparison | undefined>;
}

/** Restores every shard into a scratch server and says what is in it. Rejects where one cannot be loaded. */
export async function proveByRestore(plan: RestorePlan, options: ProveOptions): Promise<readonly ShardProof[]> {
  const proofs: ShardProof[] = [];
  for (const shard of plan.shards) proofs.push(await proveShard(shard, options));
  return proofs;
}

async function proveShard(plan: ShardPlan, options: ProveOptions): Promise<ShardProof> {
  const { program, signal, onProgress } = options;
  const scratch = await ScratchFolder.in(options.workFolder);
  const folder = scratch.path;
  const step = (name: string, bytes = 0) => onProgress?.(plan.shard, name, bytes, plan.encryptedBytes);
  try {
    const began = performance.now();
    const written = await writeDataFolder(folder, plan, {
      ...options,
      onProgress: (bytes) => step('fetch and decrypt', bytes),
    });
    const fetched = performance.now();
    step('check');
    await checkByEngine(program, folder);
    const checked = performance.now();
    step('load');
    const server = await ScratchServer.start(program, folder, signal);
    try {
      const { client } = server;
      // Keys that expire from here on would change the digest.
      await client.sendCommand(['DEBUG', 'SET-ACTIVE-EXPIRE', '0']);
      const databases = await countKeys(client);
      step('digest');
      const counted = performance.now();
      const digest = String(await client.sendCommand(['DEBUG', 'DIGEST']));
      const digestMs = performance.now() - counted;
      const live = await options.compare?.(client, plan);
      return {
        shard: plan.shard,
        writer: plan.writer,
        base: plan.base.body.object.name,
        segments: plan.segments.length,
        second: plan.second,
        keys: Object.values(databases).reduce((sum, keys) => sum + keys, 0),
        databases,
        digest,
        commands: written.commands,
        encryptedBytes: plan.encryptedBytes,
        bytes: written.bytes,
        fetchMs: Math.round(fetched - began),
        checkMs: Math.round(checked - fetched),
        loadMs: Math.round(server.loadMs),
        digestMs: Math.round(digestMs),
        live,
      };
    } finally {
      await server.stop();
    }
  } finally {
    await scratch.remove();
  }
}

/** The engine's own checker on the base, where it is installed beside the server. It reads what the load would skip. */
async function checkByEngine(program: ServerProgram, folder: string): Promise<void> {
  const checker = path.join(path.dirname(program.path), `${program.engine.name}-check-rdb`);
  const file = path.join(folder, appendFolder, 'appendonly.aof.1.base.rdb');
  try {
    await execute(checker, [file], { maxBuffer: 64 * 1024 * 1024 });
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EACCES')) return;
    const output = error instanceof Error && 'stdout' in error ? String(error.stdout) : '';
    const lines = output.split('\n');
    const line = lines.find((text) => /version \d/.test(text)) ?? lines.find((text) => /sane|wrong|error/i.test(text));
    throw new CliError(
      /version \d/.test(line ?? '') ? 'REDKEEP_BACKUP_INCOMPATIBLE' : 'REDKEEP_BACKUP_UNPROVED',
      `${path.basename(checker)} refuses the base: ${(line ?? 'it is not sane').replace(/^\[.*?\] /, '').trim()}`,
      'Name a server program of the engine and version that wrote it with --server.',
    );
  }
}
