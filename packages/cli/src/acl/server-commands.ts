/** How a key of a command is used, as its key specification says (Redis 7.0+). */
export interface KeyUse {
  /** The key is read, or its value returned. */
  readonly read: boolean;
  /** The key is made, changed or deleted. */
  readonly write: boolean;
  /** Not every call has this key, for example the destination of `SORT … STORE`. */
  readonly optional: boolean;
}

/** What a server says of one command or subcommand. */
export interface ServerCommand {
  /** Words of a call at least, the name included. */
  readonly arity: number;
  /** ACL categories with their sign: `@dangerous`. */
  readonly categories: readonly string[];
  /** The container of a subcommand: `config` for `config|get`. */
  readonly parent?: string;
  /** A container: its subcommands are entries of their own, and it cannot run without one. */
  readonly container: boolean;
  /** Everybody may run it, whatever the rules say: AUTH, HELLO, QUIT, RESET. */
  readonly noAuth: boolean;
  readonly keys: readonly KeyUse[];
  /** Names channels in its arguments, which channel patterns limit. */
  readonly channels: boolean;
}

/** Every command and subcommand (`config|get`) of a server, by lower-case name. */
export type ServerCommands = Readonly<Record<string, ServerCommand>>;

/** Commands whose channels the rules limit; COMMAND does not say so (acl.c, `doesCommandHaveChannelsWithFlags`). */
const withChannels = new Set(['publish', 'spublish', 'subscribe', 'ssubscribe', 'psubscribe']);

function list(value: unknown): unknown[] {
  return value instanceof Set ? [...value] : Array.isArray(value) ? value : [];
}

function words(value: unknown): string[] {
  return list(value).map(String);
}

/** Fields of a reply that is a map, a `Map` or a flat array, by protocol. */
function field(value: unknown, name: string): unknown {
  if (value instanceof Map) return value.get(name);
  if (Array.isArray(value)) return value[value.indexOf(name) + 1];
  return value !== null && typeof value === 'object' ? (value as Record<string, unknown>)[name] : undefined;
}

function keyUses(name: string, specs: readonly unknown[], flags: readonly string[]): KeyUse[] {
  return specs.flatMap((spec) => {
    const uses = words(field(spec, 'flags'));
    // SPUBLISH and its like name channels, which only find their node as keys do.
    if (uses.includes('not_key')) return [];
    const begin = String(field(field(spec, 'begin_search'), 'type'));
    const find = String(field(field(spec, 'find_keys'), 'type'));
    const changes = uses.some((use) => ['insert', 'update', 'delete'].includes(use));
    const optional =
      begin === 'unknown' ||
      // After a keyword that a call may leave out (STORE, KEYS); XREAD's STREAMS has to be there.
      (begin === 'keyword' && name !== 'xread' && name !== 'xreadgroup') ||
      (find === 'keynum' && flags.includes('no_mandatory_keys'));
    // What the call that needs least does: SET reads only with GET, BITFIELD writes only with SET or INCRBY.
    const variable = uses.includes('variable_flags');
    const write = changes && !(variable && name === 'bitfield');
    return [{ read: uses.includes('access') && !(variable && write), write, optional }];
  });
}

/** Reads the reply of `COMMAND`. Servers before 7.0 have no key specifications: positions say where keys are. */
export function readServerCommands(reply: unknown): Record<string, ServerCommand> {
  const commands: Record<string, ServerCommand> = {};
  const add = (entry: unknown, parent?: string): void => {
    const [name, arity, flagList, first, , , categories, , specs, subcommands] = list(entry);
    const lower = String(name).toLowerCase();
    const flags = words(flagList);
    const children = list(subcommands);
    const keys = Array.isArray(specs)
      ? keyUses(lower, specs, flags)
      : Number(first) > 0
        ? [{ read: false, write: false, optional: false }]
        : [];
    commands[lower] = {
      arity: Math.abs(Number(arity)),
      categories: words(categories),
      ...(parent !== undefined && { parent }),
      container: children.length > 0,
      noAuth: flags.includes('no_auth'),
      keys,
      channels: withChannels.has(lower),
    };
    for (const child of children) add(child, lower);
  };
  for (const entry of list(reply)) add(entry);
  return Object.values(commands).some(({ container }) => container) ? commands : withSubcommands(commands);
}

/** Redis 6 does not list subcommands; its rules speak of them as first arguments, which comes to the same. */
const subcommandsOfRedis6: Readonly<Record<string, readonly string[]>> = {
  acl: ['cat', 'deluser', 'genpass', 'getuser', 'help', 'list', 'load', 'log', 'save', 'setuser', 'users', 'whoami'],
  client: ['caching', 'getname', 'getredir', 'help', 'id', 'info', 'kill', 'list', 'pause', 'reply', 'setname'].concat([
    'tracking',
    'trackinginfo',
    'unblock',
    'unpause',
  ]),
  cluster: ['addslots', 'bumpepoch', 'countkeysinslot', 'delslots', 'failover', 'flushslots', 'forget', 'getkeysinslot']
    .concat(['help', 'info', 'keyslot', 'meet', 'myid', 'nodes', 'replicas', 'replicate', 'reset', 'saveconfig'])
    .concat(['set-config-epoch', 'setslot', 'slots']),
  config: ['get', 'help', 'resetstat', 'rewrite', 'set'],
  latency: ['doctor', 'graph', 'help', 'history', 'latest', 'reset'],
  memory: ['doctor', 'help', 'malloc-stats', 'purge', 'stats', 'usage'],
  module: ['help', 'list', 'load', 'unload'],
  script: ['debug', 'exists', 'flush', 'help', 'kill', 'load'],
  slowlog: ['get', 'help', 'len', 'reset'],
};

function withSubcommands(commands: Readonly<Record<string, ServerCommand>>): Record<string, ServerCommand> {
  const all: Record<string, ServerCommand> = { ...commands };
  for (const [parent, names] of Object.entries(subcommandsOfRedis6)) {
    const container = commands[parent];
    if (!container) continue;
    all[parent] = { ...container, container: true };
    for (const name of names) all[`${parent}|${name}`] = { ...container, arity: 2, parent };
  }
  return all;
}
