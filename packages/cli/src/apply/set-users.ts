import type { RedisClient } from 'redkeep';
import { readAclLines } from '../acl/drift.js';

/**
 * Gives a server the users of an ACL file. ACL SETUSER takes all rules of a user at once or none. New and changed
 * users first, removals last: the caller's own user is never missing in between.
 */
export async function setUsers(client: RedisClient, aclFile: string): Promise<void> {
  const users = readAclLines(aclFile);
  for (const [name, rules] of users) await client.sendCommand(['ACL', 'SETUSER', name, 'reset', ...rules]);
  const running = (await client.sendCommand(['ACL', 'USERS'])) as unknown as string[];
  const surplus = running.filter((name) => !users.has(name) && name !== 'default');
  if (surplus.length > 0) await client.sendCommand(['ACL', 'DELUSER', ...surplus]);
}

/** The users a server runs with, in the notation of an ACL file. */
export async function runningUsers(client: RedisClient): Promise<string> {
  return `${((await client.sendCommand(['ACL', 'LIST'])) as unknown as string[]).join('\n')}\n`;
}
