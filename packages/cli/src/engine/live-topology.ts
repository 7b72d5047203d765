import { type RedisClient, SocketClosedUnexpectedlyError } from 'redkeep';
import type { Context } from '../context.js';
import type { LoadedDeployment } from '../deployment/loaded-deployment.js';
import { type DeploymentNode, dataNodes, sentinelNodes, userOf } from '../deployment/model.js';
import { withClient } from './connect-node.js';
import { parseInfo } from './info.js';

export interface LiveReplica {
  readonly host: string;
  readonly port: number;
  readonly state: string;
  readonly offset: number;
}

/** What a data node says of itself. */
export interface LiveDataNode {
  readonly node: DeploymentNode;
  readonly role: 'primary' | 'replica';
  /** The address a replica copies. */
  readonly primary?: { readonly host: string; readonly port: number };
  /** A replica's link to its primary is up and it is not loading. Always true for a primary that has loaded. */
  readonly inStep: boolean;
  readonly offset: number;
  readonly replicationId: string;
  readonly replicas: readonly LiveReplica[];
  /** Cluster: its id and, for a primary, whether it has slots. */
  readonly clusterId?: string;
}

export interface LiveSentinel {
  readonly node: DeploymentNode;
  readonly primary: { readonly host: string; readonly port: number };
  readonly epoch: number;
  readonly healthy: boolean;
}

/** What the servers decided, as they say now. Nodes that could not be asked are in `away` with the reason. */
export interface LiveTopology {
  readonly data: readonly LiveDataNode[];
  readonly sentinels: readonly LiveSentinel[];
  readonly away: readonly { readonly node: DeploymentNode; readonly reason: string }[];
}

/** Asks nodes, by default all, for their roles. Reads only. */
export async function readTopology(
  context: Context,
  loaded: LoadedDeployment,
  nodes: readonly DeploymentNode[] = loaded.deployment.nodes,
): Promise<LiveTopology> {
  const away: { node: DeploymentNode; reason: string }[] = [];
  const ask = async <T>(node: DeploymentNode, work: (client: RedisClient) => Promise<T>): Promise<T[]> => {
    const user = userOf(loaded.deployment, 'monitoring');
    if (!user) return [];
    const once = () => withClient(context.connect, loaded, node, user, work);
    try {
      // A server whose role changes closes its clients, and answers the next one.
      return [
        await once().catch((error) => {
          if (error instanceof SocketClosedUnexpectedlyError) return once();
          throw error;
        }),
      ];
    } catch (error) {
      away.push({ node, reason: error instanceof Error ? error.message : String(error) });
      return [];
    }
  };
  const chosen = (all: readonly DeploymentNode[]) => all.filter((node) => nodes.includes(node));
  const [data, sentinels] = await Promise.all([
    Promise.all(
      chosen(dataNodes(loaded.deployment)).map((node) => ask(node, (client) => readDataNode(loaded, client, node))),
    ),
    Promise.all(
      chosen(sentinelNodes(loaded.deployment)).map((node) => ask(node, (client) => readSentinel(loaded, client, node))),
    ),
  ]);
  return { data: data.flat(), sentinels: sentinels.flat(), away };
}

async function readDataNode(
  { deployment }: LoadedDeployment,
  client: RedisClient,
  node: DeploymentNode,
): Promise<LiveDataNode> {
  const info = parseInfo(await client.sendCommand(['INFO']));
  const number = (name: string) => Number(info.get(name) ?? 0);
  const role = info.get('role') === 'master' ? 'primary' : 'replica';
  const host = info.get('master_host');
  const loading = info.get('loading') === '1';
  const id = deployment.topology === 'cluster' ? await clusterIdOf(client) : undefined;
  return {
    node,
    role,
    ...(role === 'replica' && host ? { primary: { host, port: number('master_port') } } : {}),
    inStep: !loading && (role === 'primary' || info.get('master_link_status') === 'up'),
    offset: role === 'primary' ? number('master_repl_offset') : number('slave_repl_offset'),
    replicationId: info.get('master_replid') ?? '',
    replicas: replicasOf(info),
    ...(id === undefined ? {} : { clusterId: id }),
  };
}

async function clusterIdOf(client: RedisClient): Promise<string | undefined> {
  const nodes = String(await client.sendCommand(['CLUSTER', 'NODES']));
  const own = nodes.split('\n').find((line) => / \S*myself/.test(line));
  return own?.split(' ')[0];
}

/** The `slaveN:ip=…,port=…,state=…,offset=…` lines of INFO. */
export function replicasOf(info: ReadonlyMap<string, string>): LiveReplica[] {
  return [...info].flatMap(([name, value]) => {
    if (!/^slave\d+$/.test(name)) return [];
    const fields = new Map(value.split(',').map((field) => field.split('=') as [string, string]));
    return [
      {
        host: fields.get('ip') ?? '',
        port: Number(fields.get('port') ?? 0),
        state: fields.get('state') ?? '',
        offset: Number(fields.get('offset') ?? 0),
      },
    ];
  });
}

async function readSentinel(
  { deployment }: LoadedDeployment,
  client: RedisClient,
  node: DeploymentNode,
): Promise<LiveSentinel> {
  const reply = await client.sendCommand(['SENTINEL', 'MASTER', deployment.sentinel!.primaryName]);
  const fields = fieldsOf(reply);
  const flags = fields.get('flags') ?? '';
  return {
    node,
    primary: { host: fields.get('ip') ?? '', port: Number(fields.get('port') ?? 0) },
    epoch: Number(fields.get('config-epoch') ?? 0),
    healthy: !/down|failover/.test(flags),
  };
}

/** A reply of names and values: a map under RESP3, a flat list under RESP2. */
export function fieldsOf(reply: unknown): Map<string, string> {
  if (reply instanceof Map) return new Map([...reply].map(([name, value]) => [String(name), String(value)]));
  if (Array.isArray(reply)) {
    const pairs = new Map<string, string>();
    for (let index = 0; index + 1 < reply.length; index += 2) pairs.set(String(reply[index]), String(reply[index + 1]));
    return pairs;
  }
  if (reply !== null && typeof reply === 'object') {
    return new Map(Object.entries(reply).map(([name, value]) => [name, String(value)]));
  }
  return new Map();
}

/**
 * The node that is primary now: of a Sentinel set the one that the sentinels with the newest epoch name, else the one
 * that says so itself. Undefined in a Cluster, which has several, and where nobody could say.
 */
export function currentPrimary(loaded: LoadedDeployment, live: LiveTopology): LiveDataNode | undefined {
  const { topology } = loaded.deployment;
  if (topology === 'cluster') return undefined;
  if (topology === 'sentinel' && live.sentinels.length > 0) {
    const newest = live.sentinels.reduce((a, b) => (b.epoch > a.epoch ? b : a));
    return live.data.find(({ node }) => node.host === newest.primary.host && node.port === newest.primary.port);
  }
  const primaries = live.data.filter(({ role }) => role === 'primary');
  return primaries.length === 1 ? primaries[0] : undefined;
}

/** A node by the address that servers give for it. */
export function nodeAt(
  loaded: LoadedDeployment,
  address: { readonly host: string; readonly port: number },
): DeploymentNode | undefined {
  return loaded.deployment.nodes.find(({ host, port }) => host === address.host && port === address.port);
}
