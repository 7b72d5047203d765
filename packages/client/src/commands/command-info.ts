/** COMMAND: what the server says of its commands. https://redis.io/docs/latest/commands/?group=server */
import type { BlobString, Integer, MapOf, RedisArgument, SetOf } from '../protocol/types.js';
import { list, type Variadic, word } from './arguments.js';
import { Command, spec } from './command.js';
import type { CommandListFilterBy } from './constants.js';
import { entriesOf, listOf, mapOf, record, resp2, type Shape } from './shapes.js';

export interface KeySpec {
  beginSearch:
    | { type: 'index'; index: number }
    | { type: 'keyword'; keyword: string; startFrom: number }
    | { type: 'unknown' };
  findKeys:
    | { type: 'range'; lastKey: number; keyStep: number; limit: number }
    | { type: 'keynum'; keyNumIdx: number; firstKey: number; keyStep: number }
    | { type: 'unknown' };
}

export interface CommandReply {
  name: string;
  /** Words with the name; negative: at least that many. */
  arity: number;
  /** `write`, `readonly`, `denyoom`, `admin` … */
  flags: Set<string>;
  firstKeyIndex: number;
  lastKeyIndex: number;
  step: number;
  /** ACL categories: `@read` … */
  categories: Set<string>;
  /** For clients of a cluster: where to send it and how to merge answers. */
  policies: { request: string | undefined; response: string | undefined };
  isKeyless: boolean;
  nondeterministicOutput: boolean;
  /** All tips but the policies. */
  tips: string[];
  keySpecs: KeySpec[];
  subcommands: CommandReply[];
}

type RawCommand = [
  name: unknown,
  arity: number,
  flags: Iterable<unknown>,
  firstKeyIndex: number,
  lastKeyIndex: number,
  step: number,
  categories: Iterable<unknown>,
  // These came with Redis 7.0.
  tips?: unknown[],
  keySpecs?: unknown[],
  subcommands?: RawCommand[],
];

const texts = (items: Iterable<unknown>): string[] => Array.from(items, String);

function readCommand(raw: RawCommand): CommandReply {
  const [name, arity, flags, firstKeyIndex, lastKeyIndex, step, categories, tips = [], keySpecs = [], subs = []] = raw;
  const policies: Record<string, string> = {};
  const others: string[] = [];
  for (const tip of texts(tips)) {
    const match = /^(request|response)_policy:(.*)$/.exec(tip);
    if (match === null) others.push(tip);
    else policies[match[1]!] = match[2]!;
  }
  return {
    name: String(name),
    arity,
    flags: new Set(texts(flags)),
    firstKeyIndex,
    lastKeyIndex,
    step,
    categories: new Set(texts(categories)),
    policies: { request: policies.request, response: policies.response },
    isKeyless: keySpecs.length === 0,
    nondeterministicOutput: others.includes('nondeterministic_output'),
    tips: others,
    keySpecs: keySpecs.map(readKeySpec),
    subcommands: subs.map(readCommand),
  };
}

const UNKNOWN = { type: 'unknown' } as const;
const fields = (value: unknown): Map<string, unknown> =>
  new Map(value !== null && typeof value === 'object' ? entriesOf(value) : []);

function readKeySpec(raw: unknown): KeySpec {
  const parts = fields(raw);
  return {
    beginSearch: part(parts.get('begin_search'), (type, at) => {
      if (type === 'index') return { type, index: at('index') };
      if (type === 'keyword') return { type, keyword: at('keyword', String), startFrom: at('startfrom') };
      return UNKNOWN;
    }),
    findKeys: part(parts.get('find_keys'), (type, at) => {
      if (type === 'range') return { type, lastKey: at('lastkey'), keyStep: at('keystep'), limit: at('limit') };
      if (type === 'keynum')
        return { type, keyNumIdx: at('keynumidx'), firstKey: at('firstkey'), keyStep: at('keystep') };
      return UNKNOWN;
    }),
  };
}

type At = <T = number>(name: string, as?: (value: unknown) => T) => T;
function part<T>(raw: unknown, read: (type: string, at: At) => T): T | typeof UNKNOWN {
  const outer = fields(raw);
  const inner = fields(outer.get('spec'));
  let complete = true;
  const at = ((name: string, as: (value: unknown) => unknown = Number) => {
    if (!inner.has(name)) complete = false;
    return as(inner.get(name));
  }) as At;
  const result = read(String(outer.get('type')), at);
  return complete ? result : UNKNOWN;
}

const COMMAND = spec('COMMAND', { read: (reply: RawCommand[]) => reply.map(readCommand) });
/** All commands of the server. Redis 2.8.13. */
export const command = () => new Command<CommandReply[]>(COMMAND, []);

const COMMAND_COUNT = spec('COMMAND COUNT');
/** How many commands the server has. Redis 2.8.13. */
export const commandCount = () => new Command<Integer>(COMMAND_COUNT, []);

export interface CommandDocsArgument {
  name?: BlobString;
  type?: BlobString;
  display_text?: BlobString;
  key_spec_index?: Integer;
  token?: BlobString;
  summary?: BlobString;
  since?: BlobString;
  deprecated_since?: BlobString;
  flags?: BlobString[];
  arguments?: CommandDocsArgument[];
}
export interface CommandDoc {
  summary?: BlobString;
  since?: BlobString;
  group?: BlobString;
  complexity?: BlobString;
  module?: BlobString;
  doc_flags?: BlobString[];
  deprecated_since?: BlobString;
  replaced_by?: BlobString;
  history?: [version: BlobString, change: BlobString][];
  arguments?: CommandDocsArgument[];
  subcommands?: Record<string, CommandDoc>;
}
const argument: Shape = (value, mapping) => record({ arguments: listOf(argument) })(value, mapping);
const docs: Shape = (value, mapping) =>
  mapOf(record({ arguments: listOf(argument), subcommands: docs }))(value, mapping);
const COMMAND_DOCS = spec('COMMAND DOCS', { read: resp2(docs) });
/** Documentation of all commands or of those named. Redis 7.0.0. */
export const commandDocs = (commands?: Variadic) =>
  new Command<MapOf<BlobString, CommandDoc>>(COMMAND_DOCS, commands === undefined ? [] : list(commands));

const COMMAND_GETKEYS = spec('COMMAND GETKEYS');
/** The keys of a command given with its arguments; nothing is run. Redis 2.8.13. */
export const commandGetKeys = (args: readonly RedisArgument[]) => new Command<BlobString[]>(COMMAND_GETKEYS, [...args]);

const COMMAND_GETKEYSANDFLAGS = spec('COMMAND GETKEYSANDFLAGS', {
  read: (reply: [unknown, unknown][]) => reply.map(([key, flags]) => ({ key, flags })),
});
/** The keys of a command and what it does to them. Redis 7.0.0. */
export const commandGetKeysAndFlags = (args: readonly RedisArgument[]) =>
  new Command<{ key: BlobString; flags: SetOf<BlobString> }[]>(COMMAND_GETKEYSANDFLAGS, [...args]);

const COMMAND_INFO = spec('COMMAND INFO', {
  read: (reply: (RawCommand | null)[]) => reply.map((item) => (item === null ? null : readCommand(item))),
});
/** The commands named, null where there is none. Redis 2.8.13. */
export const commandInfo = (commands: readonly string[]) =>
  new Command<(CommandReply | null)[]>(COMMAND_INFO, [...commands]);

export interface CommandListOptions {
  FILTERBY?: { type: CommandListFilterBy; value: RedisArgument };
}
const COMMAND_LIST = spec('COMMAND LIST');
/** Names of all commands, or of a module, an ACL category or a glob pattern. Redis 7.0.0. */
export function commandList(options?: CommandListOptions): Command<BlobString[]> {
  if (options?.FILTERBY === undefined) return new Command(COMMAND_LIST, []);
  const { type, value } = options.FILTERBY;
  return new Command(COMMAND_LIST, [
    'FILTERBY',
    word('COMMAND LIST', 'FILTERBY', type, ['MODULE', 'ACLCAT', 'PATTERN']),
    value,
  ]);
}

export const aliases = {
  commandCount: 'COMMAND_COUNT',
  commandDocs: 'COMMAND_DOCS',
  commandGetKeys: 'COMMAND_GETKEYS',
  commandGetKeysAndFlags: 'COMMAND_GETKEYSANDFLAGS',
  commandInfo: 'COMMAND_INFO',
  commandList: 'COMMAND_LIST',
} as const;
