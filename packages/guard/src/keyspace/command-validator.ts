import type { CommandValidator, ValidatedCommand } from 'redkeep';
import { isSealed } from '../encryption/sealed-format.js';
import { GuardError } from '../errors.js';
import { GUARDED_SET } from '../lock/lock.js';
import { guardNeeds } from '../needs.js';
import type { Script } from '../redis/script.js';
import { type KeyspaceUse, keyPrefix } from './acl-lines.js';

/** What of a key space raw commands are checked against. */
interface CheckedSpace {
  readonly prefix: string;
  /** The keys of a trail stand under a hash tag, `{audit}:`. */
  readonly use?: KeyspaceUse;
  readonly maxTtlMs?: number;
  readonly dangerouslyWithoutExpiry?: boolean;
  readonly encrypted?: boolean;
}

/** Options of {@link Keyspaces.validator}. */
export interface ValidatorOptions {
  /** Keys of no space; `refuse` by default. */
  readonly unknownKeys?: 'refuse' | 'allow';
}

/** Change what is there and never make a key. */
const MAKES_NO_KEY = new Set([
  ...[
    'DEL',
    'UNLINK',
    'GETDEL',
    'EXPIRE',
    'PEXPIRE',
    'EXPIREAT',
    'PEXPIREAT',
    'HDEL',
    'HEXPIRE',
    'HPEXPIRE',
    'HGETDEL',
  ],
  ...[
    'LPOP',
    'RPOP',
    'BLPOP',
    'BRPOP',
    'LREM',
    'LTRIM',
    'LSET',
    'LINSERT',
    'LPUSHX',
    'RPUSHX',
    'LMPOP',
    'BLMPOP',
    'SREM',
  ],
  ...['SPOP', 'ZREM', 'ZPOPMIN', 'ZPOPMAX', 'BZPOPMIN', 'BZPOPMAX', 'ZMPOP', 'BZMPOP', 'ZREMRANGEBYLEX'],
  ...['ZREMRANGEBYRANK', 'ZREMRANGEBYSCORE', 'XACK', 'XDEL', 'XTRIM', 'XCLAIM', 'XAUTOCLAIM', 'XREADGROUP', 'XACKDEL'],
]);
/** Make a hash, list, set or stream, whose expiry takes a command of its own. */
const MAKES_COLLECTION = new Set([
  ...['HSET', 'HSETNX', 'HMSET', 'HINCRBY', 'HINCRBYFLOAT', 'HSETEX', 'HGETEX', 'LPUSH', 'RPUSH', 'SADD', 'ZADD'],
  ...['ZINCRBY', 'XADD', 'XGROUP CREATE', 'XGROUP CREATECONSUMER', 'XGROUP DELCONSUMER', 'XGROUP SETID'],
  ...['XGROUP DESTROY', 'GEOADD', 'LMOVE', 'BLMOVE', 'RPOPLPUSH', 'BRPOPLPUSH', 'SMOVE'],
]);
/** Cannot work on sealed values. */
const NOT_SEALED = new Set([
  ...['APPEND', 'SETRANGE', 'GETRANGE', 'INCR', 'INCRBY', 'INCRBYFLOAT', 'DECR', 'DECRBY', 'SETBIT', 'GETBIT'],
  ...['BITCOUNT', 'BITFIELD', 'BITFIELD_RO', 'BITOP', 'BITPOS', 'SORT', 'SORT_RO', 'STRLEN', 'SUBSTR', 'LCS'],
  ...['PFADD', 'PFCOUNT', 'PFMERGE', 'HINCRBY', 'HINCRBYFLOAT', 'ZINCRBY', 'GEOADD'],
  // What is sealed opens under its own key only; what is moved in from another space may not be sealed.
  ...['LMOVE', 'BLMOVE', 'RPOPLPUSH', 'BRPOPLPUSH', 'SMOVE', 'RENAME', 'RENAMENX', 'COPY', 'RESTORE'],
]);
const every = (step: number, from: number) => (args: readonly unknown[]) =>
  args.slice(from).filter((_, at) => at % step === 0);
/** Of commands that write values: which arguments those are. */
const VALUES: Readonly<Record<string, (args: readonly unknown[]) => readonly unknown[]>> = {
  SET: (args) => [args[1]],
  GETSET: (args) => [args[1]],
  SETNX: (args) => [args[1]],
  SETEX: (args) => [args[2]],
  PSETEX: (args) => [args[2]],
  MSET: every(2, 1),
  MSETNX: every(2, 1),
  HSET: every(2, 2),
  HMSET: every(2, 2),
  HSETNX: (args) => [args[2]],
  HSETEX: (args) => every(2, args.findIndex((word) => String(word).toUpperCase() === 'FIELDS') + 3)(args),
  LPUSH: every(1, 1),
  RPUSH: every(1, 1),
  LPUSHX: every(1, 1),
  RPUSHX: every(1, 1),
  LSET: (args) => [args[2]],
  LINSERT: (args) => [args[3]],
  SADD: every(1, 1),
  ZADD: (args) => scoredMembers(args),
  XADD: (args) => streamValues(args),
};
/** ZADD key [NX | XX | GT | LT | CH | INCR …] score member [score member …] */
function scoredMembers(args: readonly unknown[]): readonly unknown[] {
  let from = 1;
  while (/^(NX|XX|GT|LT|CH|INCR)$/i.test(String(args[from]))) from++;
  return every(2, from + 1)(args);
}
/** XADD key [options] id field value [field value …]: the options are few, so values are counted from the end. */
function streamValues(args: readonly unknown[]): readonly unknown[] {
  const id = args.findIndex(
    (word, at) => at > 0 && /^(\*|\d+-(\d+|\*)|\d+)$/.test(String(word)) && (args.length - at) % 2 === 1,
  );
  return every(2, id + 2)(args);
}
const namesOf = (scripts: readonly Script[]): ReadonlySet<string> =>
  new Set(scripts.flatMap(({ sha, source, functionName }) => [sha, source, functionName]));
/** Scripts of this package; any other could do anything to any key, declared or not. */
const OWN_SCRIPTS = namesOf(Object.values(guardNeeds).flatMap(({ scripts }) => scripts));
/** By what a space is for: a script of another component would leave there what its rules forbid. */
const SCRIPTS_OF = new Map<KeyspaceUse, ReadonlySet<string>>(
  Object.entries(guardNeeds).map(([use, { scripts }]) => [use as KeyspaceUse, namesOf(scripts)]),
);
/** Holders of locks write values of other spaces. */
const SCRIPTS_ON_VALUES = namesOf([...guardNeeds.values.scripts, GUARDED_SET]);
/**
 * Name no key and reach none. Whatever else names no key is refused: SELECT leaves the spaces' database, FUNCTION LOAD
 * brings scripts, MONITOR and SLOWLOG show what others write, FT.SEARCH reads what it never names.
 */
const NAMES_NO_KEY = new Set([
  ...[
    'PING',
    'ECHO',
    'TIME',
    'INFO',
    'ROLE',
    'DBSIZE',
    'LASTSAVE',
    'LOLWUT',
    'QUIT',
    'HELLO',
    'AUTH',
    'WAIT',
    'WAITAOF',
  ],
  ...['MULTI', 'EXEC', 'DISCARD', 'UNWATCH', 'PUBLISH', 'SPUBLISH', 'READONLY', 'READWRITE', 'ASKING'],
  ...['SUBSCRIBE', 'UNSUBSCRIBE', 'PSUBSCRIBE', 'PUNSUBSCRIBE', 'SSUBSCRIBE', 'SUNSUBSCRIBE'],
  ...['PUBSUB CHANNELS', 'PUBSUB NUMPAT', 'PUBSUB NUMSUB', 'PUBSUB SHARDCHANNELS', 'PUBSUB SHARDNUMSUB'],
  ...['COMMAND', 'COMMAND COUNT', 'COMMAND DOCS', 'COMMAND GETKEYS', 'COMMAND INFO', 'COMMAND LIST', 'ACL WHOAMI'],
  ...['CLIENT ID', 'CLIENT INFO', 'CLIENT GETNAME', 'CLIENT SETNAME', 'CLIENT SETINFO', 'CLIENT NO-EVICT'],
  ...['CLIENT NO-TOUCH', 'CLIENT TRACKING', 'CLIENT TRACKINGINFO', 'CLIENT CACHING', 'CLIENT UNBLOCK'],
  ...['CLUSTER INFO', 'CLUSTER KEYSLOT', 'CLUSTER MYID', 'CLUSTER NODES', 'CLUSTER SHARDS', 'CLUSTER SLOTS'],
  ...['SCRIPT EXISTS', 'FUNCTION LIST', 'FUNCTION STATS'],
]);
const RUNS_SCRIPT = new Set(['EVAL', 'EVALSHA', 'EVAL_RO', 'EVALSHA_RO', 'FCALL', 'FCALL_RO']);
/** Milliseconds that one unit of an option or command is, and whether it counts from 1970. */
const UNITS: Readonly<Record<string, { readonly ms: number; readonly absolute: boolean }>> = {
  EX: { ms: 1000, absolute: false },
  PX: { ms: 1, absolute: false },
  EXAT: { ms: 1000, absolute: true },
  PXAT: { ms: 1, absolute: true },
  SETEX: { ms: 1000, absolute: false },
  PSETEX: { ms: 1, absolute: false },
  EXPIRE: { ms: 1000, absolute: false },
  PEXPIRE: { ms: 1, absolute: false },
  EXPIREAT: { ms: 1000, absolute: true },
  PEXPIREAT: { ms: 1, absolute: true },
};
const DAY = 86_400_000;
/** Conditions of SET with a value of their own (Valkey 8.1, Redis 8.4). */
const COMPARES = new Set(['IFEQ', 'IFNE', 'IFDEQ', 'IFDNE']);

/** Refuses raw commands that break the rules of key spaces, before they are sent. */
export function commandValidator(spaces: readonly CheckedSpace[], options: ValidatorOptions): CommandValidator {
  const spaceOf = (key: string) => spaces.find((space) => key.startsWith(keyPrefix(space)));
  return (command) => {
    if (command.name === 'KEYS' || command.name === 'SCAN') return confine(command, spaceOf);
    if (command.keys.length === 0 && !NAMES_NO_KEY.has(command.name) && !RUNS_SCRIPT.has(command.name))
      throw new GuardError('REDKEEP_KEYSPACE_COMMAND', command.name);
    if (command.name === 'SORT' || command.name === 'SORT_RO') confineSort(command, spaces, options);
    if (command.name === 'CLIENT TRACKING') confineTracking(command, spaceOf);
    for (const key of command.keys) {
      const space = spaceOf(String(key));
      if (space !== undefined) check(command, space);
      else if (options.unknownKeys !== 'allow') throw new GuardError('REDKEEP_KEYSPACE_KEY', 'of no key space');
    }
    if (RUNS_SCRIPT.has(command.name) && !OWN_SCRIPTS.has(String(command.args[0])))
      throw new GuardError('REDKEEP_KEYSPACE_COMMAND', `${command.name} of a script`);
  };
}

function confine({ name, args }: ValidatedCommand, spaceOf: (key: string) => unknown): void {
  const words = args.map(String);
  const matches = words.flatMap((word, at) => (word.toUpperCase() === 'MATCH' ? [words[at + 1]] : []));
  // The server goes by the last of several.
  const patterns = name === 'KEYS' ? words.slice(0, 1) : matches;
  const confined = (pattern: string | undefined) => pattern !== undefined && spaceOf(pattern) !== undefined;
  if (patterns.length !== 1 || !patterns.every(confined))
    throw new GuardError('REDKEEP_KEYSPACE_COMMAND', `${name} beyond one key space`);
}

/** BCAST announces every changed key, or those with a prefix (a space). Without it, only keys that were read. */
function confineTracking({ name, args }: ValidatedCommand, spaceOf: (key: string) => unknown): void {
  const words = args.map(String);
  const prefixes = words.flatMap((word, at) => (word.toUpperCase() === 'PREFIX' ? [words[at + 1] ?? ''] : []));
  const broad = words.some((word) => word.toUpperCase() === 'BCAST') && prefixes.length === 0;
  if (broad || !prefixes.every((prefix) => spaceOf(prefix) !== undefined))
    throw new GuardError('REDKEEP_KEYSPACE_COMMAND', `${name} beyond one key space`);
}

/** What SORT reads beside its key is of the same key space: the rules of another may say more, and its user another. */
function confineSort(
  { name, args }: ValidatedCommand,
  spaces: readonly CheckedSpace[],
  options: ValidatorOptions,
): void {
  const words = args.map(String);
  const own = spaces.find((space) => words[0]?.startsWith(keyPrefix(space)));
  for (const [at, word] of words.entries()) {
    if (at === 0 || !['BY', 'GET'].includes(word.toUpperCase())) continue;
    const pattern = words[at + 1] ?? '';
    // Without an asterisk the server looks nothing up.
    if (!pattern.includes('*')) continue;
    const begin = pattern.slice(0, pattern.indexOf('*'));
    if (own !== undefined && begin.startsWith(keyPrefix(own))) continue;
    const reachesSpace = spaces.some(
      (space) => begin.startsWith(keyPrefix(space)) || keyPrefix(space).startsWith(begin),
    );
    if (own === undefined && options.unknownKeys === 'allow' && !reachesSpace) continue;
    throw new GuardError('REDKEEP_KEYSPACE_COMMAND', `${name} of keys beyond one key space`);
  }
}

/**
 * What is allowed is listed, what is not listed is refused: a command that a later server brings may make keys, too.
 */
function check({ name, args, readOnly }: ValidatedCommand, space: CheckedSpace): void {
  const { use = 'values' } = space;
  if (space.encrypted === true && NOT_SEALED.has(name))
    throw new GuardError('REDKEEP_KEYSPACE_COMMAND', `${name} of sealed values`, {
      hint: 'Keep counters in `plainFields` of an EncryptedHash or in a key space without `encrypted`; to move a value, open it and set it anew.',
    });
  if (space.encrypted === true && isPlain(use) && VALUES[name]?.(args).every(isSealedValue) === false)
    throw new GuardError('REDKEEP_KEYSPACE_COMMAND', `${name} of a value that is not sealed`, {
      hint: 'Write with `set` of the opened key space, which seals, or seal first: `encryption.seal(value, { space, key })`.',
    });
  const words = args.map(String);
  if (RUNS_SCRIPT.has(name)) {
    const scripts = isPlain(use) ? SCRIPTS_ON_VALUES : SCRIPTS_OF.get(use);
    if (scripts?.has(words[0] ?? '') !== true) throw new GuardError('REDKEEP_KEYSPACE_COMMAND', `${name} of a script`);
    return;
  }
  // A component sets expiries itself; its space takes what it sends.
  if (!isPlain(use)) {
    if (!readOnly && !guardNeeds[use].commands.includes(name.toLowerCase()))
      throw new GuardError('REDKEEP_KEYSPACE_COMMAND', `${name} in a space of ${use}`);
    return;
  }
  if (space.dangerouslyWithoutExpiry === true) return;
  if (name === 'SET' || name === 'GETEX') checkStringOptions(name, words, space);
  else if (name in UNITS) checkTime(name, words[1], space);
  else if (!readOnly && !MAKES_NO_KEY.has(name) && !MAKES_COLLECTION.has(name)) throw tooLong(space);
}

function checkStringOptions(name: 'SET' | 'GETEX', words: readonly string[], space: CheckedSpace): void {
  const given = words.slice(name === 'SET' ? 2 : 1);
  const options = new Set<string>();
  let timed = false;
  for (let at = 0; at < given.length; at++) {
    const option = given[at]!.toUpperCase();
    options.add(option);
    if (option in UNITS) {
      timed = true;
      checkTime(option, given[++at], space);
      // What a condition compares with is not an option, whatever its text.
    } else if (COMPARES.has(option)) at++;
  }
  if (options.has('PERSIST')) throw tooLong(space);
  // KEEPTTL of a key that is not there would make one without expiry.
  const changesOnly = ['XX', 'IFEQ', 'IFDEQ'].some((condition) => options.has(condition));
  const keeps = name === 'GETEX' || (options.has('KEEPTTL') && changesOnly);
  if (!timed && !keeps) throw tooLong(space);
}

function isSealedValue(value: unknown): boolean {
  return value instanceof Uint8Array && isSealed(value);
}

function isPlain(use: KeyspaceUse): use is 'values' | 'lists' | 'streams' {
  return use === 'values' || use === 'lists' || use === 'streams';
}

function checkTime(unit: string, text: string | undefined, space: CheckedSpace): void {
  const { ms, absolute } = UNITS[unit]!;
  const ttl = Number(text) * ms - (absolute ? Date.now() : 0);
  // Short of a second over: two clocks read a moment apart.
  if (!(ttl <= (space.maxTtlMs ?? DAY) + (absolute ? 1000 : 0))) throw tooLong(space);
}

function tooLong({ prefix, maxTtlMs = DAY }: CheckedSpace): GuardError {
  return new GuardError('REDKEEP_KEYSPACE_TTL', `key space ${prefix}, at most ${maxTtlMs} ms`);
}
