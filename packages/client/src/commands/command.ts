/**
 * A command is a pure value: what it is (its spec) and its arguments. Command functions build it and touch nothing
 * else; a dispatcher runs it.
 */
import { InvalidArgumentError, ProtocolError, RedkeepError } from '../errors.js';
import { encodeWords, type Head } from '../protocol/encoder.js';
import type { RespVersion, TypeMapping } from '../protocol/types.js';
import { DANGEROUS_COMMANDS } from './dangerous-commands.js';
import { REPLY_KINDS } from './reply-kinds.js';
import { COMMAND_TABLE } from './table.js';
import { EXTRA_TABLE } from './table-extra.js';
import type { CommandRow } from './table-row.js';

/** Bits of {@link CommandSpec.flags}. */
export const Flag = {
  /** Does not change data: may be repeated after a lost connection and run on a replica. */
  READONLY: 1,
  WRITE: 2,
  /** May wait on the server: runs on a connection of its own. */
  BLOCKING: 4,
  /** Refused by the guarded command policy unless allowed by name. */
  DANGEROUS: 8,
  /** Puts the connection into another mode (SUBSCRIBE, MONITOR …). */
  PUBSUB: 16,
  /** Changes the state of the connection it runs on (SELECT, CLIENT SETNAME …). */
  CONNECTION: 32,
  /** Key positions cannot be derived from first/last/step. */
  MOVABLE_KEYS: 64,
  /** Touches no key; running it twice does no harm (PING, INFO, CLUSTER NODES …). */
  REPEATABLE: 128,
  /** Its keys are shard channels: they choose the node, and take no key prefix. */
  CHANNELS: 256,
  /** Changes how replies are matched or read: refused whatever is allowed. */
  PROTOCOL: 512,
} as const;

/** Turns a raw reply into what the command promises. Called with the raw reply of the connection's RESP version. */
// biome-ignore lint/suspicious/noExplicitAny: a reader narrows whatever the decoder produced; internal contract
export type ReplyReader = (reply: any, preserve: any, mapping: TypeMapping | undefined) => unknown;

export interface CommandSpec extends Head {
  /** As the server names it: `GET`, `CLIENT KILL`. Safe for logs. */
  readonly name: string;
  readonly flags: number;
  /** Positions of the keys among the arguments. */
  readonly keys: (args: readonly unknown[]) => readonly number[];
  readonly read: Readonly<Record<RespVersion, ReplyReader | undefined>>;
  /** Bits of {@link kindOf} that a reply has after it was read; 0 = any. */
  readonly kinds: number;
}

declare const reply: unique symbol;

/** A command ready to be dispatched. `T` is its declared reply (see protocol/types). */
export class Command<T = unknown> {
  declare readonly [reply]: T;
  readonly spec: CommandSpec;
  readonly args: readonly unknown[];
  /** Handed to the reader: what it needs to know of the request. */
  readonly preserve: unknown;
  constructor(spec: CommandSpec, args: readonly unknown[], preserve?: unknown) {
    this.spec = spec;
    this.args = args;
    this.preserve = preserve;
  }
}

export type ReplyOf<C> = C extends Command<infer T> ? T : never;
// biome-ignore lint/suspicious/noExplicitAny: the argument list of any command function
export type CommandFunction = (...args: any[]) => Command<any>;

export interface SpecOptions {
  /** One reader for both protocols, or one each; none = the raw reply. */
  read?: ReplyReader | { 2?: ReplyReader; 3?: ReplyReader };
  /** Bits added to those of the table. */
  flags?: number;
  /** Key positions where the table's first, last and step are not enough. */
  keys?: (args: readonly unknown[]) => readonly number[];
  /** Fixed words, where they are more than the name (`CLIENT`, `NO-EVICT`, `ON`). */
  words?: readonly string[];
  /** Sent as its words say: its reply may be anything. */
  raw?: boolean;
}

const KIND_BITS = { t: 1, n: 2, b: 4, z: 8, l: 16, o: 32 } as const;

/** What a reply is, as one bit: text, number, boolean, null, list or another object. */
export function kindOf(reply: unknown): number {
  switch (typeof reply) {
    case 'string':
      return KIND_BITS.t;
    case 'number':
    case 'bigint':
      return KIND_BITS.n;
    case 'boolean':
      return KIND_BITS.b;
    default:
      if (reply === null || reply === undefined) return KIND_BITS.z;
      return Array.isArray(reply) ? KIND_BITS.l : Buffer.isBuffer(reply) ? KIND_BITS.t : KIND_BITS.o;
  }
}

const KINDS = new Map<string, number>();
for (const [letters, names] of Object.entries(REPLY_KINDS)) {
  let bits = 0;
  for (const letter of letters) bits |= KIND_BITS[letter as keyof typeof KIND_BITS];
  for (const name of names.split(',')) KINDS.set(name, bits);
}

/**
 * Whether a reply that is not of its command's kinds is right all the same: a type mapping makes other values of it, and
 * in a transaction that was begun by MULTI as a raw command every command is answered so.
 */
export function isOtherwiseRight(reply: unknown, mapping: TypeMapping | undefined): boolean {
  return mapping !== undefined || reply === 'QUEUED';
}

/** A reader found what it looked for: where it did not, the object that it made (or the first of a list) lacks something. */
export function isWhole(reply: unknown): boolean {
  if (typeof reply !== 'object') return reply !== undefined;
  const sample = Array.isArray(reply) ? reply[0] : reply;
  if (typeof sample !== 'object' || sample === null) return true;
  for (const name in sample) if ((sample as Record<string, unknown>)[name] === undefined) return false;
  return true;
}

/** @throws ProtocolError when the reply cannot be the command's */
export function readReply(
  { spec, preserve }: Command,
  raw: unknown,
  resp: RespVersion,
  mapping: TypeMapping | undefined,
): unknown {
  const read = spec.read[resp];
  const reply = read === undefined ? raw : read(raw, preserve, mapping);
  if (reply !== raw && spec.kinds !== 0 && !isWhole(reply)) throw misshapen(spec.name);
  if (spec.kinds !== 0 && (kindOf(reply) & spec.kinds) === 0 && !isOtherwiseRight(reply, mapping))
    throw misshapen(spec.name);
  return reply;
}

export function misshapen(command: string, cause?: unknown): ProtocolError {
  return new ProtocolError(`${command}: the reply does not have the form that it should`, undefined, cause);
}

const OWN_READERS = new WeakSet<CommandSpec['read']>();

/** What to reject with when a reader threw: a server that answers in another form, unless the reader is a user's own. */
export function misread({ name, read }: CommandSpec, error: unknown): unknown {
  if (error instanceof RedkeepError || !OWN_READERS.has(read)) return error;
  return misshapen(name, error);
}

const NO_KEYS: readonly number[] = [];
/** What they change lasts as long as their connection, which has to restore it after a reconnect. */
const CHANGES_CONNECTION = new Set([
  'AUTH',
  'CLIENT SETNAME',
  'DISCARD',
  'EXEC',
  'MONITOR',
  'MULTI',
  'RESET',
  'SELECT',
]);
const CHANGES_PROTOCOL = new Set(['CLIENT REPLY', 'HELLO']);
const CHANNEL_COMMANDS = new Set(['SPUBLISH', 'SSUBSCRIBE', 'SUNSUBSCRIBE']);

/** Describes a command. `name` is looked up in the generated table for flags and key positions. */
export function spec(name: string, options: SpecOptions = {}): CommandSpec {
  const words = options.words ?? name.split(' ');
  const row = rowOf(name);
  const read = typeof options.read === 'function' ? { 2: options.read, 3: options.read } : options.read;
  const readers = { 2: read?.[2], 3: read?.[3] };
  OWN_READERS.add(readers);
  return {
    name,
    words: words.length,
    head: encodeWords(words),
    openings: [],
    flags:
      (row === undefined ? Flag.WRITE : row[0]) |
      (options.flags ?? 0) |
      (DANGEROUS_COMMANDS.get(name)?.refused === true ? Flag.DANGEROUS : 0) |
      (CHANGES_CONNECTION.has(name) ? Flag.CONNECTION : 0) |
      (CHANGES_PROTOCOL.has(name) ? Flag.PROTOCOL : 0) |
      (CHANNEL_COMMANDS.has(name) ? Flag.CHANNELS : 0),
    keys: options.keys ?? keyRange(row, words.length),
    read: readers,
    kinds: options.raw === true ? 0 : (KINDS.get(name) ?? 0),
  };
}

const rowOf = (name: string): CommandRow | undefined => COMMAND_TABLE[name] ?? EXTRA_TABLE[name];

function keyRange(row: CommandRow | undefined, words: number): CommandSpec['keys'] {
  if (row === undefined || row[1] === 0) return () => NO_KEYS;
  // The table counts from the command's first word, a command's arguments begin after its fixed words.
  const first = row[1] - words;
  const last = row[2];
  const step = row[3] || 1;
  if (last === row[1]) {
    const only = [first];
    return () => only;
  }
  return (args) => {
    const end = last < 0 ? args.length + last : last - words;
    const keys: number[] = [];
    for (let i = first; i <= end; i += step) keys.push(i);
    return keys;
  };
}

/** Only the first argument is a key, whatever the server's first/last/step say. */
export const firstKey: CommandSpec['keys'] = () => FIRST;
const FIRST: readonly number[] = [0];

/** Keys counted by a number among the arguments: `numkeys(1)` reads args[1] and the keys after it. */
export function numkeys(position: number, ...before: number[]): CommandSpec['keys'] {
  return (args) => {
    const keys = [...before];
    const count = Number(args[position]);
    for (let i = 1; i <= count; i++) keys.push(position + i);
    return keys;
  };
}

const rawSpecs = new Map<string, CommandSpec>();
const MAX_RAW_SPECS = 2048;

/** A command from its words, for `sendCommand` and the tagged template. */
export function rawCommand<T = unknown>(words: readonly unknown[]): Command<T> {
  const first = wordOf(words[0]);
  // Names stand in errors, logs and metrics: what does not look like one, user input for example, must not get there.
  if (first === undefined || !/^[\w.:|-]{1,64}$/.test(first))
    throw new InvalidArgumentError('sendCommand', 0, 'is not a command name');
  const second = wordOf(words[1]);
  let name = first.toUpperCase();
  let count = 1;
  if (second !== undefined && second.length < 32) {
    const both = `${name} ${second.toUpperCase()}`;
    if (rowOf(both) !== undefined) {
      name = both;
      count = 2;
    }
  }
  // Spelling as given goes to the wire (functions and modules may care); it is part of the cache's key.
  const cacheKey = count === 2 ? `${first} ${second}` : first;
  let known = rawSpecs.get(cacheKey);
  if (known === undefined) {
    known = spec(name, { words: count === 2 ? [first, second!] : [first], ...rawKeys(name), raw: true });
    if (rawSpecs.size >= MAX_RAW_SPECS) rawSpecs.clear();
    rawSpecs.set(cacheKey, known);
  }
  const args = words.slice(count);
  if (name.startsWith('XREAD') && args.some((arg) => typeof arg === 'string' && arg.toUpperCase() === 'BLOCK')) {
    return new Command<T>({ ...known, flags: known.flags | Flag.BLOCKING }, args);
  }
  return new Command<T>(known, args);
}

const KEYS_BY_COUNT: Readonly<Record<string, CommandSpec['keys']>> = {
  EVAL: numkeys(1),
  EVALSHA: numkeys(1),
  EVAL_RO: numkeys(1),
  EVALSHA_RO: numkeys(1),
  FCALL: numkeys(1),
  FCALL_RO: numkeys(1),
  ZUNION: numkeys(0),
  ZINTER: numkeys(0),
  ZDIFF: numkeys(0),
  ZINTERCARD: numkeys(0),
  SINTERCARD: numkeys(0),
  LMPOP: numkeys(0),
  ZMPOP: numkeys(0),
  BLMPOP: numkeys(1),
  BZMPOP: numkeys(1),
  ZUNIONSTORE: numkeys(1, 0),
  ZINTERSTORE: numkeys(1, 0),
  ZDIFFSTORE: numkeys(1, 0),
  'CMS.MERGE': numkeys(1, 0),
  'TDIGEST.MERGE': numkeys(1, 0),
  'TS.NRANGE': numkeys(0),
  'TS.NREVRANGE': numkeys(0),
  XREAD: streamKeys,
  XREADGROUP: streamKeys,
};

/** Keys of XREAD and XREADGROUP: the first half of what follows STREAMS. */
export function streamKeys(args: readonly unknown[]): readonly number[] {
  const is = (arg: unknown, name: string) => wordOf(arg)?.toUpperCase() === name;
  // A group or a consumer may be called STREAMS.
  const from = is(args[0], 'GROUP') ? 3 : 0;
  const at = args.findIndex((arg, i) => i >= from && is(arg, 'STREAMS'));
  if (at === -1) return NO_KEYS;
  const count = (args.length - at - 1) >> 1;
  return Array.from({ length: count }, (_, i) => at + 1 + i);
}

function rawKeys(name: string): SpecOptions {
  const keys = KEYS_BY_COUNT[name];
  return keys === undefined ? {} : { keys };
}

function wordOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value.length > 0 && value.length < 128 ? value : undefined;
  if (Buffer.isBuffer(value)) return value.length > 0 && value.length < 128 ? value.toString('latin1') : undefined;
  return undefined;
}
