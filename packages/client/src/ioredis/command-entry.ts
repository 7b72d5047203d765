/** Commands by ioredis's names: lower case, `Buffer` variants, what their arguments and replies are turned into. */
import { Command, type CommandSpec, Flag, rawCommand } from '../commands/command.js';
import { COMMAND_TABLE } from '../commands/table.js';
import { EXTRA_TABLE } from '../commands/table-extra.js';
import { type ArgumentTransformer, BUILT_IN_ARGUMENTS, normalizeArguments } from './arguments.js';
import { type ReplyTransformer, replyReader } from './replies.js';

const TABLE_NAMES = [...Object.keys(COMMAND_TABLE), ...Object.keys(EXTRA_TABLE)];
/** Commands with subcommands: which one it is decides keys and flags. */
const CONTAINERS = new Set(TABLE_NAMES.flatMap((name) => (name.includes(' ') ? [name.split(' ', 1)[0]!] : [])));
/** Keys that need a prefix and are not in the table's first, last and step. */
const MORE_KEYS: Readonly<Record<string, CommandSpec['keys']>> = {
  sort: sortKeys,
  sort_ro: sortKeys,
  georadius: storeKeys,
  georadiusbymember: storeKeys,
  migrate: migrateKeys,
};
const READS_STREAMS = new Set(['xread', 'xreadgroup']);

export class CommandEntry {
  readonly name: string;
  #argument: ArgumentTransformer | undefined;
  #reply: ReplyTransformer | undefined;
  #spec: CommandSpec | undefined;
  #blockingSpec: CommandSpec | undefined;
  /** Its first argument, or an option among its arguments, decides what it is. */
  readonly #byArguments: boolean;

  constructor(name: string) {
    this.name = name;
    this.#argument = BUILT_IN_ARGUMENTS[name];
    this.#byArguments = CONTAINERS.has(name.toUpperCase()) || READS_STREAMS.has(name);
  }

  set argumentTransformer(transform: ArgumentTransformer) {
    this.#argument = transform;
  }
  set replyTransformer(transform: ReplyTransformer) {
    this.#reply = transform;
    this.#spec = this.#blockingSpec = undefined;
  }

  /**
   * The command with these arguments, which become its own.
   * @throws InvalidArgumentError
   */
  build(given: unknown[]): Command {
    const args = normalizeArguments(this.name, this.#argument === undefined ? given : this.#argument(given));
    if (this.#byArguments) return this.#buildByArguments(args);
    this.#spec ??= this.#withReader(this.#withKeys(rawCommand([this.name]).spec));
    return new Command(this.#spec, args);
  }

  #buildByArguments(args: unknown[]): Command {
    const command = rawCommand([this.name, ...args]);
    if (!READS_STREAMS.has(this.name)) {
      const spec = this.#withReader(command.spec);
      return spec === command.spec ? command : new Command(spec, command.args);
    }
    if ((command.spec.flags & Flag.BLOCKING) !== 0) {
      this.#blockingSpec ??= this.#withReader(command.spec);
      return new Command(this.#blockingSpec, command.args);
    }
    this.#spec ??= this.#withReader(command.spec);
    return new Command(this.#spec, command.args);
  }

  #withKeys(spec: CommandSpec): CommandSpec {
    const keys = MORE_KEYS[this.name];
    return keys === undefined ? spec : { ...spec, keys };
  }

  #withReader(spec: CommandSpec): CommandSpec {
    const read = replyReader(this.name, this.#reply);
    return read === undefined ? spec : { ...spec, read };
  }
}

/** Lower-case names of all commands that are methods. */
export const COMMAND_NAMES: readonly string[] = [
  ...new Set(TABLE_NAMES.map((name) => name.split(' ', 1)[0]!.toLowerCase())),
].filter((name) => name !== 'monitor');

const entries = new Map(COMMAND_NAMES.map((name) => [name, new CommandEntry(name)]));

/** The entry of a command in any case; made for this call when the table does not have it. */
export function entryOf(name: string): CommandEntry {
  const lower = name.toLowerCase();
  return entries.get(lower) ?? new CommandEntry(lower);
}

/** {@link entryOf}, kept: for commands that get a transformer. */
export function keptEntryOf(name: string): CommandEntry {
  const entry = entryOf(name);
  entries.set(entry.name, entry);
  return entry;
}

const wordAt = (args: readonly unknown[], at: number): string => String(args[at]).toUpperCase();

/** SORT: its key, the patterns of BY and GET, and the destination of STORE. */
function sortKeys(args: readonly unknown[]): readonly number[] {
  const keys = [0];
  for (let i = 1; i < args.length - 1; i++) {
    const option = wordAt(args, i);
    if (option === 'LIMIT') i += 2;
    else if (option === 'STORE' || option === 'BY' || option === 'GET') {
      i++;
      // Patterns without an asterisk (`nosort`, `#`) name no key.
      if (option === 'STORE' || String(args[i]).includes('*')) keys.push(i);
    }
  }
  return keys;
}

/** GEORADIUS and its like: the key, and what STORE and STOREDIST write. */
function storeKeys(args: readonly unknown[]): readonly number[] {
  const keys = [0];
  for (let i = 3; i < args.length - 1; i++) if (/^STORE(DIST)?$/.test(wordAt(args, i))) keys.push(i + 1);
  return keys;
}

/** MIGRATE: one key, or those after KEYS. */
function migrateKeys(args: readonly unknown[]): readonly number[] {
  const at = args.findIndex((_, i) => i >= 5 && wordAt(args, i) === 'KEYS');
  return at === -1 ? [2] : Array.from({ length: args.length - at - 1 }, (_, i) => at + 1 + i);
}
