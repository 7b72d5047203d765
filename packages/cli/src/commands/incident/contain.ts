import { readUsers } from '../../audit/gather/live.js';
import type { Context } from '../../context.js';
import { CliError } from '../../errors.js';
import {
  type ContainRequest,
  contain,
  planContainment,
  release,
  requireCollected,
} from '../../incident/contain/contain.js';
import { IncidentFolder } from '../../incident/folder.js';
import {
  expectedOf,
  type IncidentOptions,
  incidentFolderOf,
  openIncidentSession,
  type Servers,
  serversOf,
  wholeNumber,
} from './options.js';

export interface ContainCommandOptions extends IncidentOptions {
  readonly pauseMinutes: string;
  readonly allowFrom?: readonly string[];
  readonly userOff?: readonly string[];
  readonly allUsers?: boolean;
  readonly killReplicas?: boolean;
  readonly stopReplication?: boolean;
  readonly firewall?: boolean;
  readonly withoutEvidence?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

async function requestOf(
  context: Context,
  servers: Servers,
  incident: IncidentFolder,
  options: ContainCommandOptions,
): Promise<ContainRequest> {
  const { clock, signal, terminal } = context;
  const { endpoints, target } = servers;
  return {
    incident,
    endpoints,
    signal,
    openSession: openIncidentSession,
    now: () => clock.now(),
    options: {
      pauseMs: wholeNumber(options.pauseMinutes, '--pause-minutes', 1, 24 * 60) * 60_000,
      allowFrom: [...(options.allowFrom ?? []), ...expectedOf(target, {}).peers],
      usersOff: options.allUsers ? await everyUser(servers) : (options.userOff ?? []),
      killReplicas: options.killReplicas === true,
      stopReplication: options.stopReplication === true,
      firewall: options.firewall === true,
    },
    onLeft: (node, text) => terminal.warn(`${node}: ${text}.`),
    onStep: (node, { title }, state) =>
      terminal.done(state === 'taken' ? `${node}: ${title}.` : `${node}: taken back: ${title}.`),
  };
}

/** All users but the default one, the own one, and those that servers and operators use. */
async function everyUser({ endpoints, target }: Servers): Promise<string[]> {
  const names = new Set<string>();
  for (const endpoint of endpoints) {
    const session = await openIncidentSession(endpoint);
    try {
      for (const { name } of await readUsers(session.ask)) names.add(name);
    } finally {
      await session.close();
    }
  }
  const technical = ['admin', 'replication', 'sentinel', 'monitoring', 'auditor', 'backup'];
  return [...names].filter(
    (name) =>
      name !== 'default' &&
      name !== endpoints[0]?.username &&
      !technical.includes(target.expectations.roles[name] ?? ''),
  );
}

/** `redkeep incident contain`. */
export async function containServers(
  context: Context,
  given: string | undefined,
  options: ContainCommandOptions,
): Promise<void> {
  const { terminal, clock } = context;
  const servers = await serversOf(context, given, options);
  const incident = await IncidentFolder.begin(incidentFolderOf(context, options), clock.now());
  const request = await requestOf(context, servers, incident, options);
  const planned = await planContainment(request);
  for (const { node, warnings } of planned) for (const warning of warnings) terminal.warn(`${node}: ${warning}`);
  if (!options.json || options.dryRun) renderPlan(context, planned, options.json === true);
  if (options.dryRun) return;
  if (!options.withoutEvidence) await requireCollected(incident);
  await agreed(context, options.yes === true, 'Do this now?');
  await contain(request);
  const taken = planned.filter(({ runs }) => runs.length > 0);
  const text = [...new Set(taken.map(({ title }) => title))].join('; ');
  await incident.record('contained', `${text}.`, clock.now(), 'containment.json');
  if (options.json) return terminal.json({ contained: taken });
  terminal.note('A restart of a server takes it back: its files were not changed. Writes wait until the pause ends.');
  terminal.note('Take it back with "redkeep incident release" and the same target.');
}

function renderPlan({ terminal }: Context, planned: Awaited<ReturnType<typeof planContainment>>, json: boolean): void {
  if (json) terminal.json({ steps: planned });
  else
    for (const { node, step, title, effect, undo, runs, not, done } of planned) {
      if (runs.length === 0) {
        terminal.line(`${terminal.style('dim', '-')} ${node} ${title}  [${step}]: ${not}`);
        continue;
      }
      terminal.line(`${done ? '✓' : '•'} ${node} ${terminal.style('bold', title)}  [${step}]${done ? ' (done)' : ''}`);
      for (const command of runs) terminal.line(`      ${command}`);
      terminal.line(`      clients  ${effect}`);
      terminal.line(`      undo     ${undo}`);
    }
}

/** `redkeep incident release`. */
export async function releaseServers(
  context: Context,
  given: string | undefined,
  options: ContainCommandOptions,
): Promise<void> {
  const { terminal, clock } = context;
  const incident = await IncidentFolder.open(incidentFolderOf(context, options));
  const servers = await serversOf(context, given, options);
  await agreed(context, options.yes === true, 'Take the containment back?');
  const request = await requestOf(context, servers, incident, { ...options, pauseMinutes: '1' });
  const undone = await release(request);
  if (undone > 0) await incident.record('released', `${undone} steps of containment were taken back.`, clock.now());
  if (options.json) return terminal.json({ undone });
  terminal.done(undone === 0 ? 'No step is in effect.' : 'Containment was taken back.');
}

async function agreed(context: Context, yes: boolean, question: string): Promise<void> {
  if (yes) return;
  if (context.prompt.available && (await context.prompt.confirm(question, false))) return;
  throw new CliError('REDKEEP_CONSENT_NEEDED', 'Nothing was changed.', 'Answer yes, or give --yes.');
}
