import { RedkeepError } from 'redkeep';
import { readAclLines } from '../acl/drift.js';
import type { Context } from '../context.js';
import type { LoadedDeployment } from '../deployment/loaded-deployment.js';
import type { DeploymentNode, User } from '../deployment/model.js';
import { targetOf } from '../engine/connect-node.js';
import { CliError } from '../errors.js';
import { readIfPresent } from '../files/read-if-present.js';

/** The nodes that know a user: sentinels have fewer users than data nodes. */
export async function nodesOf(loaded: LoadedDeployment, user: User): Promise<DeploymentNode[]> {
  const known = await Promise.all(
    loaded.deployment.nodes.map(async (node) => {
      const users = readAclLines((await readIfPresent(loaded.locate(node.aclFile))) ?? '');
      return users.has(user.name) ? node : undefined;
    }),
  );
  return known.filter((node) => node !== undefined);
}

/** Whether a node takes a password, tried by a connection of its own. Rejects when the node cannot be asked. */
async function takes(
  context: Context,
  loaded: LoadedDeployment,
  node: DeploymentNode,
  user: User,
  password: string,
): Promise<boolean> {
  try {
    const client = await context.connect({ ...(await targetOf(loaded, node, user)), password });
    client.destroy();
    return true;
  } catch (error) {
    if (isRefusedLogin(error)) return false;
    throw error;
  }
}

/** Proves on the wire that every node takes a password of each user, or that none does. */
export async function proveLogins(
  context: Context,
  loaded: LoadedDeployment,
  passwords: ReadonlyMap<User, string>,
  expected: 'accepted' | 'refused',
): Promise<void> {
  const wrong: string[] = [];
  for (const [user, password] of passwords) {
    const nodes = await nodesOf(loaded, user);
    const answers = await Promise.all(nodes.map((node) => takes(context, loaded, node, user, password)));
    for (const [index, answer] of answers.entries())
      if (answer !== (expected === 'accepted')) wrong.push(`${user.name} on ${nodes[index]!.name}`);
  }
  if (wrong.length === 0) return;
  throw new CliError(
    'REDKEEP_DELIVERY_FAILED',
    expected === 'accepted'
      ? `The new password is not accepted: ${wrong.join(', ')}. The old one still is.`
      : `The old password is still accepted: ${wrong.join(', ')}.`,
    'redkeep rotate status shows where the rotation is; running it again goes on.',
  );
}

/** True for an error that says that the server refused name or password, not that it was not reached. */
function isRefusedLogin(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof RedkeepError && error.cause.code === 'REDKEEP_AUTH_FAILED';
}
