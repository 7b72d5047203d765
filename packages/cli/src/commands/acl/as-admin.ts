import type { RedisClient } from 'redkeep';
import type { Asking } from '../../acl/dry-run.js';
import type { Context } from '../../context.js';
import type { LoadedDeployment } from '../../deployment/loaded-deployment.js';
import { type DeploymentNode, type User, userOf } from '../../deployment/model.js';
import { targetOf, withClient } from '../../engine/connect-node.js';
import { CliError } from '../../errors.js';

/** Runs work on a node as the deployment's administrator. */
export function asAdmin<T>(
  context: Context,
  loaded: LoadedDeployment,
  node: DeploymentNode,
  work: (client: RedisClient) => Promise<T>,
): Promise<T> {
  const admin = userOf(loaded.deployment, 'admin');
  if (!admin)
    throw new CliError('REDKEEP_USER_UNKNOWN', 'The deployment has no admin user.', 'Run redkeep init again.');
  return withClient(context.connect, loaded, node, admin, work);
}

/** Runs work on every node in turn, sentinels too, because they command the data nodes. */
export async function onEachNode<T>(
  context: Context,
  loaded: LoadedDeployment,
  work: (client: RedisClient, node: DeploymentNode) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  for (const node of loaded.deployment.nodes) {
    results.push(await asAdmin(context, loaded, node, (client) => work(client, node)));
  }
  return results;
}

/** How a node is asked what its users may do. */
export async function askingOf(
  context: Context,
  loaded: LoadedDeployment,
  node: DeploymentNode,
  admin: RedisClient,
): Promise<Asking> {
  const target = await targetOf(loaded, node, userOf(loaded.deployment, 'admin')!);
  const login = (username: string, password: string) => context.connect({ ...target, username, password });
  return { admin, engine: loaded.deployment.engine, login };
}

export function requireUser({ deployment }: LoadedDeployment, name: string): User {
  const user = deployment.users.find((candidate) => candidate.name === name);
  if (user) return user;
  const known = deployment.users.map((candidate) => candidate.name).join(', ');
  throw new CliError('REDKEEP_USER_UNKNOWN', `There is no user "${name}".`, `The users are: ${known}.`);
}
