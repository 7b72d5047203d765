import type { Context } from '../context.js';
import type { LoadedDeployment } from '../deployment/loaded-deployment.js';
import { type DeploymentNode, dataNodes } from '../deployment/model.js';
import { CliError } from '../errors.js';
import { compareVersions } from '../vocabulary/engines.js';
import { asRole } from './as-role.js';
import { type ClusterMember, readMembers } from './cluster-members.js';
import { parseInfo } from './info.js';
import { peerAddress } from './reach.js';
import { until } from './until.js';

const clusterSlots = 16_384;

/** What a node says of its cluster. */
interface View {
  readonly node: DeploymentNode;
  readonly self: ClusterMember;
  readonly members: readonly ClusterMember[];
}

/**
 * Brings the nodes of a Cluster together. Where no node knows of all slots there is no cluster yet: nodes meet, each
 * primary gets its slots, each replica its primary. Else a node that knows nobody has lost its disk: the others forget
 * who it was, and it becomes the replica of a primary. Does nothing where all is well; safe to repeat after a kill.
 */
export async function formCluster(context: Context, loaded: LoadedDeployment): Promise<void> {
  const { views, away } = await readViews(context, loaded);
  const isFormed = views.some(({ members }) => members.reduce((sum, { slots }) => sum + slots, 0) === clusterSlots);
  if (!isFormed) {
    if (away.length > 0) throw away[0];
    return formFirst(context, loaded, views);
  }
  const isAlone = ({ members, self }: View) => members.length === 1 && self.slots === 0 && views.length > 1;
  await reconnect(
    context,
    loaded,
    views.filter((view) => !isAlone(view)),
  );
  await rejoin(context, loaded, views.filter(isAlone), views);
  // One that is away may have an identity that looks like an old one.
  if (away.length === 0) await forgetOld(context, loaded, views);
}

/**
 * Tells nodes where the others are now. A node keeps the addresses of its peers over a restart; containers and pods
 * that were all stopped may come back with others.
 */
async function reconnect(context: Context, loaded: LoadedDeployment, views: readonly View[]): Promise<void> {
  for (const { node: other, self } of views) {
    const address = await peerAddress(loaded, other);
    for (const { node, members } of views.filter((each) => each.node.name !== other.name)) {
      const known = members.find(({ id }) => id === self.id);
      if (known?.host !== address) await meet(context, loaded, node, other);
    }
  }
  for (const { node, self } of views) {
    const primary = views.find((each) => each.self.id === self.primary);
    if (primary) await copyFrom(context, loaded, node, primary);
  }
}

/** A replica that learns of the new address from other nodes goes on asking the old one for data until CLUSTER REPLICATE. */
async function copyFrom(
  context: Context,
  loaded: LoadedDeployment,
  node: DeploymentNode,
  { node: primary, self }: View,
) {
  const address = await peerAddress(loaded, primary);
  await until(context, `${node.name} to copy from ${primary.name}`, () =>
    asRole(context, loaded, node, 'admin', async (client) => {
      const info = parseInfo(await client.sendCommand(['INFO', 'replication']));
      // It has been promoted meanwhile.
      if (info.get('role') !== 'slave' || info.get('master_host') === address) return true;
      if (info.get('master_link_status') === 'up') return true;
      const known = (await readMembers(client)).find(({ id }) => id === self.id);
      if (known?.host === address) await client.sendCommand(['CLUSTER', 'REPLICATE', self.id]);
      return false;
    }),
  );
}

async function readViews(
  context: Context,
  loaded: LoadedDeployment,
): Promise<{ readonly views: readonly View[]; readonly away: readonly unknown[] }> {
  const away: unknown[] = [];
  const views = await Promise.all(
    dataNodes(loaded.deployment).map(async (node) => {
      try {
        const members = await asRole(context, loaded, node, 'admin', readMembers);
        return [{ node, members, self: members.find(({ isSelf }) => isSelf)! }];
      } catch (error) {
        away.push(error);
        return [];
      }
    }),
  );
  return { views: views.flat(), away };
}

function commander(context: Context, loaded: LoadedDeployment) {
  return (node: DeploymentNode, ...args: string[]) =>
    asRole(context, loaded, node, 'admin', (client) => client.sendCommand(args));
}

async function formFirst(context: Context, loaded: LoadedDeployment, views: readonly View[]): Promise<void> {
  const nodes = views.map(({ node }) => node);
  const first = nodes[0]!;
  const command = commander(context, loaded);
  const primaries = views.filter(({ node }) => node.role === 'primary');
  for (const [index, { node, self }] of primaries.entries()) {
    const start = Math.ceil((index * clusterSlots) / primaries.length);
    const end = Math.ceil(((index + 1) * clusterSlots) / primaries.length) - 1;
    if (self.slots === 0) await assignSlots(loaded, (...args) => command(node, ...args), start, end);
    await command(node, 'CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1)).catch(() => undefined);
  }
  for (const node of nodes.slice(1)) await meet(context, loaded, first, node);
  for (const node of nodes) await knowsEverybody(context, loaded, node, nodes.length);
  for (const { node } of views) {
    const primary = views.find((each) => each.node.name === node.replicaOf);
    if (primary) await follow(context, loaded, node, primary.self.id);
  }
}

async function meet(context: Context, loaded: LoadedDeployment, from: DeploymentNode, to: DeploymentNode) {
  const address = await peerAddress(loaded, to);
  await commander(context, loaded)(from, 'CLUSTER', 'MEET', address, String(to.port), String(to.busPort));
}

async function knowsEverybody(
  context: Context,
  loaded: LoadedDeployment,
  node: DeploymentNode,
  wanted: number,
): Promise<void> {
  await until(context, `${node.name} to meet the others`, async () => {
    const members = await asRole(context, loaded, node, 'admin', readMembers);
    return members.length >= wanted && !members.some(({ flags }) => flags.includes('handshake'));
  });
}

async function follow(context: Context, loaded: LoadedDeployment, node: DeploymentNode, primary: string) {
  const command = commander(context, loaded);
  await until(context, `${node.name} to follow`, async () => {
    const members = await asRole(context, loaded, node, 'admin', readMembers);
    if (members.find(({ isSelf }) => isSelf)?.primary === primary) return true;
    await command(node, 'CLUSTER', 'REPLICATE', primary);
    return false;
  });
}

/**
 * Nodes without their disks have new identities, all those of a lost host at once. Slots that only an old one had are
 * gone: that is for a person.
 */
async function rejoin(
  context: Context,
  loaded: LoadedDeployment,
  alone: readonly View[],
  views: readonly View[],
): Promise<void> {
  const members = views.filter((view) => !alone.includes(view)).map(({ node }) => node);
  const reference = members[0];
  if (alone.length === 0 || !reference) return;
  const read = () => asRole(context, loaded, reference, 'admin', readMembers);
  const followed = new Map<string, string | undefined>();
  for (const { node } of alone) {
    context.terminal.note(`${node.name} came back without its data: it joins as a replica and copies what it lost.`);
    followed.set(node.name, await whoseReplicaItWas(context, loaded, node, { views, read }));
  }
  await forgetOld(context, loaded, views);
  for (const { node } of alone) await meet(context, loaded, reference, node);
  for (const { node } of views) await knowsEverybody(context, loaded, node, views.length);
  for (const { node, self } of alone) {
    await follow(context, loaded, node, followed.get(node.name) ?? leastCopied(await read(), self.id));
  }
}

/**
 * The primary that a node copied before. A primary's slots go to its replica: by itself when the others have found that it
 * failed, but they do not look at it any more once another identity answers at its address, so the replica gets CLUSTER REPLICATE.
 */
async function whoseReplicaItWas(
  context: Context,
  loaded: LoadedDeployment,
  node: DeploymentNode,
  { views, read }: { readonly views: readonly View[]; readonly read: () => Promise<readonly ClusterMember[]> },
): Promise<string | undefined> {
  const isOld = await oldIdentities(loaded, [node], views);
  let old: ClusterMember | undefined;
  let lost: ClusterMember | undefined;
  await until(context, `a replica of ${node.name} to take over its slots`, async () => {
    const view = await read();
    const before = view.filter(isOld);
    old = before[0];
    const owner = before.find(({ slots }) => slots > 0);
    if (!owner) return true;
    const heir = views.find(({ self }) => view.some(({ id, primary }) => id === self.id && primary === owner.id));
    if (!heir) lost = owner;
    else if (owner.flags.includes('noaddr'))
      await commander(context, loaded)(heir.node, 'CLUSTER', 'FAILOVER', 'FORCE');
    return lost !== undefined;
  });
  if (lost) throw slotsLost(node, lost.slots);
  return old?.flags.includes('noaddr') ? undefined : old?.primary;
}

/**
 * The identities of nodes before they lost their disks: members without slots that differ from the present ones, and that
 * have the address of a present one, or no address as soon as the others find another identity there.
 */
async function oldIdentities(
  loaded: LoadedDeployment,
  nodes: readonly DeploymentNode[],
  views: readonly View[],
): Promise<(member: ClusterMember) => boolean> {
  const present = new Set(views.map(({ self }) => self.id));
  const addresses = await Promise.all(
    nodes.map(async (node) => ({ port: node.port, hosts: [node.host, await peerAddress(loaded, node)] })),
  );
  return ({ id, flags, ...member }) =>
    !present.has(id) &&
    (flags.includes('noaddr') ||
      addresses.some(
        ({ port, hosts }) => member.port === port && (hosts.includes(member.host) || hosts.includes(member.hostname)),
      ));
}

async function forgetOld(context: Context, loaded: LoadedDeployment, views: readonly View[]): Promise<void> {
  const command = commander(context, loaded);
  const nodes = views.map(({ node }) => node);
  const isOld = await oldIdentities(loaded, nodes, views);
  const { views: now } = await readViews(context, loaded);
  const gone = new Set(
    now.flatMap(({ members }) => members.filter((each) => isOld(each) && each.slots === 0)).map(({ id }) => id),
  );
  for (const id of gone) {
    // One that has forgotten it already says so.
    for (const node of nodes) await command(node, 'CLUSTER', 'FORGET', id).catch(() => undefined);
  }
}

/** The primary with the fewest replicas. */
function leastCopied(view: readonly ClusterMember[], except: string): string {
  const copies = (id: string) => view.filter(({ primary }) => primary === id).length;
  const primaries = view.filter(({ slots, id }) => slots > 0 && id !== except);
  return primaries.reduce((a, b) => (copies(b.id) < copies(a.id) ? b : a)).id;
}

function slotsLost({ name }: DeploymentNode, slots: number): CliError {
  return new CliError(
    'REDKEEP_NEWER_DATA_AWAY',
    `${name} came back without its data, and nobody else has a copy of its ${slots} slots.`,
    'Bring its data folder back, or restore a backup: redkeep restore.',
  );
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
