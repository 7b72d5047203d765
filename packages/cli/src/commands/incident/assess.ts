import { type Fact, observe, unobserved } from '../../audit/facts/fact.js';
import type { Context } from '../../context.js';
import { ExitCode } from '../../exit-codes.js';
import { assess, type ServerAssessment } from '../../incident/assess.js';
import { IncidentFolder } from '../../incident/folder.js';
import type { Judgement } from '../../incident/indicators/indicator.js';
import type { ArchiveScene } from '../../incident/indicators/scene.js';
import type { Reach } from '../../incident/reach/reach.js';
import { searchArchive } from '../../incident/recover/archive-search.js';
import { type ReadOptions, readIdentities } from '../backup/options.js';
import { readBackup, requireTrust } from '../backup/reading.js';
import {
  type ExpectedOptions,
  expectedOf,
  type IncidentOptions,
  incidentFolderOf,
  openIncidentSession,
  serversOf,
  wholeNumber,
} from './options.js';

type AssessOptions = IncidentOptions &
  ExpectedOptions &
  ReadOptions & { readonly keys: string; readonly watchSeconds: string };

/** `redkeep incident assess`. */
export async function assessServers(
  context: Context,
  given: string | undefined,
  options: AssessOptions,
): Promise<void> {
  const { terminal, clock, signal } = context;
  const keys = wholeNumber(options.keys, '--keys', 0, 100_000_000);
  const watchSeconds = wholeNumber(options.watchSeconds, '--watch-seconds', 0, 600);
  const { target, endpoints } = await serversOf(context, given, options);
  const archive = await archiveOf(context, options);
  const expected = expectedOf(target, options);
  const servers: ServerAssessment[] = [];
  for (const endpoint of endpoints) {
    terminal.note(`Looking at ${endpoint.host}:${endpoint.port}`);
    servers.push(
      await assess({
        ...{ endpoint, expected, keys, watchSeconds, archive, signal },
        openSession: openIncidentSession,
        now: () => clock.now(),
      }),
    );
  }
  const all = servers.flatMap(({ judgements }) => judgements);
  const found = all.filter(({ outcome }) => outcome === 'found');
  const isIncomplete = all.some(({ outcome }) => outcome === 'not-looked');
  context.exitCode = found.length > 0 ? ExitCode.Findings : isIncomplete ? ExitCode.Incomplete : ExitCode.Ok;
  const incident = await IncidentFolder.begin(incidentFolderOf(context, options), clock.now());
  const file = await incident.keep('assessment', clock.now(), { target: target.label, servers });
  const text =
    found.length > 0
      ? `Found: ${[...new Set(found.map(({ id }) => id))].join(', ')}.`
      : 'No indicator was found where it could be looked for.';
  await incident.record('assessed', text, clock.now(), file);
  if (options.json) return terminal.json({ file: incident.file(file), servers });
  for (const server of servers) renderServer(context, server);
  terminal.note(`Kept in ${incident.file(file)}`);
}

async function archiveOf(context: Context, options: AssessOptions): Promise<Fact<ArchiveScene>> {
  if (options.store === undefined) return unobserved('no archive was named (--store, --identity)');
  const identities = await readIdentities(context, options.identity);
  const reading = requireTrust(context, await readBackup(context, options), false);
  return observe('the archive', async () => {
    const { environment, loaded, source, gone } = reading;
    const { store } = environment;
    const archive = { store, entries: loaded.entries, source, gone, identities, signal: context.signal };
    const { bad, from, to } = await searchArchive(archive);
    return { bad, from, to };
  });
}

const words: Readonly<Record<Judgement['outcome'], string>> = {
  found: 'FOUND',
  'not-found': 'not found',
  'not-looked': 'could not look',
};

function renderServer({ terminal }: Context, { address, judgements, reach, keys }: ServerAssessment): void {
  terminal.line(terminal.style('bold', `Traces on ${address}`));
  for (const { id, title, outcome, signs, looked, notLooked } of judgements) {
    const mark = outcome === 'found' ? 'red' : outcome === 'not-found' ? 'dim' : 'yellow';
    terminal.line(`  ${terminal.style(mark, words[outcome].padEnd(14))} ${title}  [${id}]`);
    for (const { place, text, at } of signs) terminal.line(`      ${place}: ${text}${at ? ` (${at})` : ''}`);
    if (outcome !== 'found' && looked.length > 0) terminal.detail(`looked at: ${looked.join(', ')}`);
    for (const { place, reason } of notLooked) terminal.detail(`not looked at: ${place}: ${reason}`);
  }
  if (keys && keys.looked < keys.total)
    terminal.line(`  ${keys.looked} of ${keys.total} keys were looked into; --keys says how many.`);
  terminal.line('  "Not found" does not mean clean: intruders remove traces.');
  terminal.line();
  terminal.line(terminal.style('bold', `Who could reach what on ${address}`));
  if (reach.observed) for (const row of reach.value) renderReach(terminal, row);
  else terminal.line(`  could not look: ${reach.reason}`);
  terminal.line();
}

function renderReach(terminal: Context['terminal'], row: Reach): void {
  terminal.line(`  ${terminal.style('bold', row.user)}: open ${row.open}`);
  terminal.line(`      keys       ${row.keys.join(' ') || 'none'}`);
  terminal.line(`      can        ${row.powers.join('; ') || 'nothing beyond its keys'}`);
  terminal.line(`      since      ${row.since ?? 'not known'}: ${row.because}`);
  terminal.line(`      connected  ${row.connectedFrom.join(', ') || 'nobody now'}`);
  if (row.refusedLogins > 0) terminal.line(`      refused    ${row.refusedLogins} logins`);
}
