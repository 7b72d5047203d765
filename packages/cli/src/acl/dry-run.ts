import type { RedisClient } from 'redkeep';
import type { DeploymentNode } from '../deployment/model.js';
import { CliError } from '../errors.js';
import { createPassword } from '../secrets/password.js';
import { compareVersions, type Engine } from '../vocabulary/engines.js';
import { readAclLines } from './drift.js';
import type { Expectation } from './expectations.js';
import { probeName } from './probe-user.js';

/** What the server says a user may run. */
export interface Verdict extends Expectation {
  readonly actual: boolean;
  /** The server's words when it refuses. */
  readonly reason?: string;
}

/** How a server is asked: as its administrator and, where it has no ACL DRYRUN, by logging in as somebody. */
export interface Asking {
  readonly admin: RedisClient;
  readonly engine: Engine;
  /** Connects to the same server under a name and password. */
  login(username: string, password: string): Promise<RedisClient>;
}

/** Asks the server for each command whether a user may run it; nothing is run. */
export async function dryRun(asking: Asking, user: string, expectations: readonly Expectation[]): Promise<Verdict[]> {
  const { admin, engine } = asking;
  try {
    if (!hasDryRun(engine)) return await tryInTransaction(asking, user, expectations);
    return await Promise.all(
      expectations.map(async (expectation) => {
        const reply = String(await admin.sendCommand(['ACL', 'DRYRUN', user, ...expectation.command]));
        return reply === 'OK' ? { ...expectation, actual: true } : { ...expectation, actual: false, reason: reply };
      }),
    );
  } catch (error) {
    throw new CliError(
      'REDKEEP_CONNECTION_FAILED',
      `The server did not say what ${user} may do: ${error instanceof Error ? error.message : error}`,
      'The user must exist there: see "redkeep acl diff".',
      { cause: error },
    );
  }
}

export function hasDryRun({ name, version }: Engine): boolean {
  return name !== 'redis' || compareVersions(version, '7.0') >= 0;
}

/** A sentinel has no transactions, so that one of Redis 6.2 cannot be asked at all. */
export function canBeAsked(node: DeploymentNode, engine: Engine): boolean {
  return node.role !== 'sentinel' || hasDryRun(engine);
}

/**
 * Redis 6.2 has no ACL DRYRUN, but judges a command of a transaction when it is queued. A user with the same rules and
 * MULTI besides queues each command and discards it; then the user is removed.
 */
async function tryInTransaction(
  { admin, login }: Asking,
  user: string,
  expectations: readonly Expectation[],
): Promise<Verdict[]> {
  const lines = readAclLines(((await admin.sendCommand(['ACL', 'LIST'])) as unknown as string[]).join('\n'));
  const rules = lines.get(user)?.filter((rule) => !rule.startsWith('#'));
  if (!rules) throw new Error('no such user');
  const probe = probeName();
  const password = createPassword();
  await admin.sendCommand(['ACL', 'SETUSER', probe, 'reset', ...rules, '+multi', '+discard', 'on', `>${password}`]);
  try {
    const client = await login(probe, password);
    try {
      const verdicts: Verdict[] = [];
      for (const expectation of expectations) verdicts.push(await queueAndDiscard(client, expectation));
      return verdicts;
    } finally {
      client.destroy();
    }
  } finally {
    await admin.sendCommand(['ACL', 'DELUSER', probe]);
  }
}

async function queueAndDiscard(client: RedisClient, expectation: Expectation): Promise<Verdict> {
  await client.sendCommand(['MULTI']);
  try {
    await client.sendCommand([...expectation.command]);
    return { ...expectation, actual: true };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    // Whatever else is wrong with the command was looked at after the permission.
    return /NOPERM/.test(reason) ? { ...expectation, actual: false, reason } : { ...expectation, actual: true };
  } finally {
    await client.sendCommand(['DISCARD']);
  }
}
