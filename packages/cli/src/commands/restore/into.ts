import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runOnce } from '../../backup/archive/archive-run.js';
import { globPattern } from '../../backup/restore/find-command.js';
import { copyFunctions, copyKeys, matchesAny, scanKeys } from '../../backup/restore/into/copy-keys.js';
import { LiveTarget } from '../../backup/restore/into/live-target.js';
import {
  isOpen,
  type RestoreJournal,
  type RestoreStep,
  readJournal,
  writeJournal,
} from '../../backup/restore/into/restore-journal.js';
import { loadEntries, safetySuffix } from '../../backup/restore/load-entries.js';
import { instant, planRestore, type RestorePlan } from '../../backup/restore/plan-restore.js';
import { ScratchServer } from '../../backup/restore/scratch-server.js';
import { writeDataFolder } from '../../backup/restore/write-data-folder.js';
import type { Context } from '../../context.js';
import { withFolderLock } from '../../deployment/folder-lock.js';
import type { LoadedDeployment } from '../../deployment/loaded-deployment.js';
import { loadDeployment } from '../../deployment/state.js';
import { CliError } from '../../errors.js';
import { stopIfInterrupted } from '../../interruption.js';
import { archiveOptions } from '../backup/archive-options.js';
import { readIdentities } from '../backup/options.js';
import { type Reading, readBackup, requireTrust, warnOfProblems } from '../backup/reading.js';
import { scratchProgram } from '../backup/scratch-program.js';
import { Progress, plural, seconds } from '../backup/sizes.js';
import { momentOf } from './moment.js';
import type { RestoreCommandOptions } from './restore-options.js';

/** `redkeep restore --into`: the state of a moment, or some of its keys, into a running deployment. */
export async function restoreInto(context: Context, options: RestoreCommandOptions): Promise<void> {
  const loaded = await loadDeployment(context, options.into);
  await withFolderLock(loaded.folder, 'restore', () => intoLocked(context, loaded, options));
}

async function intoLocked(context: Context, loaded: LoadedDeployment, options: RestoreCommandOptions): Promise<void> {
  const { terminal, signal } = context;
  const identities = await readIdentities(context, options.identity);
  const found = await readBackup(context, { ...options, dir: options.dir ?? options.into! });
  const reading = requireTrust(context, found, options.unverifiedWriter ?? false);
  warnOfProblems(context, reading.loaded.problems);
  const { target, found: text } = options.moment ?? (await momentOf(reading, options, identities));
  const { loaded: entries, source, gone, environment } = reading;
  const plan = planRestore(entries.entries, source, target, { gone, nearest: options.nearest ?? false });
  const began = performance.now();
  const live = await LiveTarget.open(context, loaded);
  const scratch = await openScratch(context, plan, reading, identities, options);
  try {
    await requireLoadable(scratch, live);
    const keys = options.keys ? [...options.keys] : null;
    const before = await live.keys();
    const moment = text ?? instant(Math.max(...plan.shards.map(({ second }) => second)));
    const what = keys ? `the keys ${keys.join(' ')}` : 'everything';
    await agree(context, options, [
      `Restores ${what} of "${source}" (${moment}) into "${live.name}", which has ${plural(before, 'key')}.`,
      ...(before > 0 ? [`1. backs up what is there now to ${environment.store.description}`] : []),
      ...(keys ? [] : ['2. locks out the applications', '3. removes all keys']),
      ...(keys ? ['2. replaces these keys'] : ['4. brings the keys back', '5. lets the applications in']),
    ]);
    const stateFolder = environment.stateOf('restore');
    const unfinished = await readJournal(stateFolder);
    let journal: RestoreJournal =
      unfinished && isOpen(unfinished)
        ? { ...unfinished, keys }
        : {
            ...{ format: 1, deployment: live.name, began: context.clock.now().toISOString(), step: 'planned' },
            ...{ keys, safety: null, held: [] },
          };
    const step = async (next: RestoreStep, more: Partial<RestoreJournal> = {}) => {
      stopIfInterrupted(signal);
      journal = { ...journal, ...more, step: next };
      await writeJournal(stateFolder, journal);
    };
    // What an interrupted run has saved is the state before it; what is there now is neither old nor new.
    if (!isOpen(journal) && before > 0) await step('safe', { safety: await saveFirst(context, options, reading) });
    if (!keys) {
      // Those that were locked out before stay so afterwards.
      if (!isOpen(journal)) await step('held', { held: [...(await live.activeApplications())] });
      await live.holdApplications(journal.held);
      await step('loading');
      await live.empty();
    }
    const progress = new Progress((text) => terminal.note(text));
    let copied = 0;
    let expired = 0;
    for (const server of scratch) {
      const result = await copyKeys(server.client, live, {
        ...{ patterns: keys?.map(globPattern), signal },
        onProgress: (count) => progress.report('keys', copied + count),
      });
      copied += result.copied;
      expired += result.expired;
      if (!keys) await copyFunctions(server.client, live);
    }
    const after = await live.keys();
    if (!keys) {
      await step('loaded');
      // Keys can expire between the copy and the count; more than were copied cannot be there.
      if (after > copied) throw unproved(`${after} keys are there, ${copied} were copied`);
      await live.releaseApplications(journal.held);
    }
    await step('released');
    const tookMs = performance.now() - began;
    if (options.json) return terminal.json({ source, keys: copied, expired, tookMs: Math.round(tookMs), journal });
    terminal.done(`Restored ${plural(copied, 'key')} into "${live.name}" in ${seconds(tookMs)}.`);
    if (expired > 0) terminal.note(`${plural(expired, 'key')} had expired since that moment.`);
    if (!plan.oneMoment) terminal.warn('The shards are not of one moment: no coordinated cut was chosen (--cut).');
    if (journal.safety) terminal.note('Take it back with "redkeep restore undo" and the same flags.');
  } catch (error) {
    const left = await readJournal(environment.stateOf('restore'));
    if (left && isOpen(left)) terminal.warn('Applications are locked out. Run it again, or "redkeep restore undo".');
    throw error;
  } finally {
    live.close();
    for (const server of scratch) await server.close();
  }
}

/** `redkeep restore undo`: what the last restore replaced, from its safety copy. */
export async function restoreUndo(context: Context, options: RestoreCommandOptions): Promise<void> {
  const loaded = await loadDeployment(context, options.into);
  await withFolderLock(loaded.folder, 'restore undo', () => undoLocked(context, loaded, options));
}

async function undoLocked(context: Context, loaded: LoadedDeployment, options: RestoreCommandOptions): Promise<void> {
  const { terminal, signal } = context;
  const identities = await readIdentities(context, options.identity);
  const reading = await readBackup(context, { ...options, dir: options.dir ?? options.into! });
  const stateFolder = reading.environment.stateOf('restore');
  const journal = await readJournal(stateFolder);
  if (!journal || journal.step === 'planned' || journal.step === 'undone' || journal.safety === null) {
    throw new CliError(
      'REDKEEP_BACKUP_NOT_FOUND',
      'There is no restore that could be undone.',
      'See "redkeep backup list".',
    );
  }
  const { writer, from, to } = journal.safety;
  const source = safetySource(reading.source);
  const { entries } = await loadEntries(reading.environment.store, { source });
  const safe = entries.filter((entry) => entry.writer === writer && entry.seq > from && entry.seq <= to);
  const cut = safe.find(({ body }) => body.kind === 'cut');
  const target =
    cut?.body.kind === 'cut' ? { kind: 'cut' as const, cut: { ...cut, body: cut.body } } : { kind: 'latest' as const };
  const plan = planRestore(safe, source, target);
  const live = await LiveTarget.open(context, loaded);
  const scratch = await openScratch(context, plan, reading, identities, options);
  try {
    await agree(context, options, [`Puts back what "${live.name}" had before the restore of ${journal.began}.`]);
    const patterns = journal.keys?.map(globPattern);
    const held = isOpen(journal) ? journal.held : [...(await live.activeApplications())];
    if (!patterns) {
      await writeJournal(stateFolder, { ...journal, held, step: 'loading' });
      await live.holdApplications(held);
      await live.empty();
    } else await removeMatching(live, patterns);
    let copied = 0;
    for (const server of scratch) {
      copied += (await copyKeys(server.client, live, { patterns, signal })).copied;
      if (!patterns) await copyFunctions(server.client, live);
    }
    if (!patterns) await live.releaseApplications(held);
    await writeJournal(stateFolder, { ...journal, step: 'undone' });
    if (options.json) return terminal.json({ source: reading.source, keys: copied });
    terminal.done(`Put back ${plural(copied, 'key')} in "${live.name}".`);
  } finally {
    live.close();
    for (const server of scratch) await server.close();
  }
}

/** Keys that the restore brought and that were not there before go again. */
async function removeMatching(live: LiveTarget, patterns: readonly RegExp[]): Promise<void> {
  for (const primary of await live.primaries()) {
    for await (const { database, keys } of scanKeys(primary, patterns)) {
      for (const key of keys.filter((one) => matchesAny(patterns, one))) {
        await live.onKey(key, database, ['UNLINK', key]);
      }
    }
  }
}

interface Scratch {
  readonly client: ScratchServer['client'];
  close(): Promise<void>;
}

/** A loaded server for each shard. Whatever does not load is known before anything is touched. */
async function openScratch(
  context: Context,
  plan: RestorePlan,
  { environment }: Reading,
  identities: readonly string[],
  options: RestoreCommandOptions,
): Promise<Scratch[]> {
  const { signal, terminal } = context;
  const program = await scratchProgram(context, plan, options.server);
  const progress = new Progress((text) => terminal.note(text));
  const opened: Scratch[] = [];
  try {
    for (const shard of plan.shards) {
      const folder = await mkdtemp(path.join(options.work ?? tmpdir(), 'redkeep-restore-'));
      const remove = () => rm(folder, { recursive: true, force: true });
      try {
        await writeDataFolder(folder, shard, {
          ...{ store: environment.store, identities, signal },
          onProgress: (bytes) => progress.report(shard.shard, bytes, shard.encryptedBytes),
        });
        await options.complete?.(folder, shard);
        const server = await ScratchServer.start(program, folder, signal);
        await server.client.sendCommand(['DEBUG', 'SET-ACTIVE-EXPIRE', '0']);
        opened.push({ client: server.client, close: () => server.stop().then(remove) });
      } catch (error) {
        await remove();
        throw error;
      }
    }
    return opened;
  } catch (error) {
    for (const server of opened) await server.close();
    throw error;
  }
}

/** Tries one value of the backup under a name of its own: a target of an older format refuses it. */
async function requireLoadable(scratch: readonly Scratch[], live: LiveTarget): Promise<void> {
  const { RESP_TYPES } = await import('redkeep');
  const probe = Buffer.from(`redkeep:restore-probe:${process.pid}`);
  const binary = scratch[0]!.client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  await scratch[0]!.client.sendCommand(['SET', probe, 'x']);
  const dump = (await binary.sendCommand(['DUMP', probe])) as unknown as Buffer;
  await scratch[0]!.client.sendCommand(['DEL', probe]);
  try {
    await live.onKey(probe, '0', ['RESTORE', probe, '1000', dump, 'REPLACE']);
    await live.onKey(probe, '0', ['DEL', probe]);
  } catch (error) {
    throw new CliError(
      'REDKEEP_BACKUP_INCOMPATIBLE',
      `"${live.name}" does not take values of this backup: its server is older, or of another engine. Nothing was touched.`,
      'Restore into a server of the engine and version that wrote it (redkeep backup list), then move on from there.',
      { cause: error },
    );
  }
}

/** Safety copies are a backup of their own: the state before a restore must never be the newest of the real one. */
function safetySource(source: string): string {
  return `${source.slice(0, 48)}${safetySuffix}`;
}

async function saveFirst(context: Context, options: RestoreCommandOptions, { loaded, source }: Reading) {
  const { terminal } = context;
  const quiet = () => undefined;
  const recipients = loaded.entries.findLast(({ body }) => body.kind === 'base')?.body;
  const recipient = recipients?.kind === 'base' ? recipients.recipients : undefined;
  const take = {
    ...options,
    dir: options.into!,
    onPrimary: true,
    source: safetySource(source),
    ...(recipient ? { recipient } : {}),
  };
  const { run, environment } = await archiveOptions(context, take, 'safety', quiet);
  const { entries } = await loadEntries(environment.store, { source: run.source.name });
  await runOnce(run, context.signal);
  const now = await loadEntries(environment.store, { source: run.source.name });
  const newest = now.writers.find(
    ({ id, seq }) => seq > Math.max(0, ...entries.filter((entry) => entry.writer === id).map((entry) => entry.seq)),
  )!;
  const from = Math.max(0, ...entries.filter(({ writer }) => writer === newest.id).map(({ seq }) => seq));
  terminal.note('Backed up what is there now.');
  return { writer: newest.id, from, to: newest.seq };
}

async function agree(context: Context, options: RestoreCommandOptions, lines: readonly string[]): Promise<void> {
  if (!options.json) for (const line of lines) context.terminal.note(line);
  if (options.yes) return;
  if (context.prompt.available && (await context.prompt.confirm('Do it?', false))) return;
  throw new CliError('REDKEEP_CONSENT_NEEDED', 'Nothing was changed.', 'Say --yes to do it without a question.');
}

function unproved(what: string): CliError {
  return new CliError(
    'REDKEEP_BACKUP_UNPROVED',
    `The restored data is not what was copied: ${what}. Applications are still locked out.`,
    'Run it again, or take it back with "redkeep restore undo".',
  );
}
