import type { RedisClient } from 'redkeep';
import type { Context } from '../context.js';
import type { LoadedDeployment } from '../deployment/loaded-deployment.js';
import { type DeploymentNode, userOf } from '../deployment/model.js';
import { withClient } from './connect-node.js';

type Work<T> = (client: RedisClient) => Promise<T>;

export function asRole<T>(
  context: Context,
  loaded: LoadedDeployment,
  node: DeploymentNode,
  role: 'admin' | 'monitoring',
  work: Work<T>,
): Promise<T> {
  const user = userOf(loaded.deployment, role);
  if (!user) throw new Error(`The deployment has no ${role} user.`);
  return withClient(context.connect, loaded, node, user, work);
}
