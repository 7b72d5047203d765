import { coversEverything, matchesGlob } from './glob.js';
import type { KeyUse, ServerCommand, ServerCommands } from './server-commands.js';

/** One set of rights: a user's own, or one of its selectors (Redis 7.0). A call must fit one set as a whole. */
export interface RuleSet {
  /** Key patterns with their sign: `~app:*`, `%R~shared:*`. */
  readonly keys: readonly string[];
  /** Channel patterns with their sign: `&news:*`. */
  readonly channels: readonly string[];
  /** Command rules as written, in order: `+@read`, `-keys`, `+config|get`. */
  readonly commands: readonly string[];
}

interface KeyPattern {
  readonly pattern: string;
  readonly read: boolean;
  readonly write: boolean;
}

function keyPatterns(rules: readonly string[]): KeyPattern[] {
  const found = new Map<string, KeyPattern>();
  for (const rule of rules) {
    const [, access = 'RW', pattern] = /^(?:%([RWrw]+))?~(.*)$/s.exec(rule) ?? [];
    if (pattern === undefined) continue;
    const before = found.get(pattern);
    // The same pattern given twice adds up, as the server does it.
    found.set(pattern, {
      pattern,
      read: /r/i.test(access) || before?.read === true,
      write: /w/i.test(access) || before?.write === true,
    });
  }
  return [...found.values()];
}

/** How keys are wanted. */
export interface Access {
  readonly read: boolean;
  readonly write: boolean;
}

/**
 * What one rule set allows, computed as servers compute it (acl.c of Redis 6.0 to 8.x and Valkey): rules from left to
 * right, a category takes every command it has and the subcommands of every container it has, a container brings its
 * subcommands, `+select|0` allows one first argument of a command that is otherwise denied.
 */
export class Rights {
  readonly keys: readonly KeyPattern[];
  readonly channels: readonly string[];
  readonly #commands: ServerCommands;
  readonly #allowed = new Set<string>();
  readonly #firstArguments = new Map<string, Set<string>>();
  #everyCommand = false;

  constructor(rules: RuleSet, commands: ServerCommands) {
    this.#commands = commands;
    this.keys = keyPatterns(rules.keys);
    this.channels = rules.channels.map((channel) => channel.replace(/^&/, ''));
    for (const rule of rules.commands) this.#apply(rule.toLowerCase());
  }

  #apply(rule: string): void {
    if (rule === '+@all' || rule === 'allcommands') {
      this.#everyCommand = true;
      for (const name of Object.keys(this.#commands)) this.#allowed.add(name);
      this.#firstArguments.clear();
    } else if (rule === '-@all' || rule === 'nocommands') {
      this.#everyCommand = false;
      this.#allowed.clear();
      this.#firstArguments.clear();
    } else {
      const allow = rule.startsWith('+');
      const subject = rule.slice(1);
      if (subject.startsWith('@')) {
        for (const [name, { categories }] of Object.entries(this.#commands))
          if (categories.includes(subject)) this.#set(name, allow);
      } else if (this.#commands[subject]) this.#set(subject, allow);
      else if (allow && subject.includes('|')) this.#allowFirstArgument(subject);
      if (!allow) this.#everyCommand = false;
    }
  }

  /** Allows or denies a command and, of a container, every subcommand. */
  #set(name: string, allow: boolean): void {
    if (allow) this.#allowed.add(name);
    else this.#allowed.delete(name);
    this.#firstArguments.delete(name);
    if (!this.#commands[name]?.container) return;
    for (const [child, { parent }] of Object.entries(this.#commands)) if (parent === name) this.#set(child, allow);
  }

  #allowFirstArgument(subject: string): void {
    const end = subject.lastIndexOf('|');
    const [name, argument] = [subject.slice(0, end), subject.slice(end + 1)];
    const allowed = this.#firstArguments.get(name) ?? new Set();
    this.#firstArguments.set(name, allowed.add(argument));
  }

  /** Whether the command itself is allowed, with any argument or with `firstArgument`. */
  permits(name: string, firstArgument?: string): boolean {
    const command = this.#commands[name];
    if (this.#everyCommand || command?.noAuth || this.#allowed.has(name)) return true;
    return firstArgument !== undefined && this.#firstArguments.get(name)?.has(firstArgument.toLowerCase()) === true;
  }

  /** First arguments with which an otherwise denied command is allowed. */
  firstArgumentsOf(name: string): readonly string[] {
    return [...(this.#firstArguments.get(name) ?? [])];
  }

  /** Whether a key may be used so. */
  reaches(key: string, { read, write }: Access): boolean {
    return this.#usable({ read, write }).some(({ pattern }) => matchesGlob(pattern, key));
  }

  #usable({ read, write }: Access): readonly KeyPattern[] {
    return this.keys.filter((key) => (!read || key.read) && (!write || key.write));
  }

  /** Whether there is any key that may be used so. */
  hasKeyFor(use: KeyUse): boolean {
    return this.#usable(use).length > 0;
  }

  /** Whether its patterns limit nothing: (as good as) every key may be used so. */
  reachesEveryKey(access: Access): boolean {
    return coversEverything(this.#usable(access).map(({ pattern }) => pattern));
  }

  /** Whether a channel may be used; PSUBSCRIBE is allowed only for a pattern that is among the rules literally. */
  allowsChannel(channel: string, isPattern = false): boolean {
    return isPattern ? this.channels.includes(channel) : this.channels.some((pattern) => matchesGlob(pattern, channel));
  }

  reachesEveryChannel(): boolean {
    return coversEverything(this.channels);
  }

  /** Whether some call of the command is allowed. */
  canRun(name: string, command: ServerCommand): boolean {
    if (command.container) return false;
    if (!this.permits(name) && this.firstArgumentsOf(name).length === 0) return false;
    if (command.channels && this.channels.length === 0) return false;
    return command.keys.every((use) => use.optional || this.hasKeyFor(use));
  }
}

/** Every command of the server of which the user can make some call, by its own rules or by a selector. */
export function runnableCommands(sets: readonly RuleSet[], commands: ServerCommands): string[] {
  const rights = sets.map((set) => new Rights(set, commands));
  return Object.entries(commands)
    .filter(([name, command]) => rights.some((one) => one.canRun(name, command)))
    .map(([name]) => name);
}
