import { DANGEROUS_COMMANDS } from 'redkeep';
import { componentCommands } from '../deployment/components.js';
import type { DeploymentNode, User } from '../deployment/model.js';
import { type Engine, knows, type Since } from '../vocabulary/engines.js';
import type { RoleName } from '../vocabulary/names.js';

/** A command a user must be able, or must not be able, to run. */
export interface Expectation {
  readonly command: readonly string[];
  readonly allowed: boolean;
  /** Of a command that must not be allowed: what it could do. */
  readonly harm?: string;
}

const redis7: Since = { redis: '7.0', valkey: '7.2' };
const since: Readonly<Record<string, Since>> = { FUNCTION: redis7, FCALL: redis7, 'ACL DRYRUN': redis7 };

/**
 * The arguments with which commands of `DANGEROUS_COMMANDS` are tried; the table says why nobody but an administrator may
 * run them. `backup` and `replication` have PSYNC, auditors read settings.
 */
const triedWith: Readonly<Record<string, string>> = {
  FLUSHALL: '',
  FLUSHDB: '',
  SWAPDB: '0 1',
  'CONFIG SET': 'maxmemory 1',
  'CONFIG GET': 'maxmemory',
  DEBUG: 'SLEEP 0',
  'MODULE LOAD': 'x',
  EVAL: 'return 0',
  'SCRIPT FLUSH': '',
  'FUNCTION LOAD': 'x',
  'FUNCTION FLUSH': '',
  FCALL: 'f 0',
  REPLICAOF: 'NO ONE',
  SYNC: '',
  PSYNC: '? -1',
  MONITOR: '',
  'CLIENT KILL': 'ID 1',
  'CLIENT PAUSE': '1',
  'ACL SETUSER': 'x',
  'ACL LIST': '',
  SAVE: '',
  BGREWRITEAOF: '',
  SHUTDOWN: '',
  KEYS: '*',
  SCAN: '0',
  RANDOMKEY: '',
};

/** Calls of the commands that the table of dangerous commands has, with the harm of each. */
const dangerous = [...DANGEROUS_COMMANDS.values()].flatMap(({ name, harm }) => {
  const given = triedWith[name];
  return given === undefined ? [] : [{ command: `${name} ${given}`.trim().split(' '), harm }];
});

/** What a role has of the list above. */
const exceptions: Partial<Record<RoleName, readonly string[]>> = {
  backup: ['PSYNC'],
  replication: ['PSYNC'],
  sentinel: ['REPLICAOF', 'CLIENT KILL'],
  auditor: ['CONFIG GET', 'ACL LIST'],
};

const ownCommands: Readonly<Record<RoleName, readonly (readonly string[])[]>> = {
  admin: dangerous.map(({ command }) => command),
  application: [],
  'read-only': [],
  'session-store': [],
  monitoring: [['PING'], ['INFO'], ['ACL', 'LOG'], ['CLIENT', 'LIST'], ['SLOWLOG', 'LEN'], ['LATENCY', 'LATEST']],
  backup: [['PING'], ['REPLCONF', 'x', 'y']],
  replication: [['PING'], ['REPLCONF', 'x', 'y']],
  sentinel: [['PING'], ['INFO'], ['SUBSCRIBE', '__sentinel__:hello'], ['CONFIG', 'REWRITE'], ['MULTI']],
  auditor: [['PING'], ['INFO'], ['ACL', 'GETUSER', 'x'], ['ACL', 'DRYRUN', 'x', 'PING'], ['CLIENT', 'LIST']],
};

const discoverers: readonly RoleName[] = ['application', 'read-only', 'session-store', 'monitoring', 'auditor'];

const onSentinel: readonly (readonly [command: readonly string[], who: readonly RoleName[] | 'all'])[] = [
  [['PING'], 'all'],
  [['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'primary'], discoverers],
  [['SUBSCRIBE', '+switch-master'], discoverers],
  [
    ['SENTINEL', 'CKQUORUM', 'primary'],
    ['monitoring', 'auditor'],
  ],
  [['SENTINEL', 'IS-MASTER-DOWN-BY-ADDR', '127.0.0.1', '1', '0', '*'], ['sentinel']],
  [['SENTINEL', 'FAILOVER', 'primary'], []],
  [['SENTINEL', 'SET', 'primary', 'quorum', '1'], []],
  [['SENTINEL', 'RESET', '*'], []],
  [['SENTINEL', 'REMOVE', 'primary'], []],
  [['SENTINEL', 'MONITOR', 'x', '127.0.0.1', '1', '1'], []],
  [['ACL', 'SETUSER', 'x'], []],
  [['SHUTDOWN'], []],
];

/** Users that a sentinel does not have: nobody copies it. */
const notOnSentinel: readonly RoleName[] = ['replication', 'backup'];

/** What must come of commands to a sentinel: it decides where clients connect, and which primary the servers follow. */
function sentinelExpectations({ role }: User): Expectation[] {
  if (notOnSentinel.includes(role)) return [];
  return onSentinel.map(([command, who]) => ({
    command,
    allowed: role === 'admin' || who === 'all' || who.includes(role),
  }));
}

/** Every command that is tried for a user on a node, with what must come of it. */
export function expectationsFor(user: User, node: DeploymentNode, engine: Engine): Expectation[] {
  if (node.role === 'sentinel') return sentinelExpectations(user);
  const known = (command: readonly string[]) =>
    knows(
      engine,
      since[command.slice(0, 2).join(' ')] ?? since[command[0]!] ?? { redis: '6.2', valkey: '7.2', dragonfly: '1.0' },
    );
  const expectations = [
    ...ownCommands[user.role].map((command) => ({ command, allowed: true })),
    ...(user.role === 'admin' ? [] : deniedCommands(user, engine)),
    ...keyExpectations(user),
  ];
  return expectations.filter(({ command }) => known(command));
}

function deniedCommands(user: User, engine: Engine): Expectation[] {
  const granted = new Set([
    ...(exceptions[user.role] ?? []),
    ...[...grantedByName(user), ...componentCommands(user, engine)].map((command) =>
      command.toUpperCase().replace('|', ' '),
    ),
  ]);
  const isGranted = ([name = '', sub = '']: readonly string[]) => granted.has(name) || granted.has(`${name} ${sub}`);
  const scripting = grantedByName(user).some((command) => command.startsWith('@'));
  return dangerous
    .filter(({ command }) => !isGranted(command) && !scripting)
    .map((call) => ({ ...call, allowed: false }));
}

function grantedByName({ extraCommands, onlyCommands = [] }: User): readonly string[] {
  return [...extraCommands, ...onlyCommands];
}

function keyExpectations(user: User): Expectation[] {
  const may = (command: string) => user.onlyCommands === undefined || grantedByName(user).includes(command);
  const writes = user.role === 'application' || user.role === 'session-store';
  const reads = writes || user.role === 'read-only' || user.role === 'admin';
  const foreign = 'redkeep-foreign-key';
  const everyKey = user.role === 'admin' || user.keys.some((pattern) => pattern === '*');
  const own = user.keys.map((pattern) => pattern.replace(/\*/g, 'x').replace(/\?/g, 'x')).filter(isLiteral);
  return [
    ...own.flatMap((key) => [
      { command: ['GET', key], allowed: reads && may('get') },
      { command: ['SET', key, 'v'], allowed: writes && may('set') },
      { command: ['DEL', key], allowed: writes && may('del') },
    ]),
    { command: ['GET', foreign], allowed: everyKey && reads && may('get') },
    { command: ['SET', foreign, 'v'], allowed: user.role === 'admin' || (everyKey && writes && may('set')) },
  ];
}

/** A pattern with classes or escapes gives no example key by itself. */
function isLiteral(key: string): boolean {
  return !/[[\]\\]/.test(key);
}
