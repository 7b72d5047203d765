import type { DeploymentNode } from '../deployment/model.js';
import { dataNodes, sentinelNodes } from '../deployment/model.js';
import { watchedPrimary } from '../deployment/server-owned.js';
import { currentPrimary, nodeAt } from '../engine/live-topology.js';
import { CliError } from '../errors.js';
import type { Delivery, PrimaryAddress } from './delivery.js';
import type { ApplyPlan } from './plan.js';

/**
 * Under which primary stopped nodes of a Sentinel set start: the one that running sentinels name, else the one that
 * the sentinels' own files name with the newest epoch. A primary that was killed has an old file that calls it primary
 * still; started with it, it would take writes until a sentinel stops it. Undefined where the servers know themselves
 * (Cluster) or nothing has been decided yet.
 */
export async function primaryForStart(
  delivery: Delivery,
  plan: ApplyPlan,
  named: string | undefined,
): Promise<PrimaryAddress | undefined> {
  const { loaded } = delivery;
  if (loaded.deployment.topology !== 'sentinel') return undefined;
  const data = dataNodes(loaded.deployment);
  if (named !== undefined) {
    const chosen = data.find(({ name }) => name === named);
    if (chosen) return chosen;
    const known = data.map(({ name }) => name).join(', ');
    throw new CliError('REDKEEP_NODE_UNKNOWN', `There is no data node "${named}".`, `The data nodes are: ${known}.`);
  }
  const running = currentPrimary(loaded, plan.live);
  if (running && plan.live.sentinels.length > 0) return running.node;
  const decided = await decidedByFiles(delivery);
  if (!decided) return undefined;
  const node = nodeAt(loaded, decided);
  if (!node) return undefined;
  await requireItsData(delivery, plan, node);
  return node;
}

async function decidedByFiles(delivery: Delivery): Promise<PrimaryAddress | undefined> {
  const watched = [];
  for (const node of sentinelNodes(delivery.loaded.deployment)) {
    const text = await delivery.serverConfig(node);
    const found = text === undefined ? undefined : watchedPrimary(text);
    if (found) watched.push(found);
  }
  return watched.length === 0 ? undefined : watched.reduce((a, b) => (b.epoch > a.epoch ? b : a));
}

/** An empty primary would empty its replicas; one that is left out may have what they lack. */
async function requireItsData(delivery: Delivery, plan: ApplyPlan, primary: DeploymentNode): Promise<void> {
  const runs = plan.live.data.some(({ node }) => node.name === primary.name);
  const starts = plan.nodes.some(({ node, action }) => node.name === primary.name && action === 'start');
  const others = dataNodes(delivery.loaded.deployment).filter(({ name }) => name !== primary.name);
  if (!runs && !starts) throw away(primary, 'is left out', others[0]);
  if (runs || (await delivery.hasData(primary)) !== false) return;
  for (const other of others) if (await delivery.hasData(other)) throw away(primary, 'has no data', other);
}

function away({ name }: DeploymentNode, what: string, other: DeploymentNode | undefined): CliError {
  return new CliError(
    'REDKEEP_NEWER_DATA_AWAY',
    `${name} was primary last and ${what}; started like this its replicas would lose their data or serve older data.`,
    `Bring its data back, or start with another as primary and lose what only ${name} had: redkeep up --primary ${other?.name ?? 'NODE'}.`,
  );
}
