import { type Engine, knows, oldestVersions, type Since } from '../vocabulary/engines.js';
import type { RoleName, TopologyName } from '../vocabulary/names.js';
import { componentChannels, componentKeys, componentRules } from './components.js';
import type { User } from './model.js';

/** A rule, or a rule only some engines know, from a release line on and, where given, up to another. */
type Rule = string | { readonly rule: string; readonly since: Since; readonly until?: Since };

interface Role {
  /** What the role is for, in words. */
  readonly purpose: string;
  /** In order: a later rule wins, so denials stand last. */
  readonly rules: readonly Rule[];
  /** How its key patterns may be used. */
  readonly keyAccess: 'none' | 'read' | 'read-write' | 'all';
}

const everywhere: Since = oldestVersions;
const redisLike: Since = { redis: '6.2', valkey: '7.2' };
const redis7: Since = { redis: '7.0', valkey: '7.2' };
const redis72: Since = { redis: '7.2', valkey: '7.2' };

/**
 * Clients send their name and version. Redis 6.2 does not know the subcommand, but takes the rule, and without it
 * logs every connection as a violation; 7.0 refuses a rule for a subcommand that it does not have.
 */
const clientInfo: readonly Rule[] = [
  { rule: '+client|setinfo', since: redis72 },
  { rule: '+client|setinfo', since: { redis: '6.2' }, until: { redis: '7.0' } },
];

/** What every client library sends when it connects. */
const connectionRules: readonly Rule[] = [
  '+ping',
  '+echo',
  '+select',
  '+readonly',
  '+readwrite',
  '+client|id',
  '+client|getname',
  '+client|setname',
  ...clientInfo,
  '+client|reply',
  '+client|tracking',
  '+client|caching',
  '+client|trackinginfo',
];

/**
 * What no application role keeps. `@dangerous` holds KEYS, FLUSHALL, CONFIG, MIGRATE, RESTORE, SORT and their like,
 * but not these: SCAN, RANDOMKEY and DBSIZE show keys of others, DUMP and OBJECT serve extraction, and
 * `@write` brings FUNCTION LOAD (verified on 7.0).
 */
const denials: readonly Rule[] = [
  '-@admin',
  '-@dangerous',
  '-@scripting',
  '-scan',
  '-randomkey',
  '-dbsize',
  '-dump',
  { rule: '-object', since: redisLike },
  '-pubsub',
  { rule: '-function', since: redis7 },
  { rule: '-wait', since: redisLike },
  { rule: '-waitaof', since: redis72 },
];

const monitoringRules: readonly Rule[] = [
  '+ping',
  '+info',
  '+role',
  '+time',
  '+dbsize',
  '+lastsave',
  '+acl|whoami',
  '+acl|log',
  '+client|list',
  '+client|id',
  '+client|setname',
  ...clientInfo,
  '+module|list',
  '+slowlog|len',
  '+latency|latest',
  '+latency|histogram',
  '+memory|stats',
  '+cluster|info',
  '+cluster|nodes',
];

const auditorRules: readonly Rule[] = [
  '+exists',
  ...monitoringRules,
  '+config|get',
  '+acl|list',
  '+acl|users',
  '+acl|getuser',
  { rule: '+acl|dryrun', since: { redis: '7.0', valkey: '7.2', dragonfly: '1.0' } },
  '+acl|cat',
  '+client|info',
  { rule: '+function|list', since: redis7 },
  '+command',
  '+slowlog|get',
  '+latency|doctor',
  '+memory|doctor',
];

const dragonfly: Since = { dragonfly: '1.0' };

/**
 * An archive follows the replication stream with three commands. Dragonfly is copied by a protocol of its own and
 * backed up by snapshots; it refuses a file with commands that it does not know.
 */
const copying: readonly Rule[] = [
  '+ping',
  { rule: '+psync', since: redisLike },
  '+replconf',
  ...['+info', '+role', '+lastsave', '+bgsave', '+client|setname'].map((rule) => ({ rule, since: dragonfly })),
];

export const roles: Readonly<Record<RoleName, Role>> = {
  admin: {
    purpose: 'Administers the server. For people and for redkeep, never for an application.',
    rules: ['+@all'],
    keyAccess: 'all',
  },
  application: {
    purpose: 'Reads and writes its own key space.',
    rules: ['+@read', '+@write', '+@pubsub', '+@transaction', ...denials, ...connectionRules],
    keyAccess: 'read-write',
  },
  'read-only': {
    purpose: 'Reads its key space and changes nothing.',
    rules: ['+@read', '-@write', ...denials, ...connectionRules],
    keyAccess: 'read',
  },
  'session-store': {
    purpose: 'Keeps sessions: single keys with an expiry, nothing else.',
    rules: [
      ...['+get', '+set', '+setex', '+psetex', '+getdel', '+getex', '+mget', '+del', '+unlink', '+exists', '+expire'],
      ...['+pexpire', '+expireat', '+pexpireat', '+persist', '+ttl', '+pttl', '+strlen', '+type', '+touch'],
      ...[
        '+hget',
        '+hset',
        '+hmget',
        '+hgetall',
        '+hdel',
        '+hexists',
        '+hlen',
        '+sadd',
        '+srem',
        '+smembers',
        '+scard',
      ],
      ...['+zadd', '+zrem', '+zrange', '+zcard', '+zremrangebyscore', '+multi', '+exec', '+discard', '+watch'],
      '+unwatch',
      ...connectionRules,
    ],
    keyAccess: 'read-write',
  },
  monitoring: {
    purpose: 'Reads counters and health. Sees no key and no value.',
    rules: monitoringRules,
    keyAccess: 'none',
  },
  backup: {
    purpose: 'Takes a copy of the whole data set by replication. Reads everything, changes nothing.',
    rules: copying,
    keyAccess: 'none',
  },
  replication: {
    purpose: 'The name under which replicas log in to their primary.',
    rules: ['+ping', '+psync', '+replconf'],
    keyAccess: 'none',
  },
  sentinel: {
    purpose: 'Watches the servers and carries out a failover.',
    rules: [
      ...['+ping', '+info', '+role', '+multi', '+exec', '+publish', '+subscribe', '+slaveof', '+replicaof'],
      ...['+config|rewrite', '+client|setname', '+client|kill', '+script|kill'],
    ],
    keyAccess: 'none',
  },
  auditor: {
    purpose:
      'Reads configuration, users and health for an audit. Sees no value, no key but those attacks leave behind, changes nothing.',
    rules: auditorRules,
    // Only the names of keys that attacks leave behind, which EXISTS counts.
    keyAccess: 'read',
  },
};

const clusterRules: readonly Rule[] = [
  '+asking',
  '+cluster|slots',
  { rule: '+cluster|shards', since: redis7 },
  '+cluster|nodes',
  '+cluster|info',
  '+cluster|myid',
  '+cluster|keyslot',
];

/** The command rules of a user on an engine, in the order that the server must read them. */
export function commandRules(user: User, engine: Engine, topology: TopologyName): string[] {
  const role = roles[user.role];
  if (user.role === 'admin') return ['+@all'];
  const discovery = topology === 'cluster' && role.keyAccess !== 'none' ? clusterRules : [];
  const login = engine.name === 'dragonfly' ? dragonflyLogin : [];
  const alone = user.components && user.keys.length === 0 && !user.onlyCommands;
  const own = alone
    ? connectionRules
    : user.onlyCommands
      ? [...connectionRules, ...user.onlyCommands.map((command) => `+${command}`)]
      : role.rules;
  const rules = known([...own, ...discovery, ...login], engine)
    // Dragonfly has no rules for subcommands, and refuses a file with a rule that it does not know as a whole.
    .filter((rule) => engine.name !== 'dragonfly' || !rule.includes('|'));
  const granted = [...user.extraCommands.map((command) => `+${command}`), ...componentRules(user, engine)];
  return ['-@all', ...new Set([...rules, ...granted])];
}

function known(rules: readonly Rule[], engine: Engine): string[] {
  return rules.flatMap((rule) => {
    if (typeof rule === 'string') return knows(engine, everywhere) ? [rule] : [];
    const ended = rule.until !== undefined && knows(engine, rule.until);
    return knows(engine, rule.since) && !ended ? [rule.rule] : [];
  });
}

/** Where Redis lets everybody log in, Dragonfly asks the ACL: for AUTH it is that of the default user. */
export const dragonflyLogin = ['+auth', '+hello', '+quit'];

/** The key and channel rules of a user. Read-only key patterns exist from Redis 7.0 on; before, commands decide. */
export function scopeRules(user: User, engine: Engine): string[] {
  const { keyAccess } = roles[user.role];
  if (keyAccess === 'all') return ['~*', '&*'];
  const sign = keyAccess === 'read' && knows(engine, redis7) ? '%R~' : '~';
  return [
    'resetkeys',
    'resetchannels',
    ...user.keys.map((pattern) => `${sign}${pattern}`),
    // Without selectors the keys of components stand beside the user's own.
    ...(knows(engine, redis7) ? [] : componentKeys(user).map((pattern) => `~${pattern}`)),
    ...[...new Set([...user.channels, ...componentChannels(user)])].map((pattern) => `&${pattern}`),
  ];
}

const sentinelDiscovery = [
  ...['+ping', '+sentinel|get-master-addr-by-name', '+sentinel|sentinels', '+sentinel|replicas', '+sentinel|slaves'],
  ...['+sentinel|masters', '+sentinel|master', '+sentinel|myid', '+role', '+subscribe', '+psubscribe', '+unsubscribe'],
  ...['+punsubscribe', '+client|setname', '+client|id', '+info'],
];

/** What a user may do on a sentinel itself: applications find the primary, sentinels talk, nobody else changes it. */
export function sentinelAclRules(user: User, engine: Engine): string[] {
  if (user.role === 'admin') return ['~*', '&*', '+@all'];
  const peer = ['+sentinel|is-master-down-by-addr', '+publish', '+ping', '+info', '+subscribe', '+client|setname'];
  const dryRun = knows(engine, redis7) ? ['+acl|dryrun'] : [];
  const watcher = ['+sentinel|ckquorum', '+acl|whoami', '+acl|log', '+client|list'];
  if (user.role === 'auditor') watcher.push(...auditing, ...dryRun);
  const operator = user.role === 'auditor' || user.role === 'monitoring';
  const isPeer = user.role === 'sentinel';
  const rules = isPeer ? peer : [...sentinelDiscovery, ...known(clientInfo, engine), ...(operator ? watcher : [])];
  const channels = isPeer ? ['__sentinel__:hello'] : sentinelEvents;
  return ['resetkeys', 'resetchannels', ...channels.map((pattern) => `&${pattern}`), '-@all', ...rules];
}

/**
 * The events of a sentinel. PSUBSCRIBE is allowed only for a pattern that is listed here literally, so the patterns of
 * Redkeep, node-redis and ioredis are listed beside the two that stand for every event.
 */
const sentinelEvents = [
  ...['+*', '-*', '[-+]sdown', '[-+]odown', '+switch-master', 'switch-master', '+slave', '+slave-reconf-done'],
  ...['+sentinel', '+reboot'],
];

const auditing = ['+acl|list', '+acl|users', '+acl|getuser', '+acl|cat', '+command'];
