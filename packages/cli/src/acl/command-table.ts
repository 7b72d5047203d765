import type { RedisClient } from 'redkeep';

/** What the server says of a command: where its keys stand, and whether it only reads. */
export interface CommandFacts {
  readonly first: number;
  readonly last: number;
  readonly step: number;
  /** True when the positions depend on the arguments (EVAL, XREAD, SORT): only the server knows. */
  readonly movable: boolean;
  readonly readOnly: boolean;
  /** Words of the whole command at least; negative in the server's table: that many or more. */
  readonly arity: number;
  /** ACL categories without the sign, `string` or `dangerous`. */
  readonly categories: readonly string[];
}

export type CommandTable = ReadonlyMap<string, CommandFacts>;

/** The server's own table of commands, by lower-case name; subcommands (7.0) as `config|get`. */
export async function readCommandTable(client: RedisClient): Promise<CommandTable> {
  const table = new Map<string, CommandFacts>();
  const add = (entry: readonly unknown[]) => {
    const [name, arity, flags, first, last, step, categories = []] = entry;
    const words = new Set([...(flags as Iterable<unknown>)].map(String));
    table.set(String(name).toLowerCase(), {
      first: Number(first),
      last: Number(last),
      step: Number(step),
      movable: words.has('movablekeys'),
      readOnly: words.has('readonly'),
      arity: Math.abs(Number(arity)),
      categories: [...(categories as Iterable<unknown>)].map((category) => String(category).replace(/^@/, '')),
    });
    for (const subcommand of (entry[9] ?? []) as unknown[][]) add(subcommand);
  };
  for (const entry of (await client.sendCommand(['COMMAND'])) as unknown as unknown[][]) add(entry);
  return table;
}

const keyless: CommandFacts = {
  first: 0,
  last: 0,
  step: 0,
  movable: false,
  readOnly: true,
  arity: 1,
  categories: [],
};

/** What the table says of a command as it was run; of one it does not know, that it has no keys. */
export function factsOf(table: CommandTable, [name = '', sub = '']: readonly string[]): CommandFacts {
  return table.get(`${name}|${sub}`.toLowerCase()) ?? table.get(name.toLowerCase()) ?? keyless;
}

/** The keys of a command, as its positions say. */
export function keysAt({ first, last, step }: CommandFacts, args: readonly string[]): string[] {
  if (first <= 0) return [];
  const end = last < 0 ? args.length + last : last;
  const keys: string[] = [];
  for (let at = first; at <= end && at < args.length; at += Math.max(1, step)) keys.push(args[at]!);
  return keys;
}
