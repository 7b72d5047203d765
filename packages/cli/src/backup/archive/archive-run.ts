import { mkdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { withFolderLock } from '../../deployment/folder-lock.js';
import { CliError } from '../../errors.js';
import type { CutBody } from '../format/entry.js';
import { entryFolder } from '../format/names.js';
import type { BackupSource } from '../source/backup-source.js';
import { chooseNodes } from '../source/choose-node.js';
import type { Store } from '../store/store.js';
import { ArchiveClock } from './archive-clock.js';
import { coordinatedCut } from './coordinated-cut.js';
import { type ArchiveEvent, type ArchiveSettings, ShardArchiver } from './shard-archiver.js';
import { Spool } from './spool.js';
import { loadSigner } from './state-folder.js';

export interface ArchiveRunOptions {
  readonly source: BackupSource;
  /** Reads the source again, with passwords and certificates as they are now. */
  readonly refresh: () => Promise<BackupSource>;
  readonly store: Store;
  readonly stateFolder: string;
  readonly settings: ArchiveSettings;
  readonly spoolBytes: number;
  readonly onPrimary: boolean;
  /** Between two cuts over all shards; 0 for none. */
  readonly cutMs: number;
  readonly now: () => Date;
  readonly onEvent: (event: ArchiveEvent) => void;
}

/** Works with the spool of a writer. A second process is kept out: two with one key would make two chains of one. */
async function withSpool<T>(options: ArchiveRunOptions, work: (spool: Spool) => Promise<T>): Promise<T> {
  const { stateFolder, source, store, spoolBytes, now, onEvent } = options;
  await mkdir(stateFolder, { recursive: true, mode: 0o700 });
  return withFolderLock(stateFolder, 'backup', async () => {
    const signer = await loadSigner(stateFolder);
    const onStore = (problem: string | undefined) => onEvent({ kind: 'store', problem });
    const spool = await Spool.open({
      ...{ folder: stateFolder, source: source.name, store, signer, limitBytes: spoolBytes, now, onStore },
    });
    await requireNewest(store, source.name, spool);
    return work(spool);
  });
}

/**
 * A state that was put back from a copy would write entries of numbers that are taken. A store that lacks what was
 * uploaded is another one, for example the empty mount point of a disk.
 */
async function requireNewest(store: Store, source: string, spool: Spool): Promise<void> {
  let names: readonly { readonly name: string }[];
  try {
    names = await store.list(`${entryFolder(source)}${spool.writer}/`);
  } catch {
    // The store is away: what is sealed waits in the spool.
    return;
  }
  const newest = Math.max(0, ...names.map(({ name }) => Number(/(\d+)\.json$/.exec(name)?.[1] ?? 0)));
  const uploaded = spool.seq - spool.waiting;
  if (newest < uploaded) {
    throw new CliError(
      'REDKEEP_BACKUP_STORE_FAILED',
      `${store.description} has entries of this writer up to ${newest}, and ${uploaded} were uploaded.`,
      'Is the store mounted? To begin in a new store, start with a new state folder (--state).',
    );
  }
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
): ReadonlyMap<string, ShardArchiver> {
  const { source, settings, onEvent, onPrimary, now } = options;
  const locate = async (name: string) => {
    const fresh = await options.refresh();
    const shard = fresh.shards.find((candidate) => candidate.name === name);
    const endpoints = shard ? await chooseNodes(fresh, shard, onPrimary) : [];
    return { endpoints, login: fresh.login };
  };
  return new Map(
    source.shards.map((shard) => [
      shard.name,
      new ShardArchiver({
        ...{ source: source.name, shard: shard.name, spool, settings, onEvent, signal },
        clock: new ArchiveClock(() => now().getTime()),
        locate: () => locate(shard.name),
        ...(once === undefined ? {} : { once }),
      }),
    ]),
  );
}

/** How long a stop waits for the store before what is left stays in the spool. */
const drainMs = 10_000;

/** Follows every shard until the signal. What is sealed is uploaded, or stays in the spool for the next start. */
export function archive(options: ArchiveRunOptions, signal: AbortSignal): Promise<{ readonly waiting: number }> {
  return withSpool(options, async (spool) => {
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    const uploads = new AbortController();
    const uploading = spool.upload(uploads.signal);
    const archivers = archiversOf(options, spool, both);
    const cutting = cutRegularly(options, archivers, spool, both);
    try {
      await Promise.all([...archivers.values()].map((archiver) => archiver.run()));
    } finally {
      stop.abort();
      await cutting;
      await Promise.race([spool.drained(uploads.signal), delay(drainMs, undefined, { ref: false })]);
      uploads.abort();
      await uploading;
    }
    return { waiting: spool.waiting };
  });
}

async function cutRegularly(
  options: ArchiveRunOptions,
  archivers: ReadonlyMap<string, ShardArchiver>,
  spool: Spool,
  signal: AbortSignal,
): Promise<void> {
  const { cutMs, refresh, now, onEvent } = options;
  if (archivers.size < 2 || cutMs === 0) return;
  for (;;) {
    await delay(cutMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    // Without a base of every shard there is nothing that a cut could cut.
    if ([...archivers.values()].some(({ history }) => history === 0)) continue;
    try {
      const cut = await coordinatedCut(await refresh(), archivers, spool, now, signal);
      onEvent({ kind: 'cut', oneMoment: cut.oneMoment, pausedMs: cut.pausedMs, reason: cut.reason });
    } catch (error) {
      onEvent({ kind: 'cut', oneMoment: false, pausedMs: 0, reason: error instanceof Error ? error.message : '' });
    }
  }
}

/**
 * Takes one base of each shard, and returns when all of it is in the store. Of several shards the streams are followed
 * from the bases to one coordinated cut: bases are never of one moment.
 */
export function runOnce(options: ArchiveRunOptions, signal: AbortSignal): Promise<CutBody | undefined> {
  return withSpool(options, async (spool) => {
    await spool.flush();
    const several = options.source.shards.length > 1;
    let cut: CutBody | undefined;
    if (several) cut = await runToCut(options, spool, signal);
    else for (const archiver of archiversOf(options, spool, signal, 'base').values()) await archiver.run();
    signal.throwIfAborted();
    await spool.flush();
    return cut;
  });
}

async function runToCut(options: ArchiveRunOptions, spool: Spool, signal: AbortSignal): Promise<CutBody> {
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const based = new Set<string>();
  let allBased: () => void = () => undefined;
  const bases = new Promise<void>((resolve) => {
    allBased = resolve;
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const onEvent = (event: ArchiveEvent) => {
    options.onEvent(event);
    if (event.kind === 'base' && based.add(event.shard).size === options.source.shards.length) allBased();
  };
  const archivers = archiversOf({ ...options, onEvent }, spool, both, 'stream');
  const running = Promise.all([...archivers.values()].map((archiver) => archiver.run()));
  running.catch(() => undefined);
  try {
    await Promise.race([bases, running]);
    signal.throwIfAborted();
    return await coordinatedCut(await options.refresh(), archivers, spool, options.now, signal);
  } finally {
    stop.abort();
    await running;
  }
}
