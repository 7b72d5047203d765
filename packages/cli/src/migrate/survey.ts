import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { isLoopback } from 'redkeep';
import { type Ask, readInfo, record } from '../audit/gather/live.js';
import { CliError } from '../errors.js';
import { versionAtLeast } from '../vocabulary/engines.js';
import type { MigrationNode } from './migration.js';

/** Settings that a migration changes, and so has to be able to put back. */
const changed = [
  'port',
  'tls-port',
  'tls-cert-file',
  'tls-key-file',
  'tls-ca-cert-file',
  'tls-auth-clients',
  'tls-replication',
  'protected-mode',
  'masteruser',
  'requirepass',
] as const;

export interface NodeSurvey {
  readonly node: Omit<MigrationNode, 'tlsPort'>;
  readonly engine: string;
  readonly version: string;
  readonly info: Readonly<Record<string, string>>;
  /** Commands that were run since the start, lower case, `config|get` form. */
  readonly commands: readonly string[];
  /** Why this server cannot be migrated by this tool. */
  readonly blockers: readonly string[];
  readonly warnings: readonly string[];
}

function refusal(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Looks at one server, changes nothing. */
export async function surveyNode(ask: Ask, host: string, port: number, serverFolder?: string): Promise<NodeSurvey> {
  const blockers: string[] = [];
  const warnings: string[] = [];
  const info = await readInfo(ask);
  const version = info['valkey_version'] ?? info['redis_version'] ?? '0';
  const engine = info['valkey_version'] ? 'valkey' : info['dragonfly_version'] ? 'dragonfly' : 'redis';
  if (engine === 'dragonfly') blockers.push('Dragonfly cannot turn TLS on beside a plaintext port while it runs');
  if (engine === 'redis' && !versionAtLeast(version, '6.2'))
    blockers.push(
      `Redis ${version} has no users or no way to change TLS while it runs: put stunnel in front and upgrade`,
    );
  if (info['cluster_enabled'] === '1')
    blockers.push(
      'cluster nodes need one restart each for tls-cluster: make a new cluster with "redkeep init" and move the data',
    );
  if (info['redis_mode'] === 'sentinel') blockers.push('this is a Sentinel, not a data server');

  let settings: Record<string, string> = {};
  try {
    for (const name of changed) settings = { ...settings, ...record(await ask('CONFIG', 'GET', name)) };
  } catch (error) {
    blockers.push(`CONFIG cannot be used (${refusal(error)}): a managed service, a renamed command or a narrow user`);
  }
  if (blockers.length === 0 && settings['tls-port'] === undefined) blockers.push('the server is built without TLS');
  const acl = await ask('ACL', 'LIST').then(
    (lines) => (Array.isArray(lines) ? lines.map(String) : []),
    (error: unknown) => {
      blockers.push(`ACL cannot be used (${refusal(error)})`);
      return [];
    },
  );
  const defaultUser = acl.find((line) => line.startsWith('user default ')) ?? '';
  const configFile = info['config_file'] ?? '';
  if (configFile === '')
    warnings.push('started without a configuration file: what is changed is lost when it restarts');
  const watched = await sentinelsOf(ask);
  if (watched > 0)
    blockers.push(
      'Sentinels watch this server, and a Sentinel announces one port only: make a new set with "redkeep init --topology sentinel" and move the data',
    );
  const local = isLoopback(host) ? await localProcess(info) : undefined;
  const data = record(await ask('CONFIG', 'GET', 'dir').catch(() => []))['dir'] ?? '';
  const folder = serverFolder ?? path.join(configFile === '' ? data : path.dirname(configFile), 'redkeep-tls');
  return {
    node: {
      host,
      port,
      role: info['role'] === 'slave' ? 'replica' : 'primary',
      serverFolder: folder,
      local: local !== undefined,
      ...(local && { owner: local }),
      configFile,
      before: withoutSecrets(settings),
      defaultUser,
    },
    engine,
    version,
    info,
    commands: Object.keys(info)
      .filter((field) => field.startsWith('cmdstat_'))
      .map((field) => field.slice('cmdstat_'.length).toLowerCase()),
    blockers,
    warnings,
  };
}

/** `requirepass` is a password: only whether there is one is kept. It lives on as a hash in the default user's line. */
function withoutSecrets(settings: Readonly<Record<string, string>>): Record<string, string> {
  const { requirepass, ...others } = settings;
  return { ...others, 'has-requirepass': requirepass ? 'yes' : 'no' };
}

/** Sentinels subscribe to a channel of the servers that they watch. */
async function sentinelsOf(ask: Ask): Promise<number> {
  const reply = await ask('PUBSUB', 'NUMSUB', '__sentinel__:hello').catch(() => []);
  return Array.isArray(reply) ? Number(reply[1] ?? 0) : 0;
}

/** Owner of the server's process, when it runs on this machine. */
async function localProcess(info: Readonly<Record<string, string>>): Promise<{ uid: number; gid: number } | undefined> {
  const pid = info['process_id'] ?? '';
  if (!/^\d+$/.test(pid)) return undefined;
  const program = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  if (!/redis|valkey/.test(program)) return undefined;
  const { uid, gid } = await stat(`/proc/${pid}`);
  return { uid, gid };
}

/** Addresses of the replicas that a primary knows. */
export function replicasOf(info: Readonly<Record<string, string>>): { host: string; port: number }[] {
  return Object.entries(info)
    .filter(([field]) => /^slave\d+$/.test(field))
    .map(([, text]) => ({ host: /ip=([^,]+)/.exec(text)?.[1] ?? '', port: Number(/port=(\d+)/.exec(text)?.[1] ?? 0) }))
    .filter(({ port }) => port > 0);
}

/** Refuses what this tool cannot do, with all reasons. */
export function refuseBlocked(surveys: readonly NodeSurvey[]): void {
  const blocked = surveys.flatMap(({ node, blockers }) => blockers.map((text) => `${node.host}:${node.port}: ${text}`));
  if (blocked.length === 0) return;
  throw new CliError(
    'REDKEEP_COMBINATION_IMPOSSIBLE',
    `${blocked.join('; ')}.`,
    'docs/migrate.md says what to do by hand; nothing was changed.',
  );
}
