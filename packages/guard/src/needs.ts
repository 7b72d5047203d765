import { createHash } from 'node:crypto';
import { APPEND } from './audit-trail/chain.js';
import * as cacheScripts from './cache/cache-scripts.js';
import { READ, WRITE } from './encryption/encrypted-hash.js';
import { SWAP } from './encryption/key-store.js';
import { REPLACE } from './encryption/reencrypt.js';
import { BEGIN_ONCE, END_ONCE } from './idempotency/idempotency.js';
import { COUNT as VALUE_COUNT } from './keyspace/value-scripts.js';
import { GUARDED_SET, RELEASE, RENEW } from './lock/lock.js';
import { ACQUIRE } from './lock/locks.js';
import { TAKE_PLACE } from './lock/semaphores.js';
import * as loginScripts from './login/login-scripts.js';
import { anyText, argument, list, oneOf } from './options.js';
import * as limitScripts from './rate-limit/limit-scripts.js';
import { Script } from './redis/script.js';
import * as sessionScripts from './session/session-scripts.js';
import { ADD_KEY, INDEX_KEY, NOTE_USE } from './tokens/api-keys.js';
import { REVOKE_BEFORE } from './tokens/token-denylist.js';
import * as tokenScripts from './tokens/token-scripts.js';

/*
 * What each component needs of an ACL user: the one place that says so. `aclLines`, the command validator and
 * `redkeep init` read it. Redis checks a command inside a script or function against the user's rules, too, so
 * `commands` lists those beside what the component sends itself.
 */

/** A component whose needs are known; `values` are the views of key spaces. */
export const guardComponentNames = [
  'values',
  'sessions',
  'limits',
  'locks',
  'cache',
  'audit',
  'auditor',
  'keys',
  'login',
  'tokens',
  'denylist',
  'refreshTokens',
  'apiKeys',
  'idempotency',
  'semaphores',
] as const;
export type GuardComponentName = (typeof guardComponentNames)[number];

/** What one component needs. */
export interface GuardNeed {
  /** One sentence, for people who read the deployment's answers. */
  readonly purpose: string;
  /** Prefix of its keys unless the application gives another. */
  readonly prefix: string;
  /** Commands, in lower case, as ACL rules name them (`xgroup|create`); sent by itself or called by its scripts. */
  readonly commands: readonly string[];
  /** Its scripts; not empty: it needs FCALL, or EVAL and EVALSHA where the function library is not loaded. */
  readonly scripts: readonly Script[];
  /** Pub/sub channels. */
  readonly channels: readonly string[];
}

const words = (text: string): readonly string[] => text.split(' ');
const scriptsOf = (module: object): readonly Script[] =>
  Object.values(module).filter((value): value is Script => value instanceof Script);

/** The table. */
export const guardNeeds: Readonly<Record<GuardComponentName, GuardNeed>> = {
  values: {
    purpose: 'Views of key spaces, encrypted hashes and re-encryption.',
    prefix: 'app:',
    commands: words('get mget set getdel del exists pexpire pttl incrby hget hgetall hkeys hset type scan'),
    scripts: [VALUE_COUNT, READ, WRITE, REPLACE],
    channels: [],
  },
  sessions: {
    purpose: 'Sessions and the stores for express-session and @fastify/session.',
    prefix: 'sess:',
    commands: words('hget hmget hset hdel del pexpire zadd zrem zrange zscore zremrangebyscore time scan'),
    scripts: scriptsOf(sessionScripts),
    channels: [],
  },
  limits: {
    purpose: 'Rate limits.',
    prefix: 'limit:',
    commands: words('get set del incrby hmget hset pexpire pttl time'),
    scripts: scriptsOf(limitScripts),
    channels: [],
  },
  locks: {
    purpose: 'Locks with fencing tokens.',
    prefix: 'lock:',
    commands: words('get set del pexpire pttl lpush ltrim blpop time'),
    scripts: [ACQUIRE, RENEW, RELEASE, GUARDED_SET],
    channels: [],
  },
  cache: {
    purpose: 'The cache.',
    prefix: 'cache:',
    commands: words('get set del'),
    scripts: scriptsOf(cacheScripts),
    channels: [],
  },
  audit: {
    purpose: 'Writes an audit trail and can neither delete nor trim it.',
    prefix: 'audit:',
    commands: words('hmget hset xadd xrange xrevrange'),
    scripts: [APPEND],
    channels: [],
  },
  auditor: {
    purpose: 'Verifies, exports and trims an audit trail.',
    prefix: 'audit:',
    commands: words('hmget xrange xtrim'),
    scripts: [],
    channels: [],
  },
  keys: {
    purpose: 'Keeps wrapped data keys and the keys of persons; announces erasures.',
    prefix: 'redkeep:keys:',
    commands: words('get set scan role time publish subscribe unsubscribe'),
    scripts: [SWAP],
    channels: ['redkeep:erased'],
  },
  login: {
    purpose: 'The login throttle.',
    prefix: 'login:',
    commands: words('hget hmget hset del pexpire time'),
    scripts: scriptsOf(loginScripts),
    channels: [],
  },
  tokens: {
    purpose: 'One-time tokens and codes.',
    prefix: 'token:',
    commands: words('hmget hset hdel pexpire time'),
    scripts: [tokenScripts.ISSUE, tokenScripts.REDEEM],
    channels: [],
  },
  denylist: {
    purpose: 'Revoked tokens.',
    prefix: 'deny:',
    commands: words('get set exists'),
    scripts: [REVOKE_BEFORE],
    channels: [],
  },
  refreshTokens: {
    purpose: 'Families of refresh tokens.',
    prefix: 'refresh:',
    commands: words('hget hmget hset del exists pexpire pttl zadd zrem zrange zremrangebyscore time'),
    scripts: [tokenScripts.REFRESH, tokenScripts.START_FAMILY, tokenScripts.END_FAMILY, tokenScripts.ADD_FAMILY],
    channels: [],
  },
  apiKeys: {
    purpose: 'API keys.',
    prefix: 'apikey:',
    commands: words('hmget hset del pexpire pttl sadd srem smembers'),
    scripts: [ADD_KEY, INDEX_KEY, NOTE_USE],
    channels: [],
  },
  idempotency: {
    purpose: 'Idempotency keys and their answers.',
    prefix: 'idem:',
    commands: words('hmget hset del pexpire'),
    scripts: [BEGIN_ONCE, END_ONCE],
    channels: [],
  },
  semaphores: {
    purpose: 'Semaphores.',
    prefix: 'sem:',
    commands: words('zadd zrem zcard zcount zscore zrevrange zremrangebyscore pexpire time'),
    scripts: [TAKE_PLACE],
    channels: [],
  },
};

function needsOf(component: GuardComponentName): (typeof guardNeeds)[GuardComponentName] {
  return guardNeeds[argument(component, 'component', oneOf(...guardComponentNames))];
}

/** ACL pattern of a component's keys. A trail's keys share a hash tag, so that one script may touch them. */
export function guardKeyPattern(component: GuardComponentName, prefix = needsOf(component).prefix): string {
  argument(prefix, 'prefix', anyText);
  return `${component === 'audit' || component === 'auditor' ? `{${prefix.slice(0, -1)}}:` : prefix}*`;
}

/** How scripts reach the server: as functions of a library, or by EVAL and EVALSHA. */
export type ScriptWay = 'functions' | 'scripts';

/** All commands a component's user needs, those that run its scripts included. */
export function guardCommands(component: GuardComponentName, way: ScriptWay): readonly string[] {
  const { commands, scripts } = needsOf(component);
  if (scripts.length === 0) return commands;
  return [...commands, ...(way === 'functions' ? ['fcall'] : ['eval', 'evalsha'])];
}

/** A library for FUNCTION LOAD (Redis 7.0, Valkey). */
export interface GuardLibrary {
  /** Name with the start of its digest: libraries of two versions can be loaded side by side during a roll-out. */
  readonly name: string;
  readonly code: string;
  readonly functions: readonly string[];
}

/**
 * The functions of the components given (default: all). An administrator loads it with FUNCTION LOAD REPLACE on
 * every primary; the components find it by themselves and fall back to EVALSHA where it is missing.
 */
export function guardLibrary(components: readonly GuardComponentName[] = guardComponentNames): GuardLibrary {
  const scripts = [
    ...new Set(argument(components, 'components', list(anyText)).flatMap((component) => needsOf(component).scripts)),
  ];
  const body = scripts
    .map(
      ({ functionName, source }) => `redis.register_function('${functionName}', function(KEYS, ARGV)\n${source}\nend)`,
    )
    .join('\n');
  const name = `redkeep_guard_${createHash('sha256').update(body).digest('hex').slice(0, 8)}`;
  return {
    name,
    code: `#!lua name=${name}\n${body}\n`,
    functions: scripts.map(({ functionName }) => functionName),
  };
}
