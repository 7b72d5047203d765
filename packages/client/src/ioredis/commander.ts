/** Puts every command onto a class: `get`, `getBuffer`, `call`; with a callback or without. */

import { createHash } from 'node:crypto';
import { nextTick } from '../clock.js';
import { Command, type CommandSpec, Flag, rawCommand } from '../commands/command.js';
import { normalizeArguments } from './arguments.js';
import { COMMAND_NAMES, type CommandEntry, entryOf } from './command-entry.js';
import { RUN } from './symbols.js';

// biome-ignore lint/suspicious/noExplicitAny: a callback takes whatever its command answers; typed where it is declared
export type Callback<T = any> = (error?: Error | null, result?: T) => void;
type NodeCallback = (error: unknown, result?: unknown) => void;

/** What runs commands: a client, a cluster, a pipeline. */
export interface Runner {
  [RUN](source: CommandSource, args: unknown[], bytes: boolean, callback: NodeCallback | undefined): unknown;
}

/** What a method makes its command of. */
export interface CommandSource {
  readonly name: string;
  /** @throws InvalidArgumentError */
  build(args: unknown[]): Command;
}

/** Calls back with the outcome, and returns the promise, whose rejection is then handled. */
export function withCallback<T>(promise: Promise<T>, callback: NodeCallback | undefined): Promise<T> {
  if (callback === undefined) return promise;
  // What a callback throws is nobody's rejection: it surfaces as it would from any other event.
  const call = (error: unknown, result?: unknown) => {
    try {
      if (error === null) callback(null, result);
      else callback(error);
    } catch (thrown) {
      nextTick(() => {
        throw thrown;
      });
    }
  };
  promise.then(
    (result) => call(null, result),
    (error: unknown) => call(error),
  );
  return promise;
}

const takeCallback = (args: unknown[]): NodeCallback | undefined =>
  typeof args[args.length - 1] === 'function' ? (args.pop() as NodeCallback) : undefined;

function methodOf(source: CommandSource, bytes: boolean) {
  return function (this: Runner, ...args: unknown[]): unknown {
    return this[RUN](source, args, bytes, takeCallback(args));
  };
}

/** Commands that are more than a request and its answer: called by any name, they are the methods of the class. */
const NOT_PLAIN = new Set(
  'quit reset multi exec discard watch unwatch select subscribe psubscribe ssubscribe unsubscribe punsubscribe sunsubscribe'.split(
    ' ',
  ),
);

/** `call('SET', 'key', 'value')` and `call('SET', ['key', 'value'])`. */
function caller(bytes: boolean) {
  return function (this: Runner, ...args: unknown[]): unknown {
    const callback = takeCallback(args);
    const words = Array.isArray(args[0]) ? args.flat() : args;
    const name = String(words.shift()).toLowerCase();
    if (!NOT_PLAIN.has(name)) return this[RUN](entryOf(name), words, bytes, callback);
    const method = (this as unknown as Record<string, (...rest: unknown[]) => unknown>)[name]!;
    return method.call(this, ...words, ...(callback === undefined ? [] : [callback]));
  };
}

/** The method of that name, whatever the class makes of it. */
function alias(name: string) {
  return function (this: Record<string, (...args: unknown[]) => unknown>, ...args: unknown[]): unknown {
    return this[name]!(...args);
  };
}

export const define = (target: object, name: string, value: unknown): void => {
  Object.defineProperty(target, name, { value, writable: true, configurable: true });
};

/** Methods that the class has itself stay. */
export function bindCommander(prototype: Runner): void {
  const add = (name: string, value: unknown) => {
    if (!Object.hasOwn(prototype, name)) define(prototype, name, value);
  };
  for (const name of COMMAND_NAMES) {
    const entry = entryOf(name);
    add(name, methodOf(entry, false));
    add(`${name}Buffer`, NOT_PLAIN.has(name) ? alias(name) : methodOf(entry, true));
  }
  add('call', caller(false));
  add('callBuffer', caller(true));
  add('send_command', caller(false));
  add('getBuiltinCommands', () => COMMAND_NAMES.slice());
  add('createBuiltinCommand', (name: string) => ({
    string: methodOf(entryOf(name), false),
    buffer: methodOf(entryOf(name), true),
  }));
}

/** Puts one command onto an object. */
export function bindCommand(target: object, name: string): void {
  define(target, name, methodOf(entryOf(name), false));
  define(target, `${name}Buffer`, methodOf(entryOf(name), true));
}

export interface ScriptDefinition {
  lua: string;
  /** Without it the first argument of each call is the number of keys. */
  numberOfKeys?: number | undefined;
  /** Runs on replicas too, and again after a lost connection. */
  readOnly?: boolean | undefined;
}

/** A command made of a Lua script: sent by its digest, by its text where the server may not know it. */
export class Script implements CommandSource {
  readonly name: string;
  readonly lua: string;
  readonly sha: string;
  readonly #numberOfKeys: number | undefined;
  readonly #spec: CommandSpec;
  readonly #textSpec: CommandSpec;

  constructor(name: string, { lua, numberOfKeys, readOnly }: ScriptDefinition) {
    this.name = name;
    this.lua = lua;
    this.sha = createHash('sha1').update(lua).digest('hex');
    this.#numberOfKeys = numberOfKeys ?? undefined;
    const spec = (word: string): CommandSpec => {
      const { spec } = rawCommand([word]);
      return readOnly === true ? { ...spec, flags: (spec.flags & ~Flag.WRITE) | Flag.READONLY } : spec;
    };
    this.#spec = spec('evalsha');
    // By the name of EVALSHA for policies: a script defined once is not one of many made from data.
    this.#textSpec = { ...spec('eval'), name: this.#spec.name };
  }

  build(args: unknown[]): Command {
    const all: unknown[] = this.#numberOfKeys === undefined ? [this.sha] : [this.sha, this.#numberOfKeys];
    for (const arg of args) {
      if (Array.isArray(arg)) for (const item of arg) all.push(item);
      else all.push(arg);
    }
    return new Command(this.#spec, normalizeArguments(this.name, all));
  }

  /** The same call with the script's text. */
  withText({ args }: Command): Command {
    return new Command(this.#textSpec, [this.lua, ...args.slice(1)]);
  }
}

export function bindScript(target: object, script: Script): void {
  define(target, script.name, methodOf(script, false));
  define(target, `${script.name}Buffer`, methodOf(script, true));
}
export type { CommandEntry };
