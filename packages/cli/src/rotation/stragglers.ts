import { setTimeout as delay } from 'node:timers/promises';
import type { RedisClient } from 'redkeep';
import type { Context } from '../context.js';
import type { LoadedDeployment } from '../deployment/loaded-deployment.js';
import { passwordHash } from '../deployment/material.js';
import { type DeploymentNode, type User, userOf } from '../deployment/model.js';
import { targetOf } from '../engine/connect-node.js';
import { aclLogChanges } from '../monitor/detect/acl-log-changes.js';
import { readAclLog } from '../monitor/gather/replies.js';
import { nodesOf } from './prove-logins.js';

/** A client that still logs in with the old password. */
export interface Straggler {
  readonly user: string;
  readonly address: string;
  readonly node: string;
  readonly at: string;
}

/** Each node is asked this often while the old password has just been taken away. */
const pollMs = 100;

interface Watched {
  readonly node: DeploymentNode;
  readonly client: RedisClient;
  seen: Readonly<Record<string, readonly number[]>>;
}

/**
 * Takes the old passwords away on all nodes at once and watches ACL LOG for those who still use one. Such a user gets
 * its old password back on all nodes within a poll, so that its application goes on, and is reported by its address.
 */
export async function removeAndWatch(
  context: Context,
  loaded: LoadedDeployment,
  old: ReadonlyMap<User, string>,
  watchMs: number,
): Promise<Straggler[]> {
  const admin = userOf(loaded.deployment, 'admin')!;
  const known = new Map(
    await Promise.all([...old.keys()].map(async (user) => [user, await nodesOf(loaded, user)] as const)),
  );
  const watched: Watched[] = [];
  try {
    for (const node of loaded.deployment.nodes) {
      const client = await context.connect(await targetOf(loaded, node, admin));
      watched.push({ node, client, seen: {} });
      await news(watched.at(-1)!);
    }
    await Promise.all([...old].map(([user, password]) => setHash(watched, known.get(user)!, user, '!', password)));
    const stragglers: Straggler[] = [];
    const end = performance.now() + watchMs;
    while (performance.now() < end && !context.signal.aborted) {
      for (const one of watched) {
        for (const { username, address } of await news(one)) {
          const user = [...old.keys()].find(({ name }) => name === username);
          if (!user) continue;
          if (!stragglers.some((each) => each.user === username)) {
            await setHash(watched, known.get(user)!, user, '#', old.get(user)!);
          }
          if (stragglers.some((each) => each.user === username && each.address === address)) continue;
          stragglers.push({ user: username, address, node: one.node.name, at: context.clock.now().toISOString() });
          context.terminal.warn(
            `${username} still logs in with its old password from ${address || 'a local socket'}; it may again.`,
          );
        }
      }
      await delay(pollMs);
    }
    return stragglers;
  } finally {
    for (const { client } of watched) client.destroy();
  }
}

/** Failed logins since the last look. */
async function news(one: Watched) {
  const entries = readAclLog(await one.client.sendCommand(['ACL', 'LOG', '128']));
  const { changes, memory } = aclLogChanges(entries, one.seen);
  one.seen = memory;
  return changes.map(({ entry }) => entry).filter(({ reason }) => reason === 'auth');
}

/** Adds or removes a password's hash on the nodes that know the user. Removing an absent one is an error of Redis, and fine. */
async function setHash(
  watched: readonly Watched[],
  nodes: readonly DeploymentNode[],
  user: User,
  sign: '#' | '!',
  password: string,
): Promise<void> {
  await Promise.all(
    watched
      .filter(({ node }) => nodes.includes(node))
      .map(async ({ client }) => {
        const hash = passwordHash(password);
        const reply = (await client.sendCommand(['ACL', 'LIST'])) as unknown as string[];
        const has = reply.some((line) => line.startsWith(`user ${user.name} `) && line.includes(`#${hash}`));
        if (has === (sign === '#')) return;
        await client.sendCommand(['ACL', 'SETUSER', user.name, `${sign}${hash}`]);
      }),
  );
}
