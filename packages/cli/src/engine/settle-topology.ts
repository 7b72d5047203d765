import { setTimeout as delay } from 'node:timers/promises';
import type { RedisClient } from 'redkeep';
import type { Context } from '../context.js';
import type { LoadedDeployment } from '../deployment/loaded-deployment.js';
import { type DeploymentNode, dataNodes, sentinelNodes, userOf } from '../deployment/model.js';
import { CliError } from '../errors.js';
import { interrupted } from '../interruption.js';
import { compareVersions } from '../vocabulary/engines.js';
import { withClient } from './connect-node.js';
import { parseInfo } from './info.js';
import { peerAddress } from './reach.js';

const pollMilliseconds = 100;
/** A first synchronization of a large data set, or a cluster's agreement, is done by then. */
const settleMilliseconds = 120_000;
const clusterSlots = 16_384;

/** Brings started servers to where they serve together: answering, replicas in step, sentinels agreed, cluster formed. */
export async function settleTopology(context: Context, loaded: LoadedDeployment): Promise<void> {
  const { topology } = loaded.deployment;
  if (topology === 'cluster') await formCluster(context, loaded);
  for (const node of sentinelNodes(loaded.deployment)) {
    await until(context, `${node.name} to know its peers`, () => hasQuorum(context, loaded, node));
  }
  for (const node of dataNodes(loaded.deployment)) {
    await until(context, `${node.name} to be in step`, () => serves(context, loaded, node));
  }
}

type Work<T> = (client: RedisClient) => Promise<T>;

export function asRole<T>(
  context: Context,
  loaded: LoadedDeployment,
  node: DeploymentNode,
  role: 'admin' | 'monitoring',
  work: Work<T>,
): Promise<T> {
  const user = userOf(loaded.deployment, role);
  if (!user) throw new Error(`The deployment has no ${role} user.`);
  return withClient(context.connect, loaded, node, user, work);
}

/** Not loading any more, and for a replica: the link to its primary is up. */
export async function serves(context: Context, loaded: LoadedDeployment, node: DeploymentNode): Promise<boolean> {
  const info = parseInfo(await asRole(context, loaded, node, 'monitoring', (client) => client.sendCommand(['INFO'])));
  if (info.get('loading') === '1') return false;
  const isPrimary = info.get('role') === 'master';
  // A primary that was down during a failover comes back as one, until the sentinels make it a replica.
  if (isPrimary && !(await isPrimaryOfSentinels(context, loaded, node))) return false;
  const inStep = isPrimary || info.get('master_link_status') === 'up';
  return inStep && (loaded.deployment.topology !== 'cluster' || (await clusterIsOk(context, loaded, node)));
}

async function isPrimaryOfSentinels(
  context: Context,
  loaded: LoadedDeployment,
  node: DeploymentNode,
): Promise<boolean> {
  const { sentinel } = loaded.deployment;
  const watcher = sentinelNodes(loaded.deployment)[0];
  if (!sentinel || !watcher) return true;
  const reply = await asRole(context, loaded, watcher, 'monitoring', (client) =>
    client.sendCommand(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', sentinel.primaryName]),
  );
  const [host, port] = (reply ?? []) as unknown as string[];
  return host === node.host && port === String(node.port);
}

export async function hasQuorum(context: Context, loaded: LoadedDeployment, node: DeploymentNode): Promise<boolean> {
  const { sentinel } = loaded.deployment;
  if (!sentinel) return true;
  const reply = await asRole(context, loaded, node, 'monitoring', (client) =>
    client.sendCommand(['SENTINEL', 'CKQUORUM', sentinel.primaryName]),
  );
  return String(reply).includes(`${sentinelNodes(loaded.deployment).length} usable Sentinels`);
}

async function clusterIsOk(context: Context, loaded: LoadedDeployment, node: DeploymentNode): Promise<boolean> {
  const reply = await asRole(context, loaded, node, 'monitoring', (client) => client.sendCommand(['CLUSTER', 'INFO']));
  const info = parseInfo(reply);
  const everybody = String(loaded.deployment.nodes.length);
  return info.get('cluster_state') === 'ok' && info.get('cluster_known_nodes') === everybody;
}

/** Joins the nodes, gives each primary its slots and each replica its primary. Does nothing where that is done. */
async function formCluster(context: Context, loaded: LoadedDeployment): Promise<void> {
  const nodes = dataNodes(loaded.deployment);
  const first = nodes[0]!;
  const command = (node: DeploymentNode, ...args: string[]) =>
    asRole(context, loaded, node, 'admin', (client) => client.sendCommand(args));
  const info = parseInfo(await command(first, 'CLUSTER', 'INFO'));
  if (info.get('cluster_slots_assigned') === String(clusterSlots)) return;
  const primaries = nodes.filter(({ role }) => role === 'primary');
  for (const [index, node] of primaries.entries()) {
    const start = Math.ceil((index * clusterSlots) / primaries.length);
    const end = Math.ceil(((index + 1) * clusterSlots) / primaries.length) - 1;
    await assignSlots(loaded, (...args) => command(node, ...args), start, end);
    await command(node, 'CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1)).catch(() => undefined);
  }
  for (const node of nodes.slice(1)) {
    const address = await peerAddress(loaded, node);
    await command(first, 'CLUSTER', 'MEET', address, String(node.port), String(node.busPort));
  }
  const ids = new Map<string, string>();
  for (const node of nodes) {
    ids.set(node.name, String(await command(node, 'CLUSTER', 'MYID')));
    await until(context, `${node.name} to meet the others`, async () => {
      const met = parseInfo(await command(node, 'CLUSTER', 'INFO'));
      return met.get('cluster_known_nodes') === String(nodes.length);
    });
  }
  for (const node of nodes) {
    if (node.replicaOf === undefined) continue;
    const primary = ids.get(node.replicaOf)!;
    await until(
      context,
      `${node.name} to follow`,
      async () => (await command(node, 'CLUSTER', 'REPLICATE', primary)) !== null,
    );
  }
}

async function assignSlots(
  { deployment }: LoadedDeployment,
  command: (...args: string[]) => Promise<unknown>,
  start: number,
  end: number,
): Promise<void> {
  if (compareVersions(deployment.engine.version, '7.0') >= 0) {
    await command('CLUSTER', 'ADDSLOTSRANGE', String(start), String(end));
    return;
  }
  const slots = Array.from({ length: end - start + 1 }, (_, index) => String(start + index));
  await command('CLUSTER', 'ADDSLOTS', ...slots);
}

/** Asks again until it is so. What goes wrong on the way counts as "not yet" and is told when time runs out. */
export async function until({ signal }: Context, what: string, condition: () => Promise<boolean>): Promise<void> {
  const giveUp = performance.now() + settleMilliseconds;
  let reason = '';
  for (;;) {
    if (signal.aborted) throw interrupted();
    try {
      if (await condition()) return;
    } catch (error) {
      reason = error instanceof Error ? `: ${error.message}` : '';
    }
    if (performance.now() > giveUp) {
      throw new CliError(
        'REDKEEP_SERVER_FAILED',
        `Waited ${settleMilliseconds / 1000} s for ${what}${reason}`,
        'Read the logs in the nodes folder: redkeep logs.',
      );
    }
    await delay(pollMilliseconds);
  }
}
