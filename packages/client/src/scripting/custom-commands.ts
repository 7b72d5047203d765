/** Scripts, functions and modules given to a client become its methods. node-redis's shapes. */
import { createHash } from 'node:crypto';
import type { Promised, ReplyKind } from '../commands/bind.js';
import { type Command, Flag, Command as Value } from '../commands/command.js';
import { ErrorReply, InvalidOptionError } from '../errors.js';
import type { CommandOptions } from '../options/command-options.js';
import { isBytes, isObject } from '../options/rules.js';
import type { TypeMapping } from '../protocol/types.js';
import { BasicCommandParser, type CommandParser, readersOf } from './command-parser.js';

/** How a custom command builds its arguments and reads its reply. */
export interface CustomCommand {
  // biome-ignore lint/suspicious/noExplicitAny: the parameters are the user's own
  parseCommand(parser: CommandParser, ...args: any[]): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: the reply is the user's own
  transformReply?: ((reply: any, preserve?: any, mapping?: any) => unknown) | { 2?: any; 3?: any };
  /** Does not write: may run on replicas and be repeated. */
  IS_READ_ONLY?: boolean;
}
export interface RedisFunction extends CustomCommand {
  NUMBER_OF_KEYS?: number;
}
export interface RedisScriptConfig extends CustomCommand {
  SCRIPT: string | Buffer;
  NUMBER_OF_KEYS?: number;
}
export interface RedisScript extends RedisScriptConfig {
  SHA1: string;
}
export const isCustomCommand = (value: unknown): value is CustomCommand =>
  isObject(value) && typeof (value as Partial<CustomCommand>).parseCommand === 'function';
export const isScriptConfig = (value: unknown): value is RedisScriptConfig =>
  isCustomCommand(value) && isBytes((value as Partial<RedisScriptConfig>).SCRIPT);

export type RedisModules = Readonly<Record<string, Readonly<Record<string, CustomCommand>>>>;
export type RedisFunctions = Readonly<Record<string, Readonly<Record<string, RedisFunction>>>>;
export type RedisScripts = Readonly<Record<string, RedisScript>>;

export interface CustomCommandOptions {
  /** `client.<module>.<command>(…)` */
  modules?: RedisModules;
  /** `client.<library>.<function>(…)`, called with FCALL (Redis 7.0). */
  functions?: RedisFunctions;
  /** `client.<name>(…)`, run by EVALSHA, sent whole only when the server does not know it. */
  scripts?: RedisScripts;
}

/**
 * A Lua script as a method of the client.
 * @example
 * const square = defineScript({
 *   SCRIPT: 'return redis.call("GET", KEYS[1]) ^ 2',
 *   NUMBER_OF_KEYS: 1,
 *   parseCommand(parser, key: string) { parser.pushKey(key); },
 *   transformReply: (reply: number) => reply,
 * });
 * const client = createClient({ scripts: { square } });
 * await client.square('key');
 * @throws InvalidOptionError
 */
export function defineScript<S extends RedisScriptConfig>(script: S): S & { SHA1: string } {
  if (!isScriptConfig(script))
    throw new InvalidOptionError('defineScript', 'must be given SCRIPT, a string or a Buffer, and parseCommand()');
  return { ...script, SHA1: createHash('sha1').update(script.SCRIPT).digest('hex') };
}

type Rest<P> = P extends [unknown, ...infer R] ? R : never;
type ReplyOfCustom<C> = C extends { transformReply: infer T }
  ? T extends (...args: never[]) => infer R
    ? R
    : T extends { 3: (...args: never[]) => infer R }
      ? R
      : unknown
  : unknown;
type CustomMethod<C extends CustomCommand, K extends ReplyKind> = (
  ...args: Rest<Parameters<C['parseCommand']>>
) => (K & { readonly reply: ReplyOfCustom<C> })['result'];
type CustomNamespaces<N, K extends ReplyKind> = {
  readonly [L in keyof N]: {
    readonly [C in keyof N[L]]: N[L][C] extends CustomCommand ? CustomMethod<N[L][C], K> : never;
  };
};

/** `K` when `V` names its members: any modules, or none, add no method that is known. */
type Named<V, K> = keyof V extends never ? never : string extends keyof V ? never : K;
type NamedOf<O> = { [K in keyof O & keyof CustomCommandOptions as Named<O[K], K>]: O[K] };
/**
 * Of a client's options those that give it methods: what of `O` is part of the client's type. The same type for all
 * that give none, so that the compiler need not compare clients member by member.
 */
export type CustomOf<O> = keyof NamedOf<O> extends never ? Record<never, never> : NamedOf<O>;
/** The type mapping that options `O` give to all commands. */
export type MappingOf<O> = O extends { commandOptions: { typeMapping: infer M extends TypeMapping } }
  ? M
  : Record<never, never>;

/** The methods that options `O` add; their result is what `K` makes of the reply. */
export type CustomBound<O, K extends ReplyKind> = (O extends { modules: infer N extends RedisModules }
  ? CustomNamespaces<N, K>
  : unknown) &
  (O extends { functions: infer N extends RedisFunctions } ? CustomNamespaces<N, K> : unknown) &
  (O extends { scripts: infer S extends RedisScripts } ? { readonly [N in keyof S]: CustomMethod<S[N], K> } : unknown);
/** The methods that options `O` add to a client. */
export type CustomMethods<O, M extends TypeMapping = Record<never, never>> = CustomBound<O, Promised<M>>;

type Run = (self: object, command: Command, script?: RedisScript) => unknown;

export function hasCustomCommands({ modules, functions, scripts }: CustomCommandOptions): boolean {
  return modules !== undefined || functions !== undefined || scripts !== undefined;
}

/** Puts the methods onto `prototype`; false when there are none. `run` is called with the object they are called on. */
export function bindCustomCommands(prototype: object, options: CustomCommandOptions, run: Run): boolean {
  let any = false;
  const namespaces = [...Object.entries(options.modules ?? {}), ...Object.entries(options.functions ?? {})];
  for (const [name, commands] of namespaces) {
    any = true;
    const isLibrary = options.functions !== undefined && name in options.functions;
    defineNamespace(prototype, name, commands, (self, functionName, command, args) =>
      run(self, isLibrary ? functionCommand(functionName, command, args) : moduleCommand(command, args)),
    );
  }
  for (const [name, script] of Object.entries(options.scripts ?? {})) {
    any = true;
    define(prototype, name, function (this: object, ...args: unknown[]) {
      return run(this, scriptCommand(script, args), script);
    });
  }
  return any;
}

function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, writable: true, configurable: true });
}

type Call = (self: object, name: string, command: RedisFunction, args: unknown[]) => unknown;

/** `client.name.command()`: one namespace object for every view of the client, which it runs on. */
function defineNamespace(
  prototype: object,
  name: string,
  commands: Readonly<Record<string, RedisFunction>>,
  call: Call,
): void {
  const methods: object = {};
  for (const [commandName, command] of Object.entries(commands)) {
    define(methods, commandName, function (this: { readonly _self: object }, ...args: unknown[]) {
      return call(this._self, commandName, command, args);
    });
  }
  const made = new WeakMap<object, object>();
  Object.defineProperty(prototype, name, {
    configurable: true,
    get(this: object) {
      let namespace = made.get(this);
      if (namespace === undefined) {
        namespace = Object.create(methods, { _self: { value: this } }) as object;
        made.set(this, namespace);
      }
      return namespace;
    },
  });
}

function flagsOf(command: CustomCommand): number | undefined {
  return command.IS_READ_ONLY === true ? Flag.READONLY : undefined;
}

function moduleCommand(command: CustomCommand, args: unknown[]): Command {
  const parser = new BasicCommandParser();
  command.parseCommand(parser, ...args);
  return parser.toCommand(readersOf(command.transformReply), flagsOf(command));
}

function functionCommand(name: string, command: RedisFunction, args: unknown[]): Command {
  return prefixed([command.IS_READ_ONLY === true ? 'FCALL_RO' : 'FCALL', name], command, args);
}

function scriptCommand(script: RedisScript, args: unknown[]): Command {
  return prefixed([script.IS_READ_ONLY === true ? 'EVALSHA_RO' : 'EVALSHA', script.SHA1], script, args);
}

function prefixed(words: string[], command: RedisFunction, args: unknown[]): Command {
  const parser = new BasicCommandParser();
  parser.push(...words);
  if (command.NUMBER_OF_KEYS !== undefined) parser.push(String(command.NUMBER_OF_KEYS));
  command.parseCommand(parser, ...args);
  return parser.toCommand(readersOf(command.transformReply), flagsOf(command));
}

/** The same call with the script's text instead of its digest. */
export function withScriptText({ spec, args, preserve }: Command, script: RedisScript): Command {
  const name = spec.name.replace('EVALSHA', 'EVAL');
  const head = new BasicCommandParser();
  head.push(name);
  const evalSpec = head.toCommand(spec.read, spec.flags).spec;
  return new Value({ ...evalSpec, keys: spec.keys }, [script.SCRIPT, ...args.slice(1)], preserve);
}

/** Runs a script by its digest, and by its text when the server does not know it. */
export async function runScript(
  dispatch: (command: Command, options?: CommandOptions) => Promise<unknown>,
  command: Command,
  script: RedisScript,
  options?: CommandOptions,
): Promise<unknown> {
  try {
    return await dispatch(command, options);
  } catch (error) {
    if (!(error instanceof ErrorReply) || error.prefix !== 'NOSCRIPT') throw error;
    return dispatch(withScriptText(command, script), options);
  }
}
