import { builtInCommands } from '../../acl/built-in-commands.js';
import { powersOf } from '../../acl/powers.js';
import { runnableCommands } from '../../acl/rights.js';
import { readServerCommands, type ServerCommands } from '../../acl/server-commands.js';
import { clientList } from '../../engine/client-list.js';
import { residueKeys } from '../../vocabulary/residue-keys.js';
import { type AclUser, parseAclUser, ruleSetsOf } from '../facts/acl-user.js';
import type {
  AclLogEntry,
  ClientFacts,
  ModuleFacts,
  Permissions,
  ReplicationFacts,
  SentinelFacts,
} from '../facts/facts.js';

/**
 * Runs one command on the audited server and gives its reply: strings, numbers, null, arrays, and maps as plain
 * objects, `Map` or flat arrays. Rejects with the server's error.
 */
export type Ask = (...args: readonly string[]) => Promise<unknown>;

/** Settings the checks read. Never `*`: that would bring passwords across (requirepass, masterauth, tls-key-file-pass). */
export const settingNames = [
  'bind',
  'port',
  'tls-port',
  'protected-mode',
  'unixsocket',
  'unixsocketperm',
  'cluster-enabled',
  'cluster-port',
  'aclfile',
  'acllog-max-len',
  'acl-pubsub-default',
  'tls-auth-clients',
  'tls-auth-clients-user',
  'tls-replication',
  'tls-cluster',
  'tls-protocols',
  'tls-ciphers',
  'tls-ciphersuites',
  'tls-cert-file',
  'tls-key-file',
  'tls-client-cert-file',
  'tls-ca-cert-file',
  'tls-ca-cert-dir',
  'tls-auto-reload-interval',
  'enable-debug-command',
  'enable-module-command',
  'enable-protected-configs',
  'dir',
  'dbfilename',
  'appenddirname',
  'appendfilename',
  'logfile',
  'replica-read-only',
  'masteruser',
  'maxmemory',
  'maxmemory-policy',
  'maxmemory-clients',
  'maxclients',
  'timeout',
  'tcp-keepalive',
  'client-output-buffer-limit',
  'client-query-buffer-limit',
  'proto-max-bulk-len',
  'busy-reply-threshold',
  'lua-time-limit',
  'notify-keyspace-events',
  'lua-enable-insecure-api',
  'set-proc-title',
  'loglevel',
  'syslog-enabled',
  'slowlog-log-slower-than',
  'slowlog-max-len',
  'commandlog-execution-slower-than',
  'commandlog-slow-execution-max-len',
  'latency-monitor-threshold',
  'hide-user-data-from-log',
  'save',
  'appendonly',
  'appendfsync',
  'aof-timestamp-enabled',
  'stop-writes-on-bgsave-error',
  'rdbchecksum',
  'min-replicas-to-write',
  'min-slaves-to-write',
  'sanitize-dump-payload',
  // Dragonfly's flags; others do not know them and say nothing.
  'admin_port',
  'admin_nopass',
  'admin_bind',
  'memcached_port',
  'restricted_commands',
  'tls_replication',
] as const;

/** Nested values (the functions of a library) are not asked for by any check. */
function scalar(value: unknown): string {
  return typeof value === 'object' && value !== null ? '' : String(value);
}

/** Key-value replies come as objects, Maps or flat arrays, by protocol and command. */
export function record(reply: unknown): Record<string, string> {
  if (Array.isArray(reply)) {
    const result: Record<string, string> = {};
    for (let index = 0; index + 1 < reply.length; index += 2) result[scalar(reply[index])] = scalar(reply[index + 1]);
    return result;
  }
  if (reply === null || typeof reply !== 'object') return {};
  const entries = reply instanceof Map ? [...reply] : Object.entries(reply);
  return Object.fromEntries(entries.map(([key, value]) => [scalar(key), scalar(value)]));
}

function list(reply: unknown): unknown[] {
  if (reply instanceof Set) return [...reply];
  return Array.isArray(reply) ? reply : [];
}

/** `INFO` of the sections given, as one flat record. */
export async function readInfo(ask: Ask): Promise<Record<string, string>> {
  // A sentinel of Redis 6.2 has no such section and answers with nothing.
  const text = String(await ask('INFO', 'everything')) || String(await ask('INFO'));
  return Object.fromEntries([...text.matchAll(/^([^#:\r\n]+):([^\r\n]*)/gm)].map(([, name, value]) => [name!, value!]));
}

/** One call on servers that take several names (7.0+), one call a name elsewhere. */
export async function readSettings(ask: Ask): Promise<Record<string, string>> {
  try {
    return record(await ask('CONFIG', 'GET', ...settingNames));
  } catch (error) {
    if (!(error instanceof Error) || !/wrong number of arguments|syntax/i.test(error.message)) throw error;
    const each = await Promise.all(settingNames.map((name) => ask('CONFIG', 'GET', name)));
    return Object.assign({}, ...each.map(record));
  }
}

export async function readUsers(ask: Ask): Promise<AclUser[]> {
  const lines = list(await ask('ACL', 'LIST')).map(String);
  return lines.map((line) => parseAclUser(line)).filter((user): user is AclUser => user !== undefined);
}

/** The server's own table of commands, subcommands included. */
export async function readCommands(ask: Ask): Promise<ServerCommands> {
  return readServerCommands(await ask('COMMAND'));
}

/** What each user can do, computed from the rules as the server itself computes it; no command is run for it. */
export async function permissionsOf(
  users: readonly AclUser[],
  served: ServerCommands | undefined,
): Promise<Permissions> {
  const isServed = served !== undefined && Object.keys(served).length > 0;
  const commands = isServed ? served : await builtInCommands();
  const sets = users.map((user) => [user.name, ruleSetsOf(user)] as const);
  return {
    decidedBy: isServed ? 'COMMAND' : 'built-in table',
    powers: Object.fromEntries(sets.map(([name, rules]) => [name, powersOf(rules, commands)])),
    runnable: Object.fromEntries(sets.map(([name, rules]) => [name, runnableCommands(rules, commands).length])),
  };
}

export async function readAclLog(ask: Ask): Promise<AclLogEntry[]> {
  return list(await ask('ACL', 'LOG', '128')).map((entry) => {
    const fields = record(entry);
    return {
      reason: fields['reason'] ?? '',
      username: fields['username'] ?? '',
      object: fields['object'] ?? '',
      count: Number(fields['count'] ?? 1),
      ageSeconds: Number(fields['age-seconds'] ?? 0),
    };
  });
}

export async function readClients(ask: Ask): Promise<ClientFacts[]> {
  return clientList(await ask('CLIENT', 'LIST')).map((fields) => {
    const flags = fields['flags'] ?? '';
    return {
      user: fields['user'] ?? 'default',
      address: fields['addr'] ?? '',
      localPort: Number(fields['laddr']?.match(/:(\d+)$/)?.[1] ?? 0),
      name: fields['name'] ?? '',
      ageSeconds: Number(fields['age'] ?? 0),
      idleSeconds: Number(fields['idle'] ?? 0),
      lastCommand: fields['cmd'] ?? '',
      type: flags.includes('S') ? 'replica' : flags.includes('P') ? 'pubsub' : 'normal',
    } as const;
  });
}

export async function readModules(ask: Ask): Promise<ModuleFacts[]> {
  return list(await ask('MODULE', 'LIST')).map((entry) => {
    const fields = record(entry);
    return { name: fields['name'] ?? '', path: fields['path'] ?? '' };
  });
}

export async function readLibraries(ask: Ask): Promise<string[]> {
  return list(await ask('FUNCTION', 'LIST')).map((entry) => record(entry)['library_name'] ?? '');
}

export function readReplication(info: Readonly<Record<string, string>>): ReplicationFacts {
  const replicas = Object.entries(info)
    .filter(([name]) => /^slave\d+$/.test(name))
    .map(([, value]) => {
      const fields = Object.fromEntries(value.split(',').map((field) => field.split('=') as [string, string]));
      return `${fields['ip']}:${fields['port']}`;
    });
  const primary = info['master_host'];
  return {
    ...(primary !== undefined && {
      primaryHost: primary,
      primaryPort: Number(info['master_port']),
      linkUp: info['master_link_status'] === 'up',
    }),
    replicas,
  };
}

/**
 * Counts them without reading any value; needs the right to ask for exactly these names. A node of a Cluster answers for
 * its own slots: a key that it sends elsewhere is not with it.
 */
export async function readResidue(ask: Ask): Promise<string[]> {
  const found: string[] = [];
  for (const key of residueKeys) {
    const count = await ask('EXISTS', key).catch((error: unknown) => {
      if (error instanceof Error && 'serverMessage' in error && /^MOVED /.test(String(error.serverMessage))) return 0;
      throw error;
    });
    if (Number(count) > 0) found.push(key);
  }
  return found;
}

export async function readSentinel(ask: Ask): Promise<SentinelFacts> {
  const masters = await Promise.all(
    list(await ask('SENTINEL', 'MASTERS')).map(async (entry) => {
      const fields = record(entry);
      const name = fields['name'] ?? '';
      const quorum = await ask('SENTINEL', 'CKQUORUM', name).then(String, (error: unknown) =>
        error instanceof Error ? error.message : String(error),
      );
      const others = await Promise.all(
        ['REPLICAS', 'SENTINELS'].map(async (kind) => list(await ask('SENTINEL', kind, name)).map(record)),
      );
      const members = [fields, ...others.flat()].map((one) => ({ host: one['ip'] ?? '', port: Number(one['port']) }));
      const down = others
        .flat()
        .flatMap((one) => (/\b[so]_down\b/.test(one['flags'] ?? '') ? [one['name'] ?? ''] : []));
      return { name, down, sentinels: Number(fields['num-other-sentinels'] ?? 0) + 1, quorum, members };
    }),
  );
  return { masters };
}

/** Share of keys without an expiry, by the prefix before the first colon, over at most `limit` keys that SCAN meets. */
export async function sampleKeys(ask: Ask, limit: number): Promise<Record<string, number>> {
  const counts = new Map<string, { all: number; lasting: number }>();
  let cursor = '0';
  let seen = 0;
  do {
    const [next, keys] = list(await ask('SCAN', cursor, 'COUNT', '100')) as [unknown, unknown];
    cursor = String(next);
    const names = list(keys)
      .map(String)
      .slice(0, limit - seen);
    seen += names.length;
    const expiries = await Promise.all(names.map((name) => ask('PTTL', name)));
    for (const [index, name] of names.entries()) {
      const prefix = name.split(':')[0]!;
      const count = counts.get(prefix) ?? { all: 0, lasting: 0 };
      counts.set(prefix, { all: count.all + 1, lasting: count.lasting + (Number(expiries[index]) === -1 ? 1 : 0) });
    }
  } while (cursor !== '0' && seen < limit);
  return Object.fromEntries([...counts].map(([prefix, { all, lasting }]) => [prefix, lasting / all]));
}
