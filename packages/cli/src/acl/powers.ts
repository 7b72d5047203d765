import { DANGEROUS_COMMANDS, type DangerGroup } from 'redkeep';
import type { RoleName } from '../vocabulary/names.js';
import { type RuleSet, runnableCommands } from './rights.js';
import type { ServerCommand, ServerCommands } from './server-commands.js';

/** What somebody can do with a command, in the words of reports: "app can …". */
export const powers = {
  'read-data': "read other users' data",
  'destroy-data': 'destroy data whatever its key patterns are',
  'change-configuration': 'read or change the configuration',
  'load-code': 'run code inside the server',
  replicate: 'become or feed a replica',
  'change-users': 'read or change credentials',
  'erase-evidence': 'erase evidence',
  'stop-service': 'stop or block the service',
  administer: 'administer the server in a way that no table describes',
} as const;
export type Power = keyof typeof powers;

/** A command that gives a power, as a user of one server can run it. */
export interface PowerCommand {
  /** Upper case, subcommand after a space: `CONFIG SET`. */
  readonly name: string;
  readonly power: Power;
  /** Which check judges it. */
  readonly group: DangerGroup;
  readonly harm: string;
}

const powerOfGroup: Readonly<Record<DangerGroup, Power>> = {
  general: 'stop-service',
  scripting: 'load-code',
  restore: 'load-code',
  replication: 'replicate',
  config: 'change-configuration',
  acl: 'change-users',
  topology: 'replicate',
};

/** Where a command gives another power than the rest of its group. */
const powerOfCommand: Readonly<Record<string, Power>> = {
  ...Object.fromEntries(
    ['FLUSHALL', 'FLUSHDB', 'SWAPDB', 'FT.DROPINDEX', 'SCRIPT FLUSH', 'FUNCTION FLUSH', 'FUNCTION DELETE'].map(
      (name) => [name, 'destroy-data'],
    ),
  ),
  ...Object.fromEntries(
    ['MONITOR', 'MIGRATE', 'SCAN', 'RANDOMKEY', 'SORT', 'SORT_RO', 'SLOWLOG GET', 'COMMANDLOG GET', 'CLIENT LIST'].map(
      (name) => [name, 'read-data'],
    ),
  ),
  ...Object.fromEntries(
    ['LATENCY RESET', 'SLOWLOG RESET', 'COMMANDLOG RESET', 'CONFIG RESETSTAT'].map((name) => [name, 'erase-evidence']),
  ),
  ...Object.fromEntries(
    ['SCRIPT KILL', 'FUNCTION KILL', 'SCRIPT DEBUG', 'SENTINEL SIMULATE-FAILURE'].map((name) => [name, 'stop-service']),
  ),
  ...Object.fromEntries(['MODULE LOAD', 'MODULE LOADEX', 'MODULE UNLOAD'].map((name) => [name, 'load-code'])),
  'CONFIG GET': 'change-users',
  'MODULE LIST': 'change-configuration',
  'CLUSTER FLUSHSLOT': 'destroy-data',
  'CLUSTER SYNCSLOTS': 'read-data',
};

/** Judged by audits beside the client's table: the client has no reason to refuse them. */
const further: Readonly<Record<string, { readonly group: DangerGroup; readonly power: Power; readonly harm: string }>> =
  {
    EVAL_RO: { group: 'scripting', power: 'load-code', harm: 'runs Lua' },
    EVALSHA_RO: { group: 'scripting', power: 'load-code', harm: 'runs cached Lua' },
    FCALL_RO: { group: 'scripting', power: 'load-code', harm: 'runs library functions' },
    'FUNCTION DUMP': { group: 'scripting', power: 'read-data', harm: 'reads the code of every library' },
    SORT_RO: {
      group: 'general',
      power: 'read-data',
      harm: 'reads keys outside the key patterns of the user through BY and GET',
    },
    'COMMANDLOG GET': { group: 'general', power: 'read-data', harm: 'reads arguments of other clients' },
    'CLUSTER GETKEYSINSLOT': {
      group: 'general',
      power: 'read-data',
      harm: 'reads key names outside the key patterns of the user',
    },
    'CLIENT UNBLOCK': { group: 'general', power: 'stop-service', harm: 'ends blocking commands of others' },
    'CLIENT UNPAUSE': { group: 'general', power: 'stop-service', harm: 'ends a pause that an administrator made' },
    'SENTINEL CONFIG': {
      group: 'config',
      power: 'change-configuration',
      harm: 'reads and changes how Sentinel logs in and announces itself',
    },
    'ACL GETUSER': { group: 'acl', power: 'change-users', harm: 'reads rules and password hashes' },
    'ACL LOG': {
      group: 'acl',
      power: 'erase-evidence',
      harm: 'reads and, with RESET, erases the log of denied commands',
    },
  };

/** In @admin, @dangerous or @scripting, and harmless to others: counters, states, lists of names, help. */
const harmless = new Set([
  ...[
    'info',
    'role',
    'lastsave',
    'acl|users',
    'acl|dryrun',
    'acl|help',
    'slowlog|len',
    'slowlog|help',
    'commandlog|len',
  ],
  ...['latency|doctor', 'latency|graph', 'latency|histogram', 'latency|history', 'latency|latest', 'latency|help'],
  ...['cluster|count-failure-reports', 'cluster|getslotmigrations', 'cluster|replicas', 'cluster|slaves'],
  ...['function|help', 'function|list', 'function|stats', 'script|exists', 'script|help', 'script|show'],
  ...['module|help', 'commandlog|help', 'config|help', 'hotkeys|get', 'hotkeys|help'],
  ...['sentinel|masters', 'sentinel|master', 'sentinel|primaries', 'sentinel|primary', 'sentinel|replicas'],
  ...['sentinel|slaves', 'sentinel|sentinels', 'sentinel|ckquorum', 'sentinel|get-master-addr-by-name'],
  ...['sentinel|get-primary-addr-by-name', 'sentinel|myid', 'sentinel|info-cache', 'sentinel|is-master-down-by-addr'],
  ...['sentinel|is-primary-down-by-addr', 'sentinel|pending-scripts', 'sentinel|help'],
]);

/** The power of a command by the tables or, where none knows it, by its ACL categories; undefined where it has none. */
export function powerOf(name: string, { categories, container }: ServerCommand): PowerCommand | undefined {
  if (container) return undefined;
  const upper = name.toUpperCase().replace('|', ' ');
  const known = DANGEROUS_COMMANDS.get(upper);
  if (known) {
    return {
      name: upper,
      power: powerOfCommand[upper] ?? powerOfGroup[known.group],
      group: known.group,
      harm: known.harm,
    };
  }
  const other = further[upper];
  if (other) return { name: upper, ...other };
  if (harmless.has(name)) return undefined;
  const telling = categories.filter((category) => ['@admin', '@dangerous', '@scripting'].includes(category));
  if (telling.length === 0) return undefined;
  const isCode = telling.includes('@scripting');
  return {
    name: upper,
    power: isCode ? 'load-code' : 'administer',
    group: isCode ? 'scripting' : 'general',
    harm: `is in ${telling.join(' and ')}, and no table says what it does`,
  };
}

/** Commands with a power of which a user can make some call, by its own rules or by a selector; sorted by name. */
export function powersOf(sets: readonly RuleSet[], commands: ServerCommands): PowerCommand[] {
  return runnableCommands(sets, commands)
    .flatMap((name) => powerOf(name, commands[name]!) ?? [])
    .sort((left, right) => left.name.localeCompare(right.name));
}

/**
 * The shortest call that shows the power: the command's words, keys that the user may use, and `x` for the rest.
 * Undefined where no such call can be made.
 */
export function exampleCall(name: string, command: ServerCommand, key: string): string {
  const words = name.toUpperCase().split('|');
  const keys = command.keys.filter((use) => !use.optional).map(() => key);
  const rest = Math.max(0, command.arity - words.length - keys.length);
  return [...words, ...keys, ...Array.from({ length: rest }, () => 'x')].join(' ');
}

const observing = [
  ...[
    'CONFIG GET',
    'MODULE LIST',
    'CLIENT LIST',
    'ACL LIST',
    'ACL GETUSER',
    'ACL LOG',
    'SLOWLOG GET',
    'COMMANDLOG GET',
  ],
];

/** Commands with a power that a role exists for. */
export const commandsOfRole: Readonly<Record<RoleName, readonly string[] | 'all'>> = {
  admin: 'all',
  application: [],
  'read-only': [],
  'session-store': [],
  monitoring: observing,
  auditor: observing,
  backup: ['SYNC', 'PSYNC', 'REPLCONF', 'BGSAVE'],
  replication: ['SYNC', 'PSYNC', 'REPLCONF'],
  sentinel: ['REPLICAOF', 'SLAVEOF', 'CONFIG REWRITE', 'CLIENT KILL', 'SCRIPT KILL'],
};

/** `CONFIG SET` as an ACL rule: `config|set`. */
export function aclRuleOf(name: string): string {
  return name.toLowerCase().replace(' ', '|');
}
