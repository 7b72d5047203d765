import { readFile } from 'node:fs/promises';
import type { Endpoint } from '../audit/gather/endpoint.js';
import type { Ask } from '../audit/gather/live.js';
import type { Session } from '../audit/gather/node.js';
import { openSession } from '../audit/gather/session.js';
import { CliError } from '../errors.js';
import type { Migration, MigrationNode } from './migration.js';

export const adminUser = 'redkeep-admin';
export const replicationUser = 'redkeep-replication';
const timeoutMs = 10_000;
const sessionName = 'redkeep-migrate';

/** The server's name in the log and in CLIENT LIST for this tool's own connections, which no table counts as clients. */
export const ownNames: readonly string[] = [sessionName];

/** The new way in: TLS, verified against the migration's own CA, as the administrator that the migration made. */
export async function newWay(migration: Migration, node: MigrationNode, user = adminUser): Promise<Endpoint> {
  const known = migration.plan.users.find(({ name }) => name === user);
  if (!known) throw new CliError('REDKEEP_USER_UNKNOWN', `The migration has no user ${user}.`, 'See migration.json.');
  return {
    host: node.host,
    port: node.tlsPort,
    tls: true,
    ca: await readFile(migration.file('pki', 'ca.crt'), 'utf8'),
    username: user,
    password: await migration.passwordOf(known),
    timeoutMs,
  };
}

/** The way that clients used before: plaintext, with the credentials that were given. */
export async function oldWay({ plan }: Migration, node: MigrationNode): Promise<Endpoint> {
  const { user, passwordFile } = plan.given;
  return {
    host: node.host,
    port: node.port,
    tls: false,
    timeoutMs,
    ...(passwordFile !== undefined && { password: (await readFile(passwordFile, 'utf8')).trimEnd() }),
    ...(user !== undefined && { username: user }),
  };
}

/** Logs in the new way where that exists already, else the old way. The administrator's password only travels over TLS. */
export async function openAdmin(migration: Migration, node: MigrationNode): Promise<Session> {
  const errors: unknown[] = [];
  const made = migration.stateOf('users');
  const ways = made && made !== 'undone' ? [newWay, oldWay] : [oldWay];
  for (const way of ways) {
    try {
      return await openSession(await way(migration, node), sessionName);
    } catch (error) {
      errors.push(error);
    }
  }
  const last = errors.at(-1);
  throw new CliError(
    'REDKEEP_CONNECTION_FAILED',
    `${node.host}:${node.port} cannot be reached as an administrator: ${last instanceof Error ? last.message : String(last)}.`,
    'Is the server up? "redkeep migrate status" shows which steps were taken.',
    { cause: last },
  );
}

/** Runs work with an administrator's session of a node, and ends the session whatever happens. */
export async function asAdmin<T>(
  migration: Migration,
  node: MigrationNode,
  work: (ask: Ask) => Promise<T>,
): Promise<T> {
  const session = await openAdmin(migration, node);
  try {
    return await work(session.ask);
  } finally {
    await session.close();
  }
}

/** A login that must work: proves the new way before the old one is closed. */
export async function canLogIn(endpoint: Endpoint): Promise<boolean> {
  try {
    const session = await openSession(endpoint, sessionName);
    try {
      return String(await session.ask('PING')) === 'PONG';
    } finally {
      await session.close();
    }
  } catch {
    return false;
  }
}
