/**
 * What a caller gives and a command function would drop in silence: surplus arguments (`set(k, v, 'EX', 10)`) and unknown
 * names of options (`set(k, v, { ex: 10 })`). Both would store a value without the expiry that was meant.
 *
 * What a function reads is found by watching it once for each name, because its options are types only.
 */
import { InvalidArgumentError } from '../errors.js';
import type { CommandFunction } from './command.js';

const arities = new WeakMap<CommandFunction, number>();
/** Whether the last parameter of a function is an object of options. */
const takesOptions = new WeakMap<CommandFunction, boolean>();
/** By function, and position of the argument: names that it reads. */
const known = new WeakMap<CommandFunction, Map<number, Set<string>>>();

/** @throws InvalidArgumentError that names the right spelling */
export function checkCall(build: CommandFunction, args: readonly unknown[]): void {
  // Two arguments are the fewest that any command drops one of: asked first, since a function's length takes longer.
  if (args.length > 1 && args.length >= build.length) {
    // `set(k, v, 'NX')` and `set(k, v, 'EX', 10)`: words where an object of options belongs.
    const last = args[build.length - 1];
    if (build.length > 1 && typeof last === 'string') checkOptionsObject(build, args);
    if (args.length > build.length) checkSurplus(build, args);
  }
  for (let position = 1; position < args.length; position++) {
    const value = args[position];
    if (typeof value === 'object' && value !== null && isPlain(value)) checkNames(build, args, position, value);
  }
}

function isPlain(value: object): value is Record<string, unknown> {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function checkOptionsObject(build: CommandFunction, args: readonly unknown[]): void {
  const position = build.length - 1;
  let expected = takesOptions.get(build);
  if (expected === undefined) {
    const seen = watch(build, args, position, {});
    expected = seen !== 'data' && [...seen].some((name) => /^[A-Z]+$/.test(name));
    takesOptions.set(build, expected);
  }
  const word = args[position] as string;
  if (!expected || isSent(build, args, word)) return;
  const example = /^[A-Z]{2,12}$/i.test(word) ? `, { ${word.toUpperCase()}: … }` : '';
  throw new InvalidArgumentError(build.name, position, `is not an object of options${example}`);
}

/** Some parameters are an object of options or a word, which is then an argument. */
function isSent(build: CommandFunction, args: readonly unknown[], word: string): boolean {
  try {
    return build(...args).args.includes(word);
  } catch {
    return true; // what is wrong is said by the call itself
  }
}

function checkSurplus(build: CommandFunction, args: readonly unknown[]): void {
  let arity = arities.get(build);
  if (arity === undefined) {
    arity = arityOf(String(build));
    arities.set(build, arity);
  }
  for (let position = arity; position < args.length; position++) {
    const surplus = args[position];
    if (surplus === undefined) continue;
    throw new InvalidArgumentError(
      build.name,
      position,
      'is one too many: several values go into an array, and options into an object',
    );
  }
}

/** Parameters of a function's source; Infinity when it takes any number. */
function arityOf(source: string): number {
  const start = source.indexOf('(');
  const arrow = source.indexOf('=>');
  if (arrow !== -1 && (start === -1 || arrow < start)) return 1;
  let depth = 0;
  let count = 0;
  let named = false;
  for (let i = start; i < source.length; i++) {
    const character = source[i]!;
    if ('([{'.includes(character)) depth++;
    else if (')]}'.includes(character) && --depth === 0) break;
    else if (depth === 1 && character === ',') {
      count++;
      named = false;
    } else if (depth === 1 && source.startsWith('...', i)) return Number.POSITIVE_INFINITY;
    else if (!/\s/.test(character)) named = true;
  }
  return count + (named ? 1 : 0);
}

function checkNames(
  build: CommandFunction,
  args: readonly unknown[],
  position: number,
  options: Record<string, unknown>,
): void {
  let positions = known.get(build);
  if (positions === undefined) {
    positions = new Map();
    known.set(build, positions);
  }
  let names = positions.get(position);
  if (names === undefined) {
    names = new Set();
    positions.set(position, names);
  }
  let unread: string[] | undefined;
  for (const name in options) if (!names.has(name) && options[name] !== undefined) unread = [...(unread ?? []), name];
  if (unread === undefined) return;
  const seen = watch(build, args, position, options);
  // Fields, entries, or an element of a fixed form ({ score, value }): data, which may hold more.
  if (seen === 'data' || [...seen].every((name) => Object.hasOwn(options, name))) return;
  for (const name of seen) names.add(name);
  for (const name of unread) {
    if (names.has(name)) continue;
    const alone = watch(build, args, position, { [name]: options[name] });
    if (alone === 'data') return;
    for (const one of alone) names.add(one);
    if (!alone.has(name)) throw unknownName(build.name, position, name, names);
  }
}

/** Names that the function reads of the object at `position`. */
function watch(
  build: CommandFunction,
  args: readonly unknown[],
  position: number,
  options: Record<string, unknown>,
): Set<string> | 'data' {
  const names = new Set<string>();
  let isData = false;
  const note = (name: string | symbol) => {
    if (typeof name === 'string') names.add(name);
  };
  const watched = new Proxy(options, {
    get: (target, name, receiver) => {
      note(name);
      return Reflect.get(target, name, receiver);
    },
    has: (target, name) => {
      note(name);
      return Reflect.has(target, name);
    },
    getOwnPropertyDescriptor: (target, name) => {
      note(name);
      return Reflect.getOwnPropertyDescriptor(target, name);
    },
    ownKeys: (target) => {
      isData = true;
      return Reflect.ownKeys(target);
    },
  });
  try {
    build(...args.map((arg, i) => (i === position ? watched : arg)));
  } catch {
    // What is wrong with the call is said by the call itself.
  }
  return isData ? 'data' : names;
}

function unknownName(
  command: string,
  position: number,
  name: string,
  names: ReadonlySet<string>,
): InvalidArgumentError {
  const meant = [...names].find(
    (one) =>
      one.toLowerCase() === name.toLowerCase().replace(/[^a-z]/g, '') || one.toLowerCase() === name.toLowerCase(),
  );
  return new InvalidArgumentError(
    command,
    position,
    meant === undefined
      ? `has an option that the command does not have; it has ${[...names].slice(0, 12).join(', ')}`
      : `has an option in another spelling; write ${meant}`,
  );
}
