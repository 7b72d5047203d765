import { setTimeout as delay } from 'node:timers/promises';
import { CliError } from '../../errors.js';
import { entryFolder } from '../format/names.js';
import type { BackupSource } from '../source/backup-source.js';
import { chooseNodes } from '../source/choose-node.js';
import type { Store } from '../store/store.js';
import { ArchiveClock } from './archive-clock.js';
import { type ArchiveEvent, type ArchiveSettings, ShardArchiver } from './shard-archiver.js';
import { Spool } from './spool.js';
import { loadSigner, lockFolder } from './state-folder.js';

export interface ArchiveRunOptions {
  readonly source: BackupSource;
  /** Reads the source again, with passwords and certificates as they are now. */
  readonly refresh: () => Promise<BackupSource>;
  readonly store: Store;
  readonly stateFolder: string;
  readonly settings: ArchiveSettings;
  readonly spoolBytes: number;
  readonly onPrimary: boolean;
  readonly now: () => Date;
  readonly onEvent: (event: ArchiveEvent) => void;
}

/** The spool of a writer, opened for one process, and how it is left. */
export async function openSpool(options: ArchiveRunOptions): Promise<{ spool: Spool; release: () => Promise<void> }> {
  const { stateFolder, source, store, spoolBytes, now, onEvent } = options;
  const release = await lockFolder(stateFolder);
  try {
    const signer = await loadSigner(stateFolder);
    const onStore = (problem: string | undefined) => onEvent({ kind: 'store', problem });
    const spool = await Spool.open({
      ...{ folder: stateFolder, source: source.name, store, signer, limitBytes: spoolBytes, now, onStore },
    });
    await requireNewest(store, source.name, spool);
    return { spool, release };
  } catch (error) {
    await release();
    throw error;
  }
}

/** A state that was put back from a copy would write entries of numbers that are taken. */
async function requireNewest(store: Store, source: string, spool: Spool): Promise<void> {
  let names: readonly { readonly name: string }[];
  try {
    names = await store.list(`${entryFolder(source)}${spool.writer}/`);
  } catch {
    // The store is away: what is sealed waits in the spool.
    return;
  }
  const newest = Math.max(0, ...names.map(({ name }) => Number(/(\d+)\.json$/.exec(name)?.[1] ?? 0)));
  if (newest <= spool.seq) return;
  throw new CliError(
    'REDKEEP_BACKUP_DAMAGED',
    `The store has entries up to ${newest} of this writer, whose state ends at ${spool.seq}.`,
    'The state folder is an old copy: start with a new one (--state); a new chain and a new base begin there.',
  );
}

/** The archivers of all shards of a source. */
export function archiversOf(
  options: ArchiveRunOptions,
  spool: Spool,
  signal: AbortSignal,
  once?: 'base' | 'stream',
): ShardArchiver[] {
  const { source, settings, onEvent, onPrimary, now } = options;
  const locate = async (name: string) => {
    const fresh = await options.refresh();
    const shard = fresh.shards.find((candidate) => candidate.name === name);
    const endpoints = shard ? await chooseNodes(fresh, shard, onPrimary) : [];
    return { endpoints, login: fresh.login };
  };
  return source.shards.map(
    (shard) =>
      new ShardArchiver({
        ...{ source: source.name, shard: shard.name, spool, settings, onEvent, signal },
        clock: new ArchiveClock(() => now().getTime()),
        locate: () => locate(shard.name),
        ...(once === undefined ? {} : { once }),
      }),
  );
}

/** How long a stop waits for the store before what is left stays in the spool. */
const drainMs = 10_000;

/** Follows every shard until the signal. What is sealed is uploaded, or stays in the spool for the next start. */
export async function archive(options: ArchiveRunOptions, signal: AbortSignal): Promise<{ readonly waiting: number }> {
  const { spool, release } = await openSpool(options);
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const uploads = new AbortController();
  try {
    const uploading = spool.upload(uploads.signal);
    const archivers = archiversOf(options, spool, both);
    try {
      await Promise.all(archivers.map((archiver) => archiver.run()));
    } finally {
      stop.abort();
      await Promise.race([spool.drained(uploads.signal), delay(drainMs, undefined, { ref: false })]);
      uploads.abort();
      await uploading;
    }
    return { waiting: spool.waiting };
  } finally {
    await release();
  }
}

/** Takes one base of each shard, and returns when all of it is in the store. */
export async function runOnce(options: ArchiveRunOptions, signal: AbortSignal): Promise<void> {
  const { spool, release } = await openSpool(options);
  try {
    await spool.flush();
    for (const archiver of archiversOf(options, spool, signal, 'base')) await archiver.run();
    signal.throwIfAborted();
    await spool.flush();
  } finally {
    await release();
  }
}
