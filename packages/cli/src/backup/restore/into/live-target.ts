import { createCluster, type RedisClient } from 'redkeep';
import type { Context } from '../../../context.js';
import type { LoadedDeployment } from '../../../deployment/loaded-deployment.js';
import { type DeploymentNode, dataNodes, isApplication, userOf } from '../../../deployment/model.js';
import { targetOf } from '../../../engine/connect-node.js';
import { CliError } from '../../../errors.js';
import { infoField } from '../../source/backup-source.js';

type Words = [string, ...(string | Buffer)[]];

/** A running deployment that data is brought into, reached as its administrator. */
export class LiveTarget {
  readonly name: string;
  readonly isCluster: boolean;
  readonly #nodes: readonly { readonly node: DeploymentNode; readonly client: RedisClient }[];
  readonly #cluster: Awaited<ReturnType<typeof openCluster>> | undefined;
  readonly #applications: readonly string[];

  private constructor(
    loaded: LoadedDeployment,
    nodes: LiveTarget['nodes'],
    cluster: Awaited<ReturnType<typeof openCluster>> | undefined,
  ) {
    this.name = loaded.deployment.name;
    this.isCluster = cluster !== undefined;
    this.#nodes = nodes;
    this.#cluster = cluster;
    this.#applications = loaded.deployment.users.filter(isApplication).map((user) => user.name);
  }

  static async open(context: Context, loaded: LoadedDeployment): Promise<LiveTarget> {
    const admin = userOf(loaded.deployment, 'admin');
    if (!admin) throw new CliError('REDKEEP_USER_UNKNOWN', 'The deployment has no admin user.', 'Run redkeep init.');
    const nodes: { node: DeploymentNode; client: RedisClient }[] = [];
    try {
      for (const node of dataNodes(loaded.deployment)) {
        nodes.push({ node, client: await context.connect(await targetOf(loaded, node, admin)) });
      }
      const targets = await Promise.all(nodes.map(({ node }) => targetOf(loaded, node, admin)));
      const cluster = loaded.deployment.topology === 'cluster' ? await openCluster(targets) : undefined;
      return new LiveTarget(loaded, nodes, cluster);
    } catch (error) {
      for (const { client } of nodes) if (client.isOpen) client.destroy();
      throw error;
    }
  }

  get nodes() {
    return this.#nodes;
  }

  /** Primaries as they are now: a failover may have moved them since `init`. */
  async primaries(): Promise<readonly RedisClient[]> {
    const asked = await Promise.all(
      this.#nodes.map(async ({ client }) => ({
        client,
        role: infoField(String(await client.sendCommand(['INFO', 'replication'])), 'role'),
      })),
    );
    return asked.flatMap(({ client, role }) => (role === 'master' ? [client] : []));
  }

  /** Runs a command on the primary that serves its key. */
  async onKey(key: Buffer, database: string, words: Words): Promise<unknown> {
    if (this.#cluster) return this.#cluster.sendCommand(key, false, words);
    const [primary] = await this.#primary();
    if (database !== this.#database) {
      await primary!.sendCommand(['SELECT', database]);
      this.#database = database;
    }
    return primary!.sendCommand(words);
  }

  #database = '0';
  #primaryOnce: Promise<readonly RedisClient[]> | undefined;

  #primary(): Promise<readonly RedisClient[]> {
    this.#primaryOnce ??= this.primaries();
    return this.#primaryOnce;
  }

  async keys(): Promise<number> {
    const counts = await Promise.all(
      (await this.primaries()).map(async (client) => {
        const text = String(await client.sendCommand(['INFO', 'keyspace']));
        return [...text.matchAll(/keys=(\d+)/g)].reduce((sum, [, keys]) => sum + Number(keys), 0);
      }),
    );
    return counts.reduce((sum, keys) => sum + keys, 0);
  }

  /** Applications that may log in somewhere. */
  async activeApplications(): Promise<readonly string[]> {
    const active = new Set<string>();
    for (const { client } of this.#nodes) {
      const list = await client.sendCommand<string[]>(['ACL', 'LIST']);
      for (const user of this.#applications) {
        if (list.some((line) => String(line).startsWith(`user ${user} on `))) active.add(user);
      }
    }
    return [...active];
  }

  /** They are logged out and cannot log in: nothing of theirs is written between two states of the data. */
  async holdApplications(users: readonly string[]): Promise<void> {
    for (const { client } of this.#nodes) {
      for (const user of users) {
        await client.sendCommand(['ACL', 'SETUSER', user, 'off']);
        await client.sendCommand(['CLIENT', 'KILL', 'USER', user]);
      }
    }
  }

  async releaseApplications(users: readonly string[]): Promise<void> {
    for (const { client } of this.#nodes) {
      for (const user of users) await client.sendCommand(['ACL', 'SETUSER', user, 'on']);
    }
  }

  async empty(): Promise<void> {
    for (const client of await this.primaries()) {
      await client.sendCommand(['FLUSHALL', 'SYNC']);
      await client.sendCommand(['FUNCTION', 'FLUSH', 'SYNC']);
    }
  }

  close(): void {
    for (const { client } of this.#nodes) if (client.isOpen) client.destroy();
    this.#cluster?.destroy();
  }
}

async function openCluster(targets: readonly Awaited<ReturnType<typeof targetOf>>[]) {
  const [first] = targets;
  const { caFile, certFile, keyFile, username, password } = first!;
  const cluster = createCluster({
    rootNodes: targets.map(({ host, port }) => ({ socket: { host, port } })),
    defaults: { username, password, tls: { caFile, ...(certFile && keyFile ? { certFile, keyFile } : {}) } },
    commandPolicy: 'unrestricted',
  });
  cluster.on('error', () => undefined);
  await cluster.connect();
  return cluster;
}
