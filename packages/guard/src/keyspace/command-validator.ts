import type { CommandValidator, ValidatedCommand } from 'redkeep';
import { GuardError } from '../errors.js';
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

/** Write a string and cannot carry an expiry, or take one away. */
const WITHOUT_EXPIRY = new Set(['SETNX', 'MSET', 'MSETNX', 'GETSET', 'PERSIST']);
/** Cannot work on sealed values. */
const NOT_SEALED = new Set([
  ...['APPEND', 'SETRANGE', 'GETRANGE', 'INCR', 'INCRBY', 'INCRBYFLOAT', 'DECR', 'DECRBY', 'SETBIT', 'GETBIT'],
  ...['BITCOUNT', 'BITFIELD', 'BITOP', 'BITPOS', 'SORT', 'SORT_RO', 'STRLEN', 'PFADD', 'PFCOUNT', 'PFMERGE'],
]);
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

/** Refuses raw commands that break the rules of key spaces, before they are sent. */
export function commandValidator(spaces: readonly CheckedSpace[], options: ValidatorOptions): CommandValidator {
  const spaceOf = (key: string) => spaces.find((space) => key.startsWith(keyPrefix(space)));
  return (command) => {
    if (command.name === 'KEYS' || command.name === 'SCAN') return confine(command, spaceOf);
    for (const key of command.keys) {
      const space = spaceOf(String(key));
      if (space !== undefined) check(command, space);
      else if (options.unknownKeys !== 'allow') throw new GuardError('REDKEEP_KEYSPACE_KEY', 'of no key space');
    }
  };
}

function confine({ name, args }: ValidatedCommand, spaceOf: (key: string) => unknown): void {
  const words = args.map(String);
  const match = words.findIndex((word) => word.toUpperCase() === 'MATCH');
  const pattern = name === 'KEYS' ? words[0] : match === -1 ? undefined : words[match + 1];
  if (pattern === undefined || spaceOf(pattern) === undefined)
    throw new GuardError('REDKEEP_KEYSPACE_COMMAND', `${name} beyond one key space`);
}

function check({ name, args }: ValidatedCommand, space: CheckedSpace): void {
  if (space.encrypted === true && NOT_SEALED.has(name)) throw new GuardError('REDKEEP_KEYSPACE_COMMAND', name);
  if (space.dangerouslyWithoutExpiry === true) return;
  const words = args.map(String);
  if (WITHOUT_EXPIRY.has(name)) throw tooLong(space);
  if (name === 'SET' || name === 'GETEX') {
    const options = words.slice(name === 'SET' ? 2 : 1).map((word) => word.toUpperCase());
    const at = options.findIndex((word) => word in UNITS);
    const keeps = name === 'SET' ? options.includes('KEEPTTL') : !options.includes('PERSIST');
    if (at !== -1) checkTime(options[at]!, options[at + 1], space);
    else if (!keeps) throw tooLong(space);
  } else if (name in UNITS) checkTime(name, words[1], space);
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
