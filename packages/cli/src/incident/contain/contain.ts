import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { addressText } from '../../audit/gather/discover.js';
import type { Endpoint } from '../../audit/gather/endpoint.js';
import type { Session } from '../../audit/gather/node.js';
import { CliError } from '../../errors.js';
import { readIfPresent } from '../../files/read-if-present.js';
import { createPassword } from '../../secrets/password.js';
import { reasonOf } from '../evidence/collect.js';
import type { IncidentFolder } from '../folder.js';
import { ContainmentJournal } from './journal.js';
import type { ContainOptions, ContainStep, StepNode } from './step.js';
import { containSteps, rescueUser } from './steps.js';

export interface ContainRequest {
  readonly incident: IncidentFolder;
  readonly endpoints: readonly Endpoint[];
  readonly options: Omit<ContainOptions, 'rescue'>;
  readonly openSession: (endpoint: Endpoint) => Promise<Session>;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  readonly onStep?: (node: string, step: ContainStep, state: 'taken' | 'undone') => void;
  /** Called with what `release` leaves as it is. */
  readonly onLeft?: (node: string, text: string) => void;
  /** Called at every place where the process could be killed. */
  readonly onCheckpoint?: (name: string) => void;
}

export interface PlannedStep {
  readonly node: string;
  readonly step: string;
  readonly title: string;
  readonly effect: string;
  readonly undo: string;
  /** Commands; empty where it is not needed. */
  readonly runs: readonly string[];
  readonly not?: string;
  /** What it can break beside what is meant. */
  readonly warnings: readonly string[];
  readonly done: boolean;
}

/** What containment would do. Only reads. */
export async function planContainment(request: ContainRequest): Promise<readonly PlannedStep[]> {
  const journal = await ContainmentJournal.open(request.incident);
  const planned: PlannedStep[] = [];
  await onEachNode(request, async (node, options) => {
    for (const step of containSteps) {
      const { id, title, effect, undoText } = step;
      const plan = await step.plan(node, options);
      planned.push({
        ...{ node: node.address, step: id, title, effect, undo: undoText },
        runs: 'runs' in plan ? plan.runs : [],
        ...('not' in plan && { not: plan.not }),
        warnings: 'runs' in plan ? (plan.warnings ?? []) : [],
        done: journal.of(id, node.address)?.state === 'done',
      });
    }
  });
  return planned;
}

/** Takes each step on each server. After a kill, the same call goes on where it was. */
export async function contain(request: ContainRequest): Promise<void> {
  const { now, signal, onStep, onCheckpoint } = request;
  const journal = await ContainmentJournal.open(request.incident);
  await onEachNode(request, async (node, options) => {
    for (const step of containSteps) {
      signal.throwIfAborted();
      const known = journal.of(step.id, node.address);
      if (known?.state === 'done' && !step.renews) continue;
      const begun = known?.state === 'begun' || known?.state === 'done';
      if (!begun && 'not' in (await step.plan(node, options))) continue;
      // What was read before is what has to be put back, however often the step is taken.
      const before = begun ? known.before : await step.before(node, options);
      const about = { step: step.id, node: node.address, before };
      onCheckpoint?.(`${step.id} read`);
      await journal.write({ ...about, state: 'begun', at: now().toISOString() });
      onCheckpoint?.(`${step.id} begun`);
      await step.take(node, options, before);
      onCheckpoint?.(`${step.id} taken`);
      await journal.write({ ...about, state: 'done', at: now().toISOString() });
      onCheckpoint?.(`${step.id} done`);
      onStep?.(node.address, step, 'taken');
    }
  });
}

/** Takes back what was done, the newest first. After a kill, the same call goes on where it was. */
export async function release(request: ContainRequest): Promise<number> {
  const { now, onStep, onCheckpoint } = request;
  const journal = await ContainmentJournal.open(request.incident);
  const known = new Map(containSteps.map((step) => [step.id, step]));
  let undone = 0;
  await onEachNode(request, async (node) => {
    const open = journal.open.filter((entry) => entry.node === node.address).reverse();
    // The own way in goes last, and by the way that is open again by then.
    for (const entry of open.filter(({ step }) => step !== 'own-access')) {
      await journal.write({ ...entry, state: 'undoing', at: now().toISOString() });
      onCheckpoint?.(`${entry.step} undoing`);
      const left = await known.get(entry.step)?.undo(node, entry.before);
      if (left) request.onLeft?.(node.address, left);
      onCheckpoint?.(`${entry.step} taken back`);
      await journal.write({ ...entry, state: 'undone', at: now().toISOString() });
      onCheckpoint?.(`${entry.step} undone`);
      undone += 1;
      onStep?.(node.address, known.get(entry.step)!, 'undone');
    }
  });
  for (const endpoint of request.endpoints) {
    const entry = journal.of('own-access', addressText(endpoint));
    if (!entry || entry.state === 'undone') continue;
    await withNode(request, endpoint, async (node) => {
      await known.get('own-access')!.undo(node, {});
      onCheckpoint?.('own-access taken back');
      await journal.write({ ...entry, state: 'undone', at: now().toISOString() });
      undone += 1;
    });
  }
  return undone;
}

/** Steps that are in effect, or perhaps in effect. */
export async function openContainment(incident: IncidentFolder): Promise<number> {
  return (await ContainmentJournal.open(incident)).open.length;
}

async function onEachNode(
  request: ContainRequest,
  work: (node: StepNode, options: ContainOptions) => Promise<void>,
): Promise<void> {
  const journal = await ContainmentJournal.open(request.incident);
  const rescue = { name: rescueUser, password: await rescuePassword(request.incident) };
  for (const endpoint of request.endpoints) {
    const own = journal.of('own-access', addressText(endpoint));
    const isRescued = own !== undefined && own.state !== 'undone';
    const rescued = { ...endpoint, username: rescue.name, password: rescue.password };
    const run = (as: Endpoint) => withNode(request, as, (node) => work(node, { ...request.options, rescue }));
    // The user may not have been made yet when the step was cut off.
    if (isRescued && (await logsIn(request, rescued))) await run(rescued);
    else await run(endpoint);
  }
}

async function withNode(
  request: ContainRequest,
  endpoint: Endpoint,
  work: (node: StepNode) => Promise<void>,
): Promise<void> {
  const session = await request.openSession(endpoint);
  const address = addressText(endpoint);
  const ask: Session['ask'] = (...words) =>
    session.ask(...words).catch((error: unknown) => {
      throw refusedBy(address, words[0] ?? '', error);
    });
  try {
    await work({
      address,
      endpoint,
      ask,
      canLogIn: (username, password) => logsIn(request, { ...endpoint, username, password }),
    });
  } finally {
    await session.close().catch(() => undefined);
  }
}

/** A refusal of the server in the words of the tool; it contains only the command's name. */
function refusedBy(address: string, command: string, error: unknown): CliError {
  return new CliError(
    'REDKEEP_CONTAINMENT_FAILED',
    `${address} refused ${command}: ${reasonOf(error)}.`,
    'Log in as an administrator (--user, --password-file). What was done already, "redkeep incident release" takes back.',
    { cause: error },
  );
}

async function logsIn(request: ContainRequest, endpoint: Endpoint): Promise<boolean> {
  try {
    const session = await request.openSession(endpoint);
    await session.close();
    return true;
  } catch {
    return false;
  }
}

/** Made once, before anything is changed. */
async function rescuePassword(incident: IncidentFolder): Promise<string> {
  const file = incident.file('secrets', `${rescueUser}.password`);
  const known = await readIfPresent(file);
  if (known) return known.trim();
  const password = createPassword();
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, `${password}\n`, { mode: 0o600, flag: 'wx' });
  return password;
}

/** Refuses to destroy what was not collected. */
export async function requireCollected(incident: IncidentFolder): Promise<void> {
  const events = await incident.events();
  if (events.some(({ kind }) => kind === 'collected')) return;
  throw new CliError(
    'REDKEEP_INCIDENT_UNCOLLECTED',
    'Nothing was collected yet, and containment ends connections that are evidence.',
    'Run "redkeep incident collect" first (it takes seconds), or accept the loss with --without-evidence.',
  );
}
