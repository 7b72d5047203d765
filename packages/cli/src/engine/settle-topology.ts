import type { Context } from '../context.js';
import type { LoadedDeployment } from '../deployment/loaded-deployment.js';
import { type DeploymentNode, dataNodes, sentinelNodes } from '../deployment/model.js';
import { asRole } from './as-role.js';
import { formCluster } from './form-cluster.js';
import { parseInfo } from './info.js';
import { until } from './until.js';

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
