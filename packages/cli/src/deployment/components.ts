import { guardCommands, guardKeyPattern, guardLibrary, guardNeeds, type ScriptWay } from '@redkeep/guard/needs';
import { type Engine, knows } from '../vocabulary/engines.js';
import type { User, UserComponent } from './model.js';

export const componentNames = Object.keys(guardNeeds) as (keyof typeof guardNeeds)[];

/** What `all` stands for: not the auditor, or the writer of an audit trail could trim it. */
export const allComponents = componentNames.filter((name) => name !== 'auditor');

export function componentOf(
  given:
    | string
    | {
        readonly name: string;
        readonly prefix?: string | undefined;
        readonly guards?: readonly string[] | undefined;
      },
): UserComponent {
  const { name, prefix, guards } =
    typeof given === 'string' ? { name: given, prefix: undefined, guards: undefined } : given;
  const known = name as UserComponent['name'];
  const own = prefix ?? guardNeeds[known].prefix;
  return guards === undefined ? { name: known, prefix: own } : { name: known, prefix: own, guards };
}

/** `locks`, or `locks+order:` with the prefix of values that its holders write with `guardedSet`. */
export function componentFrom(text: string): string | { readonly name: string; readonly guards: readonly string[] } {
  const [name = '', ...guards] = text.split('+');
  return guards.length === 0 ? name : { name, guards };
}

/** Keys that one script of a component may touch together. */
function patternsOf({ name, prefix, guards = [] }: UserComponent): string[] {
  return [guardKeyPattern(name, prefix), ...guards.map((guarded) => `${guarded}*`)];
}

/** Functions and selectors came with the same release. */
function hasFunctions(engine: Engine): boolean {
  return knows(engine, { redis: '7.0', valkey: '7.2' });
}

function wayOf(engine: Engine): ScriptWay {
  return hasFunctions(engine) ? 'functions' : 'scripts';
}

/** Commands that a user has only because of its components. */
export function componentCommands({ components = [] }: User, engine: Engine): string[] {
  return [...new Set(components.flatMap(({ name }) => guardCommands(name, wayOf(engine))))];
}

/** Channels that the components of a user publish and listen on. */
export function componentChannels({ components = [] }: User): string[] {
  return [...new Set(components.flatMap(({ name }) => guardNeeds[name].channels))];
}

/** Key patterns of the components of a user. */
export function componentKeys({ components = [] }: User): string[] {
  return [...new Set(components.flatMap(patternsOf))];
}

/**
 * The rules that give a user its components, last in its line. A selector each (Redis 7.0, Valkey): with the keys of
 * one component the user can do what that component does, and no more. Redis 6.2 has no selectors: there the commands
 * of one count for the keys of all.
 */
export function componentRules(user: User, engine: Engine): string[] {
  const { components = [] } = user;
  if (components.length === 0) return [];
  if (!hasFunctions(engine)) return componentCommands(user, engine).map((command) => `+${command}`);
  const pubsub = componentCommands(user, engine).filter((command) =>
    /^(?:un)?(?:p?subscribe)$|^publish$/.test(command),
  );
  const selectors = components.map((component) => {
    const commands = guardCommands(component.name, 'functions').map((command) => `+${command}`);
    const keys = patternsOf(component).map((pattern) => `~${pattern}`);
    return `(${keys.join(' ')} resetchannels -@all ${commands.join(' ')})`;
  });
  return [...pubsub.map((command) => `+${command}`), ...selectors];
}

/** The function library that an administrator loads for the components of all users; undefined: none needs one. */
export function libraryFor(
  users: readonly User[],
  engine: Engine,
): { readonly name: string; readonly code: string } | undefined {
  const names = new Set(users.flatMap(({ components = [] }) => components.map(({ name }) => name)));
  if (!hasFunctions(engine) || ![...names].some((name) => guardNeeds[name].scripts.length > 0)) return undefined;
  return guardLibrary([...names].sort());
}
