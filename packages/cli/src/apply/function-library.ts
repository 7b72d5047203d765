import type { RedisClient } from 'redkeep';
import type { Context } from '../context.js';
import { libraryFor } from '../deployment/components.js';
import type { LoadedDeployment } from '../deployment/loaded-deployment.js';
import { userOf } from '../deployment/model.js';
import { withClient } from '../engine/connect-node.js';
import { currentPrimary, readTopology } from '../engine/live-topology.js';

export async function hasLibrary(client: RedisClient, name: string): Promise<boolean> {
  const list = (await client.sendCommand(['FUNCTION', 'LIST', 'LIBRARYNAME', name])) as unknown as unknown[];
  return list.length > 0;
}

/**
 * Loads the functions of the components that the deployment's applications use, where they are missing. The
 * administrator brings them, so that an application's user needs no EVAL and can run no script of its own.
 */
export async function loadLibrary(admin: RedisClient, { deployment }: LoadedDeployment): Promise<void> {
  const library = libraryFor(deployment.users, deployment.engine);
  if (!library || (await hasLibrary(admin, library.name))) return;
  await admin.sendCommand(['FUNCTION', 'LOAD', 'REPLACE', library.code]);
}

/** Loads them on every primary; replicas get them by replication. */
export async function loadFunctions(context: Context, loaded: LoadedDeployment): Promise<void> {
  const { deployment } = loaded;
  if (!libraryFor(deployment.users, deployment.engine)) return;
  const live = await readTopology(context, loaded);
  const only = currentPrimary(loaded, live);
  const primaries = only ? [only] : live.data.filter(({ role }) => role === 'primary');
  const admin = userOf(deployment, 'admin')!;
  for (const { node } of primaries) {
    await withClient(context.connect, loaded, node, admin, (client) => loadLibrary(client, loaded));
  }
}
