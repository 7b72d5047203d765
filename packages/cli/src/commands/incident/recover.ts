import { open, stat } from 'node:fs/promises';
import path from 'node:path';
import { globPattern, parseCommandPattern } from '../../backup/restore/find-command.js';
import { instant, type ShardPlan } from '../../backup/restore/plan-restore.js';
import { ScratchServer } from '../../backup/restore/scratch-server.js';
import type { Context } from '../../context.js';
import { loadDeployment } from '../../deployment/state.js';
import { CliError } from '../../errors.js';
import { ExitCode } from '../../exit-codes.js';
import { IncidentFolder } from '../../incident/folder.js';
import { escapeIn } from '../../incident/indicators/payloads.js';
import { searchValues } from '../../incident/indicators/search-values.js';
import { searchArchive } from '../../incident/recover/archive-search.js';
import { unitText } from '../../incident/recover/later-writes.js';
import { type LaterWrite, planRecovery } from '../../incident/recover/recover.js';
import { type ReadOptions, readIdentities } from '../backup/options.js';
import { readBackup, requireTrust, warnOfProblems } from '../backup/reading.js';
import { scratchProgram } from '../backup/scratch-program.js';
import { plural } from '../backup/sizes.js';
import { incidentFolderOf, wholeNumber } from './options.js';

export interface RecoverOptions extends ReadOptions {
  readonly incident: string;
  readonly bad?: readonly string[];
  readonly firstBad: string;
  readonly replay?: readonly string[];
  readonly skip?: readonly string[];
  readonly out?: string;
  readonly into?: string;
  readonly server?: string;
  readonly work?: string;
  readonly yes?: boolean;
  readonly unverifiedWriter?: boolean;
  readonly sameCredentials?: boolean;
}

/** Lines of the list of later writes that are shown; the file has all of them. */
const shown = 20;

/** `redkeep incident recover`. */
export async function recoverData(context: Context, options: RecoverOptions): Promise<void> {
  const { terminal, clock, signal } = context;
  const firstBad = wholeNumber(options.firstBad, '--first-bad', 1, 1_000_000_000);
  const patterns = (options.bad ?? []).map(parseCommandPattern);
  const identities = await readIdentities(context, options.identity);
  const reading = requireTrust(context, await readBackup(context, options), options.unverifiedWriter ?? false);
  warnOfProblems(context, reading.loaded.problems);
  const { environment, loaded, source, gone } = reading;
  const archive = { store: environment.store, entries: loaded.entries, source, gone, identities, signal };
  terminal.note('Reading every write of the archive');
  const search = await searchArchive(archive, patterns);
  const incident = await IncidentFolder.begin(incidentFolderOf(context, options), clock.now());
  const list = incident.file(`later-writes-${stampOf(clock.now())}.jsonl`);
  const handle = await open(list, 'wx', 0o600);
  const first: LaterWrite[] = [];
  let pending = '';
  const onLater = (write: LaterWrite): void => {
    if (first.length < shown) first.push(write);
    const { number, second, shard, database, commands, bad, replayed } = write;
    const line = { number, at: instant(second), shard, database, commands, replayed, ...(bad && { bad }) };
    pending += `${JSON.stringify(line)}\n`;
  };
  try {
    const selection = selectionOf(options);
    const recovery = await planRecovery({ archive, search, firstBad, patterns, selection, onLater });
    await handle.writeFile(pending);
    const summary = {
      source,
      firstBad: { at: instant(recovery.first.second), ...shownBad(recovery.first) },
      badCommands: search.bad.map((bad) => ({ at: instant(bad.second), ...shownBad(bad) })),
      later: recovery.later,
      laterBad: recovery.bad,
      replayed: recovery.replayed,
      list,
    };
    if (!options.json) {
      for (const [index, bad] of search.bad.slice(0, shown).entries())
        terminal.line(`bad ${index + 1}  ${instant(bad.second)}  [${bad.indicator}] ${bad.shard}: ${bad.text}`);
      terminal.line(
        `Clean point: before ${recovery.first.text} of ${instant(recovery.first.second)}; ${plural(recovery.later, 'later write')}, ${recovery.bad} of them bad, ${recovery.replayed} to be replayed.`,
      );
      for (const write of first)
        terminal.line(
          `  ${write.number}  ${instant(write.second)}  ${write.bad ? 'BAD   ' : write.replayed ? 'replay' : '      '} ${unitText(write)}`,
        );
      if (recovery.later > first.length) terminal.note(`All of them, with the names of keys: ${list}`);
    }
    context.exitCode = ExitCode.Findings;
    if (options.out === undefined && options.into === undefined) {
      if (options.json) return terminal.json(summary);
      return terminal.note('Nothing was restored: name --out FOLDER or --into DEPLOYMENT, and --replay to choose.');
    }
    if (options.into !== undefined && !options.sameCredentials)
      await requireNewCredentials(context, options.into, recovery.first.second);
    let payloads = 0;
    const moment = { target: recovery.target, found: `before ${recovery.first.text} of ${summary.firstBad.at}` };
    const complete = async (folder: string, shard: ShardPlan): Promise<void> => {
      await recovery.complete(folder, shard);
      payloads += await payloadsIn(context, folder, recovery.plan, options);
    };
    const { restore } = await import('../restore/restore.js');
    const { json: _, ...restoring } = options;
    await restore(context, { ...restoring, moment, complete });
    context.exitCode = payloads > 0 ? ExitCode.Findings : ExitCode.Ok;
    const text = `Restored the state before ${recovery.first.text} of ${summary.firstBad.at}, and replayed ${recovery.replayed} of ${recovery.later} later writes.`;
    await incident.record('recovered', text, clock.now(), path.basename(list));
    if (options.json)
      return terminal.json({ ...summary, payloads, out: options.out ?? null, into: options.into ?? null });
    if (payloads > 0)
      terminal.warn(
        `${plural(payloads, 'value or library', 'values or libraries')} in it still carry payloads: the intrusion is older than the archive.`,
      );
    terminal.done(text);
  } finally {
    await handle.close();
  }
}

function selectionOf({ replay, skip }: RecoverOptions): Parameters<typeof planRecovery>[0]['selection'] {
  const skipped = new Set((skip ?? []).map((text) => wholeNumber(text, '--skip', 1, Number.MAX_SAFE_INTEGER)));
  if (replay === undefined || replay.includes('none')) return { patterns: undefined, skip: skipped };
  return { patterns: replay.includes('all') ? [] : replay.map(globPattern), skip: skipped };
}

function shownBad({ indicator, shard, text }: { indicator: string; shard: string; text: string }) {
  return { indicator, shard, text };
}

function stampOf(now: Date): string {
  return now.toISOString().replace(/[-:.]/g, '');
}

/** Loads what was written, and looks for payloads in it: a clean point is one only if nothing older is there. */
async function payloadsIn(
  context: Context,
  folder: string,
  plan: Parameters<typeof scratchProgram>[1],
  options: RecoverOptions,
): Promise<number> {
  const program = await scratchProgram(context, plan, options.server);
  const server = await ScratchServer.start(program, folder, context.signal);
  try {
    const ask = (...words: readonly string[]) => server.client.sendCommand([...words]);
    const { found } = await searchValues(ask, Number.MAX_SAFE_INTEGER, context.signal);
    const libraries = JSON.stringify(await ask('FUNCTION', 'LIST', 'WITHCODE'));
    return found.length + (escapeIn(libraries) ? 1 : 0);
  } finally {
    await server.stop();
  }
}

/** Passwords that the intruder may know must not open what is restored. */
async function requireNewCredentials(context: Context, folder: string, second: number): Promise<void> {
  const loaded = await loadDeployment(context, folder);
  const older: string[] = [];
  for (const { name, passwordFile } of loaded.deployment.users) {
    const { mtimeMs } = await stat(path.join(loaded.folder, passwordFile));
    if (mtimeMs < second * 1000) older.push(name);
  }
  if (older.length === 0) return;
  throw new CliError(
    'REDKEEP_CONSENT_NEEDED',
    `These users of the deployment have passwords that are older than the first bad command: ${older.join(', ')}.`,
    'Make a new deployment (redkeep init) or rotate them (redkeep rotate); --same-credentials restores there anyway.',
  );
}
