import type { RoleName } from '../../vocabulary/names.js';
import { type AclUser, rulesAllow } from './acl-user.js';

/** What somebody gains by being able to run the command; each group is judged by a check of its own. */
export type DangerGroup = 'general' | 'scripting' | 'restore' | 'replication' | 'config' | 'acl' | 'topology';

export interface DangerousCommand {
  /** As people write it, also its name everywhere in reports: `CONFIG SET`. */
  readonly label: string;
  /** Arguments for `ACL DRYRUN`, given a key that the user may touch. */
  readonly args: (key: string) => readonly string[];
  /** ACL categories (Redis 7.0), for servers that have no `ACL DRYRUN` and for ACL files. */
  readonly categories: readonly string[];
  readonly group: DangerGroup;
  /** What it lets its user do. */
  readonly harm: string;
}

const admin = ['@admin', '@slow', '@dangerous'];
const keyspace = ['@keyspace', '@write', '@slow', '@dangerous'];
const script = ['@slow', '@scripting'];
const connection = [...admin, '@connection'];

function command(
  text: string,
  categories: readonly string[],
  group: DangerGroup,
  harm: string,
  args?: (key: string) => readonly string[],
): DangerousCommand {
  const words = text.split(' ');
  const label = words.filter((word) => word === word.toUpperCase() && /^[A-Z]{2,}$/.test(word)).join(' ');
  return { label, args: args ?? (() => words), categories, group, harm };
}

/** The fixed list every user is tried against. */
export const dangerousCommands: readonly DangerousCommand[] = [
  command(
    'KEYS *',
    ['@keyspace', '@read', '@slow', '@dangerous'],
    'general',
    'stops the server while it walks every key',
  ),
  command('FLUSHALL', keyspace, 'general', 'deletes all data'),
  command('FLUSHDB', keyspace, 'general', 'deletes a database'),
  command(
    'SWAPDB 0 1',
    ['@keyspace', '@write', '@fast', '@dangerous'],
    'general',
    'exchanges the data of two databases',
  ),
  command('CONFIG GET x', admin, 'config', 'reads passwords that stand in the configuration'),
  command('CONFIG SET a b', admin, 'config', 'changes where and what the server writes: a way to code execution'),
  command('CONFIG REWRITE', admin, 'config', 'makes a changed configuration permanent'),
  command('DEBUG x', admin, 'general', 'crashes or inspects the server'),
  command('MODULE LOAD x', admin, 'config', 'loads native code into the server'),
  command('MODULE LIST', admin, 'general', 'shows what native code is loaded'),
  command('EVAL x 0', script, 'scripting', 'runs Lua; most of the code-execution flaws of 2024 to 2026 need it'),
  command('EVALSHA x 0', script, 'scripting', 'runs cached Lua'),
  command('FCALL f 0', script, 'scripting', 'runs library functions'),
  command('FUNCTION LOAD x', [...script, '@write'], 'scripting', 'stores Lua that others will run'),
  command('FUNCTION FLUSH', [...script, '@write'], 'scripting', 'deletes all function libraries'),
  command('SCRIPT FLUSH', script, 'scripting', 'empties the script cache of everyone'),
  command('SCRIPT LOAD x', script, 'scripting', 'stores Lua'),
  command(
    'REPLICAOF a b',
    admin,
    'topology',
    'makes the server copy another one: a rogue primary can feed it anything',
  ),
  command('FAILOVER', admin, 'topology', 'moves the primary role'),
  command('SYNC', admin, 'replication', 'copies the whole data set, whatever the key patterns say'),
  command('PSYNC ? -1', admin, 'replication', 'copies the whole data set, whatever the key patterns say'),
  command('MONITOR', admin, 'replication', 'reads every command of every client'),
  command('CLIENT LIST', connection, 'general', 'shows who is connected from where'),
  command('CLIENT KILL x', connection, 'general', 'disconnects others', () => ['CLIENT', 'KILL', '127.0.0.1:1']),
  command('CLIENT PAUSE 1', connection, 'general', 'stops all clients'),
  command('ACL SETUSER x', admin, 'acl', 'gives itself every right'),
  command('ACL LIST', admin, 'acl', 'reads all users and password hashes'),
  command('SAVE', admin, 'general', 'stops the server while it writes to disk'),
  command('BGSAVE', admin, 'general', 'forks and writes to disk at will'),
  command('BGREWRITEAOF', admin, 'general', 'forks and writes to disk at will'),
  command('SHUTDOWN', admin, 'general', 'stops the server'),
  command('MIGRATE h 1 k 0 1', keyspace, 'restore', 'sends keys and credentials to any host', (key) => [
    'MIGRATE',
    'h',
    '1',
    key,
    '0',
    '1',
  ]),
  command(
    'RESTORE k 0 x',
    keyspace,
    'restore',
    'parses attacker-made binary values: CVE-2026-25243, CVE-2026-66373',
    (key) => ['RESTORE', key, '0', 'x'],
  ),
  command(
    'SORT k',
    ['@write', '@set', '@sortedset', '@list', '@slow', '@dangerous'],
    'general',
    'reads keys outside the pattern through BY and GET',
    (key) => ['SORT', key],
  ),
  command('CLUSTER MEET h 1', admin, 'topology', 'joins a foreign node to the cluster'),
  command('SLOWLOG GET', admin, 'general', 'reads arguments of other clients'),
  command('LATENCY RESET', admin, 'general', 'erases evidence'),
  command('RANDOMKEY', ['@keyspace', '@read', '@slow'], 'general', 'reads key names outside the pattern'),
];

const observing = ['CONFIG GET', 'MODULE LIST', 'CLIENT LIST', 'ACL LIST', 'SLOWLOG GET'];

/** Commands of the list that a role exists for. */
export const commandsOfRole: Readonly<Record<RoleName, readonly string[] | 'all'>> = {
  admin: 'all',
  application: [],
  'read-only': [],
  'session-store': [],
  monitoring: observing,
  auditor: observing,
  backup: ['SYNC', 'PSYNC', 'BGSAVE'],
  replication: ['SYNC', 'PSYNC'],
  sentinel: ['REPLICAOF', 'CONFIG REWRITE', 'CLIENT KILL'],
};

/** Decides from the rules' text whether a user may run a command of the list. */
export function allowedByRules(user: AclUser, dangerous: DangerousCommand): boolean {
  return rulesAllow(user.commands, dangerous.label.toLowerCase().replace(' ', '|'), dangerous.categories);
}

/** A key the user's first pattern covers, so that a refusal speaks about the command and not about the key. */
export function keyWithin(user: AclUser): string {
  const pattern = user.keys[0]?.replace(/^%[RW]+~|^~/i, '') ?? 'k';
  return pattern.replace(/\[\^?(.)[^\]]*\]/g, '$1').replace(/[*?]/g, 'x') || 'k';
}

const roleNames: readonly [RegExp, RoleName][] = [
  [/admin|^root$|^ops|operator/, 'admin'],
  [/repl/, 'replication'],
  [/sentinel/, 'sentinel'],
  [/backup/, 'backup'],
  [/audit/, 'auditor'],
  [/monitor|exporter|metrics|prometheus|health/, 'monitoring'],
  [/session/, 'session-store'],
  [/read-?only|reader|^ro$/, 'read-only'],
];

/** The role a user has: declared, else read from its name; a user nobody describes is judged as an application. */
export function roleOf(user: string, declared: Readonly<Record<string, RoleName>>): RoleName {
  return declared[user] ?? roleNames.find(([pattern]) => pattern.test(user.toLowerCase()))?.[1] ?? 'application';
}
