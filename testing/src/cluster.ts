import { freePort } from './free-port.js';
import type { RawReply } from './resp.js';
import { type Server, type ServerOptions, startServer } from './server.js';
import { renderLines } from './server-config.js';
import { waitFor } from './wait-for.js';

const SLOTS = 16_384;

export interface ClusterOptions
  extends Pick<ServerOptions, 'engine' | 'tls' | 'password' | 'users' | 'admin' | 'config'> {
  /** Default 3, the fewest that can agree on a failover. */
  readonly masters?: number;
  /** In all, shared out among the masters in turn. Default 0. */
  readonly replicas?: number;
}

/** A real cluster: every slot is served, every node agrees, every replica is in step. */
export class Cluster {
  readonly masters: readonly Server[];
  readonly replicas: readonly Server[];

  constructor(masters: readonly Server[], replicas: readonly Server[]) {
    this.masters = masters;
    this.replicas = replicas;
  }

  get nodes(): readonly Server[] {
    return [...this.masters, ...this.replicas];
  }

  /** Waits until every node that is up sees a whole cluster, after a failover for example. */
  async settled(): Promise<void> {
    for (const node of this.nodes.filter((candidate) => candidate.isUp)) {
      await waitFor(async () => (await clusterInfo(node))['cluster_state'] === 'ok', {
        message: `cluster_state:ok on ${node.url}`,
      });
    }
  }

  /** The node that serves `slot` now, as the cluster itself says. */
  async ownerOf(slot: number): Promise<Server> {
    const asked = this.nodes.find((node) => node.isUp);
    const ranges = (await asked?.command('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
    const port = ranges.find(([first, last]) => first <= slot && slot <= last)?.[2][1];
    const owner = this.nodes.find((node) => (node.tlsPort || node.port) === port);
    if (!owner) throw new Error(`No node serves slot ${slot}`);
    return owner;
  }

  /** Waits until `slot` is served by another node than `previous`, and gives that node. */
  async failedOver(slot: number, previous: Server): Promise<Server> {
    return waitFor(
      async () => {
        const owner = await this.ownerOf(slot);
        return owner === previous ? undefined : owner;
      },
      { timeout: 60_000, message: `a failover of slot ${slot}` },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map((node) => node[Symbol.asyncDispose]()));
  }
}

/**
 * Starts servers and makes a cluster of them; slots are shared out evenly, in the order of `masters`.
 *
 * @example await using cluster = await startCluster({ masters: 3, replicas: 3, tls: true });
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { masters = 3, replicas = 0, ...nodeOptions } = options;
  const settled = await Promise.allSettled(Array.from({ length: masters + replicas }, () => startNode(nodeOptions)));
  const nodes = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const cluster = new Cluster(nodes.slice(0, masters), nodes.slice(masters));
  try {
    const failed = settled.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    await shareOutSlots(cluster.masters);
    await introduce(cluster.nodes);
    await attachReplicas(cluster);
    await cluster.settled();
    return cluster;
  } catch (error) {
    await cluster[Symbol.asyncDispose]();
    throw error;
  }
}

async function startNode(options: Omit<ClusterOptions, 'masters' | 'replicas'>): Promise<Server> {
  const { username, password } = options.admin ?? { username: undefined, password: options.password };
  return startServer({
    ...options,
    config: [
      'cluster-enabled yes',
      `cluster-port ${await freePort()}`,
      'cluster-announce-ip 127.0.0.1',
      'cluster-node-timeout 2000',
      ...(options.tls ? ['tls-cluster yes', 'tls-replication yes'] : []),
      ...(username ? [`masteruser ${username}`] : []),
      ...(password === undefined ? [] : [`masterauth "${password}"`]),
      ...renderLines(options.config),
    ],
  });
}

async function shareOutSlots(masters: readonly Server[]): Promise<void> {
  for (const [index, master] of masters.entries()) {
    const first = Math.floor((index * SLOTS) / masters.length);
    const last = Math.floor(((index + 1) * SLOTS) / masters.length) - 1;
    await master.command('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
    await master.command('CLUSTER', 'ADDSLOTSRANGE', String(first), String(last));
  }
}

/** Everyone meets the first node, and gossip does the rest. */
async function introduce(nodes: readonly Server[]): Promise<void> {
  const [first, ...others] = nodes;
  if (!first) return;
  const [, busPort] = (await first.command('CONFIG', 'GET', 'cluster-port')) as string[];
  for (const node of others) {
    await node.command('CLUSTER', 'MEET', first.host, String(first.tlsPort || first.port), String(busPort));
  }
  for (const node of nodes) {
    await waitFor(async () => Number((await clusterInfo(node))['cluster_known_nodes']) === nodes.length, {
      message: `${node.url} to know ${nodes.length} nodes`,
    });
  }
}

async function attachReplicas({ masters, replicas }: Cluster): Promise<void> {
  for (const [index, replica] of replicas.entries()) {
    const master = masters[index % masters.length] as Server;
    const id = String(await master.command('CLUSTER', 'MYID'));
    // A replica may learn of its master a moment after the count of nodes is right.
    await waitFor(() => replica.command('CLUSTER', 'REPLICATE', id), {
      message: `${replica.url} to follow its master`,
    });
  }
  for (const replica of replicas) {
    await waitFor(async () => (await replica.info('replication'))['master_link_status'] === 'up', {
      message: `${replica.url} to be in step`,
    });
  }
  // Clients ask any node for the map, so each has to know every replica.
  for (const node of [...masters, ...replicas]) {
    await waitFor(async () => countReplicas(await node.command('CLUSTER', 'NODES')) === replicas.length, {
      message: `${node.url} to know ${replicas.length} replicas`,
    });
  }
}

function countReplicas(nodes: RawReply): number {
  return String(nodes)
    .split('\n')
    .filter((line) => /\bslave\b/.test(line.split(' ')[2] ?? '')).length;
}

async function clusterInfo(node: Server): Promise<Record<string, string>> {
  const text = String(await node.command('CLUSTER', 'INFO'));
  return Object.fromEntries([...text.matchAll(/^(\w+):([^\r\n]*)/gm)].map(([, name, value]) => [name, value]));
}
