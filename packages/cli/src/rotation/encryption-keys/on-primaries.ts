import { RESP_TYPES, type RedisClient } from 'redkeep';
import type { Context } from '../../context.js';
import type { LoadedDeployment } from '../../deployment/loaded-deployment.js';
import { type DeploymentNode, dataNodes, userOf } from '../../deployment/model.js';
import { withClient } from '../../engine/connect-node.js';
import { parseInfo } from '../../engine/info.js';
import { currentPrimary, nodeAt, readTopology } from '../../engine/live-topology.js';
import { until } from '../../engine/until.js';
import { CliError } from '../../errors.js';

const goesOn = 'See redkeep status, then run the same command again: it goes on.';
/** How often everything is looked at again because the servers changed their roles or moved slots meanwhile. */
const tries = 3;

/**
 * Runs work on every database of every primary, as the servers say now what is a primary. A data node that does not
 * answer stops it: what it holds would not be counted.
 */
export async function onPrimaries(
  context: Context,
  deployments: readonly LoadedDeployment[],
  work: (client: RedisClient, node: string) => Promise<void>,
): Promise<void> {
  for (const loaded of deployments)
    for (const node of await primariesOf(context, loaded))
      await asAdmin(context, loaded, node, async (client) => {
        const info = parseInfo(await client.sendCommand(['INFO', 'keyspace']));
        const databases = [...info.keys()].flatMap((name) => /^db(\d+)$/.exec(name)?.[1] ?? []);
        for (const database of databases) {
          // A cluster of Valkey 9 may have several, too; any other has number 0, which is selected already.
          if (loaded.deployment.topology !== 'cluster' || database !== '0')
            await client.sendCommand(['SELECT', database]);
          await work(client, node.name);
        }
      });
}

/**
 * Looks at everything that primaries hold, and again where servers changed their roles, restarted or moved slots
 * meanwhile: a key that moves behind the look would not be seen.
 */
export async function lookAtAll<T>(
  context: Context,
  deployments: readonly LoadedDeployment[],
  look: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const before = await placesOf(context, deployments);
    const result = await look();
    const after = await placesOf(context, deployments);
    if (before === after && !/[<>]-|-[<>]/.test(after)) return result;
    if (attempt === tries)
      throw new CliError(
        'REDKEEP_SERVER_FAILED',
        'Servers changed their roles or moved slots each time that everything was looked at.',
        'Wait until the cluster is at rest, then run the same command again: it goes on.',
      );
  }
}

/**
 * Waits until every replica has what its primary has now. One that is away stops it: as a primary it would bring back
 * what is no longer there.
 */
export async function awaitReplicas(context: Context, deployments: readonly LoadedDeployment[]): Promise<void> {
  for (const loaded of deployments) {
    const data = dataNodes(loaded.deployment);
    const { data: live, away } = await readTopology(context, loaded, data);
    if (away.length > 0) throw notAll(away.map(({ node }) => node));
    const reached = new Map(live.filter(({ role }) => role === 'primary').map(({ node, offset }) => [node, offset]));
    await until(context, 'replicas to have what was sealed anew', async () => {
      const now = await readTopology(context, loaded, data);
      return (
        now.away.length === 0 &&
        now.data.every(({ role, inStep, offset, primary }) => {
          if (role === 'primary') return true;
          const source = primary && nodeAt(loaded, primary);
          return inStep && source !== undefined && offset >= (reached.get(source) ?? Number.POSITIVE_INFINITY);
        })
      );
    });
  }
}

async function primariesOf(context: Context, loaded: LoadedDeployment): Promise<DeploymentNode[]> {
  const live = await readTopology(context, loaded);
  const data = dataNodes(loaded.deployment);
  const primary = currentPrimary(loaded, live);
  const away = live.away.filter(({ node }) => data.includes(node));
  const primaries = primary ? [primary] : live.data.filter(({ role }) => role === 'primary');
  if (primaries.length === 0) throw new CliError('REDKEEP_CONNECTION_FAILED', 'No primary answers.', goesOn);
  if (loaded.deployment.topology === 'cluster' && away.length > 0) throw notAll(away.map(({ node }) => node));
  return primaries.map(({ node }) => node);
}

/** Which processes hold which slots: a text that changes when any of it does. */
async function placesOf(context: Context, deployments: readonly LoadedDeployment[]): Promise<string> {
  const places: string[] = [];
  for (const loaded of deployments)
    for (const node of await primariesOf(context, loaded))
      await asAdmin(context, loaded, node, async (client) => {
        const run = parseInfo(await client.sendCommand(['INFO', 'server'])).get('run_id') ?? '';
        places.push(`${loaded.folder} ${node.name} ${run}`);
        if (loaded.deployment.topology !== 'cluster') return;
        const nodes = String(await client.sendCommand(['CLUSTER', 'NODES'])).split('\n');
        const [own] = nodes.filter((line) => / \S*myself/.test(line));
        places.push(own?.split(' ').slice(8).join(' ') ?? '');
      });
  return places.join('\n');
}

function asAdmin(
  context: Context,
  loaded: LoadedDeployment,
  node: DeploymentNode,
  work: (client: RedisClient) => Promise<void>,
): Promise<void> {
  return withClient(context.connect, loaded, node, userOf(loaded.deployment, 'admin')!, work);
}

function notAll(away: readonly DeploymentNode[]): CliError {
  return new CliError(
    'REDKEEP_CONNECTION_FAILED',
    `Not every node answers: ${away.map(({ name }) => name).join(', ')}.`,
    goesOn,
  );
}

/** Commands whose replies are bytes: sealed values are not text. */
export function bytesOf(client: RedisClient): (...args: readonly (string | Buffer)[]) => Promise<unknown> {
  const mapped = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  return (...args) => mapped.sendCommand(args);
}
