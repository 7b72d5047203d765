import { RESP_TYPES, type RedisClient } from 'redkeep';
import type { Context } from '../../context.js';
import type { LoadedDeployment } from '../../deployment/loaded-deployment.js';
import { dataNodes, userOf } from '../../deployment/model.js';
import { withClient } from '../../engine/connect-node.js';
import { parseInfo } from '../../engine/info.js';
import { currentPrimary, readTopology } from '../../engine/live-topology.js';
import { CliError } from '../../errors.js';

/**
 * Runs work on every database of every primary, as the servers say now what is a primary. A data node that does not
 * answer stops it: what it holds would not be counted.
 */
export async function onPrimaries(
  context: Context,
  loaded: LoadedDeployment,
  work: (client: RedisClient, node: string) => Promise<void>,
): Promise<void> {
  const live = await readTopology(context, loaded);
  const data = dataNodes(loaded.deployment);
  const primary = currentPrimary(loaded, live);
  const away = live.away.filter(({ node }) => data.includes(node));
  const primaries = primary ? [primary] : live.data.filter(({ role }) => role === 'primary');
  if (primaries.length === 0 || (loaded.deployment.topology === 'cluster' && away.length > 0))
    throw new CliError(
      'REDKEEP_CONNECTION_FAILED',
      primaries.length === 0
        ? 'No primary answers.'
        : `Not every node answers: ${away.map(({ node }) => node.name).join(', ')}.`,
      'See redkeep status, then run the same command again: it goes on.',
    );
  const admin = userOf(loaded.deployment, 'admin')!;
  for (const { node } of primaries)
    await withClient(context.connect, loaded, node, admin, async (client) => {
      const info = parseInfo(await client.sendCommand(['INFO', 'keyspace']));
      const databases = [...info.keys()].flatMap((name) => /^db(\d+)$/.exec(name)?.[1] ?? []);
      for (const database of databases) {
        if (loaded.deployment.topology !== 'cluster') await client.sendCommand(['SELECT', database]);
        await work(client, node.name);
      }
    });
}

/** Commands whose replies are bytes: sealed values are not text. */
export function bytesOf(client: RedisClient): (...args: readonly (string | Buffer)[]) => Promise<unknown> {
  const mapped = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  return (...args) => mapped.sendCommand(args);
}
