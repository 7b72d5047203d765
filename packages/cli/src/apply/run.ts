import { X509Certificate } from 'node:crypto';
import { findDrift } from '../acl/drift.js';
import type { Context } from '../context.js';
import { certificateOf, type DeploymentNode, dataNodes, sentinelNodes, userOf } from '../deployment/model.js';
import { serverPath } from '../deployment/server-path.js';
import { withClient } from '../engine/connect-node.js';
import { currentPrimary, readTopology } from '../engine/live-topology.js';
import { endpointOf } from '../engine/local-servers.js';
import { probeTls } from '../engine/probe-tls.js';
import { hasQuorum, serves, settleTopology } from '../engine/settle-topology.js';
import { until } from '../engine/until.js';
import { CliError } from '../errors.js';
import { stopIfInterrupted } from '../interruption.js';
import type { Delivery, PrimaryAddress } from './delivery.js';
import { loadFunctions, loadLibrary } from './function-library.js';
import { handOver, settleHandovers, type TakeStep } from './handover.js';
import type { Journal } from './journal.js';
import { applySettings, settingChanges } from './live-settings.js';
import type { ApplyPlan, NodePlan } from './plan.js';
import { primaryForStart } from './primary-for-start.js';
import { runningUsers, setUsers } from './set-users.js';
import { stopNode } from './stop-node.js';

const probeMilliseconds = 5000;

export interface RunOptions {
  /** Start with this node as primary, although another is known to be newer: writes that only the other has are lost. */
  readonly primary?: string;
}

/**
 * Carries a plan out: starts who is away, then every running node takes what it can without a restart, then the
 * others are restarted one by one, a primary after it has been handed over. Each node is proved on the wire before the
 * next is touched. Killed anywhere, the next `apply` makes a new plan from what it finds and ends in the same state.
 */
export async function runApply(
  context: Context,
  delivery: Delivery,
  plan: ApplyPlan,
  journal: Journal,
  options: RunOptions = {},
): Promise<void> {
  const { terminal, signal } = context;
  await settleHandovers(context, delivery);
  const run = journal.steps.filter(({ step }) => step.endsWith('/run')).length + 1;
  const step = <T>(name: string, work: () => Promise<T>) => {
    stopIfInterrupted(signal);
    terminal.detail(name);
    return journal.step(`${run}/${name}`, () => terminal.during(name, work));
  };
  await step('run', async () => undefined);
  const starts = plan.nodes.filter(({ action }) => action === 'start');
  const primary = starts.length > 0 ? await primaryForStart(delivery, plan, options.primary) : undefined;
  for (const { node, files } of starts) {
    const address = node.role === 'sentinel' && !options.primary ? undefined : primary;
    await step(`start ${node.name}`, () => startNode(delivery, node, files, address));
    terminal.done(
      `${node.name} (${node.role === 'sentinel' ? 'sentinel' : 'data'}) is ready on ${node.host}:${node.port}, TLS.`,
    );
  }
  if (starts.length > 0) {
    await step('settle', () => settleTopology(context, delivery.loaded));
    await step('functions', () => loadFunctions(context, delivery.loaded));
  }
  const running = plan.nodes.filter(({ action }) => action !== 'start' && action !== 'none');
  for (const nodePlan of running) {
    const { node, files } = nodePlan;
    await step(`deliver ${node.name}`, () => delivery.deliver(node, files));
    if (nodePlan.action === 'deliver') {
      await step(`note ${node.name}`, () => delivery.markTaken(node));
      terminal.done(`${node.name} has its files.`);
      continue;
    }
    await step(`reload ${node.name}`, () => reload(context, delivery, nodePlan, journal));
    if (nodePlan.action !== 'reload') continue;
    await step(`prove ${node.name}`, () => prove(context, delivery, nodePlan));
    await step(`note ${node.name}`, () => delivery.markTaken(node));
    terminal.done(`${node.name} took the change while running.`);
  }
  for (const nodePlan of running.filter(({ action }) => action === 'restart')) {
    await restartNode(context, delivery, nodePlan, { journal, run, step });
  }
}

async function startNode(
  delivery: Delivery,
  node: DeploymentNode,
  files: NodePlan['files'],
  primary: PrimaryAddress | undefined,
): Promise<void> {
  await delivery.deliver(node, files, primary);
  await delivery.start(node);
  await delivery.markTaken(node);
}

/** What a running server takes: settings, users, certificates. What was there is kept, and put back when it fails. */
async function reload(context: Context, delivery: Delivery, plan: NodePlan, journal: Journal): Promise<void> {
  const { node, settings, users, tls, files } = plan;
  const { deployment, folder } = delivery.loaded;
  const settable = settings.filter(({ how }) => how === 'set');
  const admin = userOf(deployment, 'admin')!;
  await withClient(context.connect, delivery.loaded, node, admin, async (client) => {
    const before = users.length > 0 ? await runningUsers(client) : undefined;
    if (before !== undefined) await journal.keep(`${node.name}.acl`, before);
    try {
      await applySettings(client, settable);
      if (plan.role === 'primary') await loadLibrary(client, delivery.loaded);
      if (users.length > 0) await setUsers(client, files.find(({ path }) => path === node.aclFile)!.content);
      if (tls && node.role !== 'sentinel' && deployment.engine.name !== 'dragonfly') {
        const spec = certificateOf(deployment, node.certificate);
        const at = (file: string) => serverPath(deployment, folder, file);
        // Pair and CA in one command: a pair that does not match in between is refused (verified on 7.0).
        const pair = ['tls-cert-file', at(spec.certFile), 'tls-key-file', at(spec.keyFile)];
        await client.sendCommand(['CONFIG', 'SET', ...pair, 'tls-ca-cert-file', at(deployment.clientCaFile)]);
      }
    } catch (error) {
      await applySettings(
        client,
        settable.map((each) => ({ ...each, to: each.from })),
      ).catch(() => undefined);
      if (before !== undefined) await setUsers(client, before).catch(() => undefined);
      throw refused(node, error);
    }
  });
}

function refused(node: DeploymentNode, error: unknown): CliError {
  const said = error instanceof Error && 'serverMessage' in error ? String(error.serverMessage) : undefined;
  const reason = said ?? (error instanceof Error ? error.message : String(error));
  return new CliError(
    'REDKEEP_DELIVERY_FAILED',
    `${node.name} refused the change and keeps what it had: ${reason}`,
    'Correct the answer that leads to it (redkeep init), then run redkeep apply again.',
    { cause: error },
  );
}

async function restartNode(
  context: Context,
  delivery: Delivery,
  plan: NodePlan,
  { journal, run, step }: { readonly journal: Journal; readonly run: number; readonly step: TakeStep },
): Promise<void> {
  const { node } = plan;
  const { terminal } = context;
  if (node.role !== 'sentinel') {
    const name = `hand over ${node.name}`;
    // Its parts are not interrupted: between two of them a server may be closed.
    const part: TakeStep = (what, work) => journal.step(`${run}/${name}/${what}`, work);
    const handed = await step(name, () => handOver(context, delivery.loaded, node, part));
    if (handed) terminal.done(`${handed.to} is primary now; writes waited ${handed.pausedMs} ms, none was lost.`);
  }
  await step(`restart ${node.name}`, async () => {
    await stopNode(context, delivery, node);
    // Again: a server that rewrites its configuration (a handover, a sentinel at any time) writes what it runs with.
    await delivery.deliver(node, plan.files);
    await delivery.start(node);
    await delivery.markTaken(node);
  });
  await step(`prove ${node.name}`, async () => {
    if (node.role === 'sentinel') {
      for (const each of sentinelNodes(delivery.loaded.deployment)) {
        await until(context, `${each.name} to know its peers`, () => hasQuorum(context, delivery.loaded, each));
      }
    } else {
      for (const each of dataNodes(delivery.loaded.deployment)) {
        await until(context, `${each.name} to be in step`, () => serves(context, delivery.loaded, each));
      }
      await until(context, 'the topology to agree', () => isSettled(context, delivery));
    }
    await prove(context, delivery, plan);
  });
  terminal.done(`${node.name} was restarted.`);
}

/** One primary that every sentinel names and every replica follows. */
async function isSettled(context: Context, delivery: Delivery): Promise<boolean> {
  if (delivery.loaded.deployment.topology !== 'sentinel') return true;
  const live = await readTopology(context, delivery.loaded);
  const primary = currentPrimary(delivery.loaded, live);
  if (!primary || live.away.length > 0) return false;
  const { host, port } = primary.node;
  return (
    live.sentinels.every((each) => each.healthy && each.primary.host === host && each.primary.port === port) &&
    live.data.every((each) => each.inStep && (each.role === 'primary') === (each.node.name === primary.node.name))
  );
}

/** Asks the server whether it runs with what was wanted; nothing that was reported is taken on trust. */
async function prove(context: Context, delivery: Delivery, { node, files }: NodePlan): Promise<void> {
  const { deployment } = delivery.loaded;
  const text = (path: string) => files.find((file) => file.path === path)?.content ?? '';
  const spec = certificateOf(deployment, node.certificate);
  const wanted = new X509Certificate(text(spec.certFile)).fingerprint256;
  const served = await probeTls(await endpointOf(delivery.loaded, node), probeMilliseconds);
  const admin = userOf(deployment, 'admin')!;
  const wrong = await withClient(context.connect, delivery.loaded, node, admin, async (client) => {
    const compared = node.role !== 'sentinel' && deployment.engine.name !== 'dragonfly';
    const settings = compared ? await settingChanges(client, text(node.configFile)) : [];
    const users = await findDrift(client, text(node.aclFile));
    return [
      ...settings.map(({ name }) => name),
      ...users
        .filter(({ user, kind }) => user !== 'default' || kind !== 'unexpected')
        .map(({ user }) => `user ${user}`),
    ];
  });
  if (served.certificate.fingerprint256 !== wanted) wrong.push('certificate');
  if (wrong.length === 0) return;
  throw new CliError(
    'REDKEEP_DELIVERY_FAILED',
    `${node.name} does not run with what was delivered: ${wrong.join(', ')}.`,
    'redkeep apply shows what differs; redkeep apply --undo takes the change back.',
  );
}
