import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { RedisClient } from 'redkeep';
import { parseDirectives } from '../audit/gather/config-file.js';
import type { Context } from '../context.js';
import type { LoadedDeployment } from '../deployment/loaded-deployment.js';
import { type DeploymentNode, sentinelNodes, userOf } from '../deployment/model.js';
import { withClient } from '../engine/connect-node.js';
import { parseInfo } from '../engine/info.js';
import {
  currentPrimary,
  fieldsOf,
  type LiveDataNode,
  type LiveTopology,
  readTopology,
  replicasOf,
} from '../engine/live-topology.js';
import { until } from '../engine/until.js';
import { CliError } from '../errors.js';
import { stopIfInterrupted } from '../interruption.js';
import type { Delivery, PrimaryAddress } from './delivery.js';
import { Journal } from './journal.js';

/**
 * Writes stand still at most this long. It is also what ends the pause should this process be killed, so it is longer
 * than a failover takes and no longer than clients with retries bear.
 */
const pauseMilliseconds = 15_000;
/** How long replicas may take to read what the primary wrote before the pause. */
const catchUpMilliseconds = 5000;
const pollMilliseconds = 20;

/** Takes a step of a handover: the journal has it before and after. */
export type TakeStep = <T>(name: string, work: () => Promise<T>) => Promise<T | undefined>;

/** What a handover did, for the report. */
export interface Handover {
  readonly from: string;
  readonly to: string;
  /** How long writes were held back. */
  readonly pausedMs: number;
}

/**
 * Makes another node primary without losing an acknowledged write, so that `node` can be restarted. Does nothing when
 * it is not a primary. Refuses when no replica is in step, or when a node that may hold newer data is away.
 */
export async function handOver(
  context: Context,
  loaded: LoadedDeployment,
  node: DeploymentNode,
  step: TakeStep,
): Promise<Handover | undefined> {
  const { topology } = loaded.deployment;
  if (topology === 'single') return undefined;
  const live = await settledTopology(context, loaded, node);
  const self = live.data.find((each) => each.node.name === node.name);
  if (topology === 'sentinel') {
    const primary = currentPrimary(loaded, live);
    if (!primary) throw newerDataAway(loaded, live.away[0]?.node);
    if (primary.node.name !== node.name) return undefined;
    requireAgreement(loaded, live.sentinels.length);
    const replicas = live.data.filter((each) => each.node.name !== node.name);
    const inStep = replicas.filter((each) => each.inStep && follows(each, primary));
    // A sentinel may choose any replica it knows: each of them has to have everything.
    if (inStep.length === 0 || inStep.length < replicas.length) throw notInStep(node, replicas.length, inStep.length);
    const present = new Set([...live.data, ...live.sentinels].map((each) => each.node.name));
    return overSentinel(context, loaded, primary, { replicas: inStep.length, present, step });
  }
  if (self?.role !== 'primary') return undefined;
  const replica = live.data.find((each) => each.inStep && each.role === 'replica' && follows(each, self));
  if (!replica) throw notInStep(node, 0, 0);
  return inCluster(context, loaded, self, replica, step);
}

/** How long nodes may take to follow after a failover, before it counts that one does not. */
const settleMilliseconds = 30_000;

/** The topology when everybody who answers is in step, or as it is when that does not come to be. */
async function settledTopology(
  context: Context,
  loaded: LoadedDeployment,
  node: DeploymentNode,
): Promise<LiveTopology> {
  const giveUp = performance.now() + settleMilliseconds;
  for (;;) {
    const live = await readTopology(context, loaded);
    const primary = currentPrimary(loaded, live);
    const settled =
      live.data.every((each) => each.inStep) &&
      live.sentinels.every(({ healthy }) => healthy) &&
      (loaded.deployment.topology === 'cluster' ||
        (primary?.role === 'primary' &&
          live.data.every((each) => each.node.name === primary.node.name || follows(each, primary)) &&
          (primary.node.name !== node.name || (await sentinelIsReady(context, loaded, live)))));
    if (settled || performance.now() > giveUp) return live;
    stopIfInterrupted(context.signal);
    await delay(10 * pollMilliseconds);
  }
}

/** The sentinel that is to fail over knows every replica as one that it may promote. It looks every ten seconds. */
async function sentinelIsReady(context: Context, loaded: LoadedDeployment, { data }: LiveTopology): Promise<boolean> {
  const { deployment } = loaded;
  const watcher = sentinelNodes(deployment)[0]!;
  const admin = userOf(deployment, 'admin')!;
  return withClient(context.connect, loaded, watcher, admin, async (client) => {
    const reply = await client.sendCommand(['SENTINEL', 'REPLICAS', deployment.sentinel!.primaryName]);
    const known = (reply as unknown as unknown[]).map(fieldsOf);
    const usable = known.filter((each) => each.get('flags') === 'slave' && each.get('master-link-status') === 'ok');
    return usable.length >= data.length - 1;
  }).catch(() => false);
}

function follows({ primary }: LiveDataNode, { node }: LiveDataNode): boolean {
  return primary?.port === node.port && (primary.host === node.host || primary.host !== '');
}

function requireAgreement({ deployment }: LoadedDeployment, answering: number): void {
  const all = sentinelNodes(deployment).length;
  if (answering === all) return;
  throw new CliError(
    'REDKEEP_HANDOVER_FAILED',
    `Only ${answering} of ${all} sentinels answer: the others would not learn of the new primary.`,
    'Start them first (redkeep up), then run it again.',
  );
}

function notInStep(node: DeploymentNode, all: number, inStep: number): CliError {
  return new CliError(
    'REDKEEP_NEWER_DATA_AWAY',
    `${node.name} is primary and only ${inStep} of ${all} replicas are in step: another node would serve older data.`,
    'Wait until every replica is in step (redkeep status), or start the one that is away, then run it again.',
  );
}

function newerDataAway({ deployment }: LoadedDeployment, node: DeploymentNode | undefined): CliError {
  return new CliError(
    'REDKEEP_NEWER_DATA_AWAY',
    `The primary of ${deployment.name} is not reachable${node ? ` (${node.name} is away)` : ''}; it may hold newer data.`,
    'Start it (redkeep up), or wait until the sentinels have promoted a replica, then run it again.',
  );
}

/**
 * The primary stops taking writes, every replica reads the rest, a sentinel fails over, and the old primary is made a
 * replica before its writes go on: what waited in the pause is then refused and not lost. Until then it asks for as
 * many replicas as it has: killed between any two steps, it takes no write that the new primary lacks.
 */
async function overSentinel(
  context: Context,
  loaded: LoadedDeployment,
  { node }: LiveDataNode,
  { replicas, present, step }: { readonly replicas: number; readonly present: Present; readonly step: TakeStep },
): Promise<Handover> {
  const admin = userOf(loaded.deployment, 'admin')!;
  const { primaryName } = loaded.deployment.sentinel!;
  const watcher = sentinelNodes(loaded.deployment)[0]!;
  return withClient(context.connect, loaded, node, admin, (old) =>
    withClient(context.connect, loaded, watcher, admin, async (sentinel) => {
      const set = (value: string) => old.sendCommand(['CONFIG', 'SET', minReplicas, value]);
      let started = performance.now();
      try {
        await step(handoverSteps.close, () => set(String(replicas)));
        started = performance.now();
        await step(handoverSteps.pause, () => old.sendCommand(['CLIENT', 'PAUSE', String(pauseMilliseconds), 'WRITE']));
        await step('catch up', () => caughtUp(context, old, replicas));
        await step('fail over', () => sentinel.sendCommand(['SENTINEL', 'FAILOVER', primaryName]));
        const address = (await step('name', () => newPrimary(context, sentinel, primaryName, node)))!;
        const pausedMs = await reopen(loaded, old, node, { address, step, started });
        await step('agree', () => agreed(context, loaded, address, present));
        return { from: node.name, to: nameOf(loaded, address), pausedMs };
      } catch (error) {
        // The sentinels decide; what this process read before may be out of date.
        await settleHandover({ ...context, signal: new AbortController().signal }, loaded, node, step).catch(
          () => undefined,
        );
        throw asHandoverError(error, node);
      }
    }),
  );
}

const minReplicas = 'min-replicas-to-write';

/** Steps that the journal is read for after a kill: between them a server may be closed or its writes held back. */
const handoverSteps = { close: 'close', pause: 'pause', open: 'open' } as const;

type Address = PrimaryAddress;
/** Names of the nodes that took part when it began. */
type Present = ReadonlySet<string>;

function nameOf({ deployment }: LoadedDeployment, { host, port }: Address): string {
  return deployment.nodes.find((each) => each.host === host && each.port === port)?.name ?? `${host}:${port}`;
}

/** Makes the old primary a replica (with `address`) and lets it go on. Returns how long writes were held back. */
async function reopen(
  loaded: LoadedDeployment,
  old: RedisClient,
  node: DeploymentNode,
  { address, step, started }: { readonly address?: Address; readonly step: TakeStep; readonly started: number },
): Promise<number> {
  if (address) await step('follow', () => old.sendCommand(['REPLICAOF', address.host, String(address.port)]));
  await step('restore', async () => {
    await old.sendCommand(['CONFIG', 'SET', minReplicas, await renderedMinReplicas(loaded, node)]);
    // A restart must find it a replica, whatever the sentinels have written by then.
    await old.sendCommand(['CONFIG', 'REWRITE']);
  });
  await step(handoverSteps.open, () => old.sendCommand(['CLIENT', 'UNPAUSE']));
  return Math.round(performance.now() - started);
}

/** What the folder says, and not what the server has: an interrupted handover may have left its own value there. */
async function renderedMinReplicas(loaded: LoadedDeployment, node: DeploymentNode): Promise<string> {
  const text = await readFile(loaded.locate(node.configFile), 'utf8');
  return parseDirectives(text, '').findLast(({ name }) => name === minReplicas)?.args[0] ?? '0';
}

/**
 * Ends a handover that was cut off. A failover that has begun is waited for; then `node` goes on as what the sentinels
 * say it is: as primary, or as replica of the new one. Safe to repeat, and without effect where nothing was cut off.
 */
async function settleHandover(
  context: Context,
  loaded: LoadedDeployment,
  node: DeploymentNode,
  step: TakeStep,
): Promise<void> {
  if (loaded.deployment.topology !== 'sentinel') return;
  const admin = userOf(loaded.deployment, 'admin')!;
  let primary: DeploymentNode | undefined;
  await until(context, 'the sentinels to agree on a primary', async () => {
    const live = await readTopology(context, loaded);
    const found = currentPrimary(loaded, live);
    primary = found?.node;
    return found?.role === 'primary' && live.sentinels.every(({ healthy }) => healthy);
  });
  await withClient(context.connect, loaded, node, admin, async (client) => {
    const address = primary!.name === node.name ? {} : { address: primary! };
    await reopen(loaded, client, node, { ...address, step, started: performance.now() });
  });
}

/**
 * Ends the handovers that earlier, killed runs of any command have left half done, as their journals show. Call it
 * before a plan is made. A node that does not run has nothing left of it: pauses and settings end with the process.
 */
export async function settleHandovers(context: Context, delivery: Delivery): Promise<void> {
  const { loaded } = delivery;
  for (const journal of await Journal.list(loaded.folder)) {
    if (journal.outcome !== 'running') continue;
    for (const { name, run, node } of openHandovers(loaded, journal)) {
      if ((await delivery.state(node)) === 'running') {
        context.terminal.note(`${node.name} is brought to the end of a handover that ${journal.id} left half done.`);
        await settleHandover(context, loaded, node, (_, work) => work());
      }
      await journal.step(`${run}/${name}/${handoverSteps.open}`, async () => undefined);
    }
  }
}

/** Handovers of a journal that have closed a server and have not opened it again. */
function openHandovers({ deployment }: LoadedDeployment, journal: Journal) {
  return journal.steps.flatMap(({ step }) => {
    const found = /^(?<run>.*)\/(?<name>hand over (?<node>[^/]+))\/close$/.exec(step)?.groups;
    const node = deployment.nodes.find(({ name }) => name === found?.['node']);
    if (!found || !node) return [];
    const { run = '', name = '' } = found;
    return journal.isDone(`${run}/${name}/${handoverSteps.open}`) ? [] : [{ run, name, node }];
  });
}

function asHandoverError(error: unknown, node: DeploymentNode): unknown {
  if (error instanceof CliError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new CliError(
    'REDKEEP_HANDOVER_FAILED',
    `${node.name} could not hand over: ${reason}`,
    'redkeep status shows who is primary; run it again when every replica is in step.',
    { cause: error },
  );
}

/** Every replica has acknowledged what the primary wrote last. */
async function caughtUp({ signal }: Context, old: RedisClient, replicas: number): Promise<void> {
  const giveUp = performance.now() + catchUpMilliseconds;
  for (;;) {
    const info = parseInfo(await old.sendCommand(['INFO', 'replication']));
    const offset = Number(info.get('master_repl_offset'));
    const behind = replicasOf(info).filter((replica) => replica.state === 'online' && replica.offset >= offset);
    if (behind.length >= replicas) return;
    stopIfInterrupted(signal);
    if (performance.now() > giveUp) {
      throw new CliError(
        'REDKEEP_HANDOVER_FAILED',
        `After ${catchUpMilliseconds / 1000} s without writes only ${behind.length} of ${replicas} replicas had everything.`,
        'The primary takes writes again. Find out why a replica lags (redkeep status), then run it again.',
      );
    }
    await delay(pollMilliseconds);
  }
}

async function addressOf(sentinel: RedisClient, primaryName: string): Promise<[string, string]> {
  const reply = await sentinel.sendCommand(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', primaryName]);
  const [host = '', port = ''] = ((reply ?? []) as unknown as string[]).map(String);
  return [host, port];
}

async function newPrimary(
  { signal }: Context,
  sentinel: RedisClient,
  primaryName: string,
  old: DeploymentNode,
): Promise<Address> {
  const giveUp = performance.now() + pauseMilliseconds - catchUpMilliseconds;
  for (;;) {
    const [host, port] = await addressOf(sentinel, primaryName);
    if (host !== '' && (host !== old.host || port !== String(old.port))) return { host, port: Number(port) };
    // From here on an interruption would leave the work half done: the pause bounds it.
    if (performance.now() > giveUp) {
      throw new CliError(
        'REDKEEP_HANDOVER_FAILED',
        `The sentinels named no new primary within ${(pauseMilliseconds - catchUpMilliseconds) / 1000} s.`,
        signal.aborted ? 'Run it again.' : 'redkeep logs of the sentinels say why (-failover-abort…).',
      );
    }
    await delay(pollMilliseconds);
  }
}

/** Every sentinel names the new primary, and every other node that took part follows it. */
async function agreed(
  context: Context,
  loaded: LoadedDeployment,
  { host, port }: Address,
  present: Present,
): Promise<void> {
  await until(context, 'every sentinel and replica to follow the new primary', async () => {
    const live = await readTopology(context, loaded);
    const named = live.sentinels.every(
      ({ primary, healthy }) => primary.host === host && primary.port === port && healthy,
    );
    const following = live.data.every(({ role, inStep, node, primary }) =>
      node.host === host && node.port === port
        ? role === 'primary'
        : role === 'replica' && inStep && primary?.host === host && primary.port === port,
    );
    return named && following && live.away.every(({ node }) => !present.has(node.name));
  });
}

/** CLUSTER FAILOVER is coordinated by the servers: the primary pauses, the replica reads the rest and takes over. */
async function inCluster(
  context: Context,
  loaded: LoadedDeployment,
  { node }: LiveDataNode,
  replica: LiveDataNode,
  step: TakeStep,
): Promise<Handover> {
  const admin = userOf(loaded.deployment, 'admin')!;
  const started = performance.now();
  await withClient(context.connect, loaded, replica.node, admin, async (client) => {
    await step('fail over', () => client.sendCommand(['CLUSTER', 'FAILOVER']));
    await step('take over', () =>
      until(context, `${replica.node.name} to take over`, async () => {
        const info = parseInfo(await client.sendCommand(['INFO', 'replication']));
        return info.get('role') === 'master';
      }),
    );
  });
  const pausedMs = Math.round(performance.now() - started);
  await step('agree', () =>
    until(context, `${node.name} to follow ${replica.node.name}`, async () => {
      const live = await readTopology(context, loaded);
      const old = live.data.find((each) => each.node.name === node.name);
      return old?.role === 'replica' && old.inStep;
    }),
  );
  return { from: node.name, to: replica.node.name, pausedMs };
}
