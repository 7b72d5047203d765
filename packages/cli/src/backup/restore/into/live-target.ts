import { setTimeout as delay } from 'node:timers/promises';
import { createCluster, type RedisClient } from 'redkeep';
import type { Context } from '../../../context.js';
import type { LoadedDeployment } from '../../../deployment/loaded-deployment.js';
import { type DeploymentNode, dataNodes, isApplication, userOf } from '../../../deployment/model.js';
import { targetOf } from '../../../engine/connect-node.js';
import { CliError } from '../../../errors.js';
import { infoField, roleAndOffset } from '../../source/backup-source.js';

/** How long a replica may take to catch up before the copy is taken from a primary. */
const settleMs = 10_000;
const settlePollMs = 50;

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
      const away: unknown[] = [];
      for (const node of dataNodes(loaded.deployment)) {
        const target = await targetOf(loaded, node, admin);
        try {
          nodes.push({ node, client: await context.connect(target) });
        } catch (error) {
          away.push(error);
          context.terminal.warn(`${node.name} is not reached; as a replica it takes the data when it is back.`);
        }
      }
      const targets = await Promise.all(nodes.map(({ node }) => targetOf(loaded, node, admin)));
      const opened = new LiveTarget(loaded, nodes, undefined);
      const shards = dataNodes(loaded.deployment).filter(({ role }) => role === 'primary').length;
      const primaries = (await opened.primaries()).length;
      if (primaries < shards && away.length > 0) throw away[0];
      if (primaries !== shards) throw unsettled(loaded.deployment.name, primaries, shards);
      if (loaded.deployment.topology !== 'cluster') return opened;
      return new LiveTarget(loaded, nodes, await openCluster(targets));
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

  /** Databases, and the memory that the primaries may use together; 0 where one has no limit. */
  async limits(): Promise<{ readonly databases: number; readonly memoryBytes: number }> {
    const primaries = await this.primaries();
    const memory = await Promise.all(primaries.map((client) => numberOf(client, 'maxmemory')));
    return {
      databases: this.isCluster ? 1 : await numberOf(primaries[0]!, 'databases'),
      memoryBytes: memory.includes(0) ? 0 : memory.reduce((sum, bytes) => sum + bytes, 0),
    };
  }

  async hasFunctions(): Promise<boolean> {
    const [primary] = await this.primaries();
    return (await primary!.sendCommand<unknown[]>(['FUNCTION', 'LIST'])).length > 0;
  }

  /** Waits until every replica that is connected has what its primary has now. */
  async settle(): Promise<void> {
    const offsets = async () =>
      Promise.all(
        this.#nodes.map(async ({ client }) => {
          const text = String(await client.sendCommand(['INFO', 'replication']));
          const state = roleAndOffset(text);
          const id = infoField(text, 'master_replid');
          return { ...state, id, isConnected: infoField(text, 'master_link_status') === 'up' };
        }),
      );
    const wanted = new Map(
      (await offsets()).flatMap(({ role, id, offset }) => (role === 'primary' ? [[id, offset]] : [])),
    );
    const until = performance.now() + settleMs;
    for (;;) {
      const late = (await offsets()).some(
        ({ role, id, offset, isConnected }) => role === 'replica' && isConnected && offset < (wanted.get(id) ?? 0),
      );
      if (!late) return;
      if (performance.now() > until) throw behind(this.name);
      await delay(settlePollMs);
    }
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

async function numberOf(client: RedisClient, name: string): Promise<number> {
  return Number((await client.configGet(name))[name]);
}

function behind(name: string): CliError {
  return new CliError(
    'REDKEEP_BACKUP_SOURCE_UNSAFE',
    `A replica of "${name}" does not catch up with its primary, so a copy of it would lack writes. No key was touched.`,
    'See "redkeep status" and the log of the replica; then run it again.',
  );
}

function unsettled(name: string, primaries: number, shards: number): CliError {
  return new CliError(
    'REDKEEP_CONNECTION_FAILED',
    `"${name}" has ${primaries} ${primaries === 1 ? 'primary' : 'primaries'} now and should have ${shards}. Nothing was touched.`,
    'A failover is under way: wait until "redkeep status" shows one primary for each shard.',
  );
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
