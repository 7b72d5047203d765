import path from 'node:path';
import type { Endpoint } from '../audit/gather/endpoint.js';
import type { Session } from '../audit/gather/node.js';
import { CliError } from '../errors.js';
import { createPassword } from '../secrets/password.js';
import { adminUser, replicationUser } from './access.js';
import { Migration, type MigrationNode, type MigrationPlan, type MigrationUser, writeSecret } from './migration.js';
import { type NodeSurvey, refuseBlocked, replicasOf, surveyNode } from './survey.js';

export interface PlanRequest {
  readonly folder: string;
  readonly endpoint: Endpoint;
  readonly passwordFile?: string;
  /** Names of the applications' users; at least one. */
  readonly applications: readonly string[];
  /** Commands of administrators that applications are granted all the same. */
  readonly allow: readonly string[];
  readonly tlsPort?: number;
  readonly serverFolder?: string;
  readonly watchSeconds: number;
  readonly now: Date;
  readonly openSession: (endpoint: Endpoint, name?: string) => Promise<Session>;
}

/** Reading commands that servers count as dangerous, but that applications use every day. */
const ordinary = new Set(['info', 'keys', 'sort', 'sort_ro', 'role', 'client|list', 'client|info', 'latency|latest']);

/** Looks at a server and its replicas and makes a plan in a folder of its own. Changes nothing on a server. */
export async function makePlan(
  request: PlanRequest,
): Promise<{ readonly migration: Migration; readonly warnings: readonly string[] }> {
  const { endpoint, folder } = request;
  const first = await look(request, endpoint.host, endpoint.port);
  if (first.node.role === 'replica')
    throw new CliError(
      'REDKEEP_USAGE',
      `${endpoint.host}:${endpoint.port} is a replica.`,
      `Plan from its primary: redkeep migrate redis://${first.info['master_host']}:${first.info['master_port']}`,
    );
  const replicas: NodeSurvey[] = [];
  for (const { host, port } of replicasOf(first.info)) replicas.push(await look(request, host, port));
  const surveys = [first, ...replicas];
  refuseBlocked(surveys);
  const { granted, withheld } = await appRules(request, first);
  const users: MigrationUser[] = [
    user(adminUser, ['~*', '&*', '+@all']),
    ...request.applications.map((name) => user(name, granted)),
    ...(replicas.length > 0 ? [user(replicationUser, ['-@all', '+ping', '+psync', '+replconf'])] : []),
  ];
  const plan: MigrationPlan = {
    format: 1,
    createdAt: request.now.toISOString(),
    engine: first.engine,
    version: first.version,
    given: {
      ...(endpoint.username !== undefined && { user: endpoint.username }),
      ...(request.passwordFile !== undefined && { passwordFile: path.resolve(request.passwordFile) }),
    },
    nodes: surveys.map(({ node }) => withTlsPort(node, request.tlsPort)),
    users,
    withheld,
    watchSeconds: request.watchSeconds,
  };
  const migration = await Migration.create(folder, plan);
  // All passwords are on disk before a server knows one of them.
  for (const { passwordFile } of users) await writeSecret(path.join(folder, passwordFile), `${createPassword()}\n`);
  await writeSecret(path.join(folder, '.gitignore'), '*\n');
  return {
    migration,
    warnings: surveys.flatMap(({ node, warnings }) => warnings.map((text) => `${node.host}:${node.port}: ${text}`)),
  };
}

function user(name: string, rules: readonly string[]): MigrationUser {
  return { name, rules: [...rules], passwordFile: path.join('secrets', `${name}.password`) };
}

function withTlsPort(node: Omit<MigrationNode, 'tlsPort'>, wanted: number | undefined): MigrationNode {
  return { ...node, tlsPort: node.role === 'primary' && wanted !== undefined ? wanted : node.port + 1000 };
}

async function look(request: PlanRequest, host: string, port: number): Promise<NodeSurvey> {
  const session = await request.openSession({ ...request.endpoint, host, port }, 'redkeep-migrate');
  try {
    return await surveyNode(session.ask, host, port, request.serverFolder);
  } finally {
    await session.close();
  }
}

/**
 * What applications may do from now on: everything that does not belong to administrators, and what they were seen to
 * run of the rest when it only reads. What else was seen is listed: somebody has to decide about it.
 */
async function appRules(
  request: PlanRequest,
  { commands }: NodeSurvey,
): Promise<{ granted: string[]; withheld: string[] }> {
  const session = await request.openSession(request.endpoint, 'redkeep-migrate');
  try {
    const closed = new Set<string>();
    for (const category of ['admin', 'dangerous']) {
      const names = await session.ask('ACL', 'CAT', category);
      if (Array.isArray(names)) for (const name of names) closed.add(String(name));
    }
    const seen = commands.filter((name) => closed.has(name));
    const allowed = request.allow.map((name) => name.toLowerCase().replace(' ', '|'));
    const extra = new Set([...seen.filter((name) => ordinary.has(name)), ...allowed]);
    return {
      granted: ['~*', '&*', '+@all', '-@admin', '-@dangerous', ...[...extra].sort().map((name) => `+${name}`)],
      withheld: seen.filter((name) => !extra.has(name)).sort(),
    };
  } finally {
    await session.close();
  }
}
