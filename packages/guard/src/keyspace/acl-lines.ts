import { GuardError } from '../errors.js';
import { type GuardComponentName, guardCommands, guardNeeds, type ScriptWay } from '../needs.js';

/** What works with the keys of a space, and so which commands its ACL user needs. */
export type KeyspaceUse = Exclude<GuardComponentName, 'auditor'> | 'lists' | 'streams';

/** What of a key space its ACL lines are made of. */
export interface AclSpace {
  readonly prefix: string;
  readonly database?: number;
  readonly use?: KeyspaceUse;
  readonly user?: string;
  readonly auditor?: string;
  readonly guards?: readonly string[];
}

/** How the lines of {@link Keyspaces.aclLines} are made. */
export interface AclLineOptions {
  /** Adds what clients of a cluster ask a node for. */
  readonly cluster?: boolean;
  /** The library of `guardLibrary` is loaded: users get FCALL instead of EVAL and EVALSHA. */
  readonly functions?: boolean;
}

/** Of the application itself. */
const QUEUES: Readonly<Record<'lists' | 'streams', string>> = {
  lists: 'lpush rpush lpop rpop blpop brpop lmove blmove llen lrange lrem ltrim del exists pexpire pttl',
  streams:
    'xadd xread xreadgroup xack xautoclaim xclaim xpending xlen xrange xdel xtrim xgroup|create del exists pexpire',
};

function commandsOf(use: KeyspaceUse | 'auditor', way: ScriptWay): string {
  return use === 'lists' || use === 'streams' ? QUEUES[use] : guardCommands(use, way).join(' ');
}

/** What a connection sends for itself. */
const CONNECTION = 'ping hello select client|setname client|id';
const CLUSTER = 'cluster|slots cluster|shards cluster|nodes cluster|myid readonly asking';

interface Right {
  readonly pattern: string;
  readonly commands: string;
  readonly channels: readonly string[];
}

/**
 * One line for each user. A user whose spaces need unlike commands gets a selector for each (Redis 7.0, Valkey), so
 * that what it may do with one space it may not do with another.
 */
export function aclLines(spaces: readonly AclSpace[], options: AclLineOptions): string[] {
  const rights = new Map<string, Right[]>();
  const grant = (user: string | undefined, right: Right) => {
    if (user === undefined) return;
    if (!/^[\w.-]+$/.test(user)) throw new GuardError('REDKEEP_GUARD_OPTION', 'user');
    rights.set(user, [...(rights.get(user) ?? []), right]);
  };
  const way = options.functions === true ? 'functions' : 'scripts';
  for (const { prefix, use = 'values', user, auditor, guards = [] } of spaces) {
    // A script that touches keys of two spaces needs both in one set of rules.
    const pattern = [keyPrefix({ prefix, use }), ...guards].map((begin) => `~${begin}*`).join(' ');
    const channels = use === 'lists' || use === 'streams' ? [] : guardNeeds[use].channels.map((name) => `&${name}`);
    grant(user, { pattern, commands: commandsOf(use, way), channels });
    grant(auditor, { pattern, commands: commandsOf('auditor', way), channels: [] });
  }
  const connection = words(options.cluster === true ? `${CONNECTION} ${CLUSTER}` : CONNECTION);
  return [...rights].map(([user, own]) => `user ${user} on resetchannels ${rulesOf(own, connection)}`);
}

/** What the keys of a space begin with in Redis. A trail's share a hash tag, so that one script may touch them. */
export function keyPrefix({ prefix, use }: Pick<AclSpace, 'prefix' | 'use'>): string {
  return use === 'audit' ? `{${prefix.slice(0, -1)}}:` : prefix;
}

function rulesOf(rights: readonly Right[], connection: string): string {
  const channels = [...new Set(rights.flatMap(({ channels }) => channels))];
  const listening = channels.length > 0 ? ` ${words('publish subscribe unsubscribe')}` : '';
  const root = `${channels.map((channel) => `${channel} `).join('')}-@all ${connection}${listening}`;
  const byCommands = new Map<string, string[]>();
  for (const { commands, pattern } of rights) byCommands.set(commands, [...(byCommands.get(commands) ?? []), pattern]);
  const parts = [...byCommands].map(([commands, patterns]) => ({
    keys: patterns.join(' '),
    commands: words(commands),
  }));
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return `${only.keys} ${root} ${only.commands}`;
  return [root, ...parts.map(({ keys, commands }) => `(${keys} -@all ${commands})`)].join(' ');
}

function words(commands: string): string {
  return commands
    .split(' ')
    .map((command) => `+${command}`)
    .join(' ');
}
