/** Puts every command function onto a class as a method, in camelCase and in capitals, and types that. */
import { InvalidArgumentError } from '../errors.js';
import type { Mapped, TypeMapping } from '../protocol/types.js';
import { checkCall } from './check-call.js';
import type { Command, CommandFunction, ReplyOf } from './command.js';
import { ALIASES, type Aliases, COMMANDS, type Commands, SHARED_COMMANDS, type SharedCommands } from './index.js';
import { NAMESPACES, type Namespaces } from './namespaces.js';

/** What a method of a command makes of its reply: a promise, a longer transaction. See {@link Bound}. */
export interface ReplyKind {
  readonly reply: unknown;
  readonly result: unknown;
}
type Method<F extends CommandFunction, K extends ReplyKind> = (
  ...args: Parameters<F>
) => (K & { readonly reply: ReplyOf<ReturnType<F>> })['result'];
type UpperName<N, A> = N extends keyof A ? A[N] & string : N extends string ? Uppercase<N> : never;
type AliasesOf<G> = G extends { aliases: infer A } ? A : Record<never, never>;
type Methods<G, A, K extends ReplyKind> = {
  [N in keyof G as G[N] extends CommandFunction ? N : never]: G[N] extends CommandFunction ? Method<G[N], K> : never;
} & {
  [N in keyof G as G[N] extends CommandFunction ? UpperName<N, A> : never]: G[N] extends CommandFunction
    ? Method<G[N], K>
    : never;
};

/** Every command as a method whose result is what `K` makes of the reply; those of modules below a name. */
export type Bound<K extends ReplyKind, C = Commands> = Methods<C, Aliases, K> & {
  readonly [N in keyof Namespaces]: Methods<Namespaces[N], AliasesOf<Namespaces[N]>, K>;
};

export interface Promised<M extends TypeMapping> extends ReplyKind {
  readonly result: Promise<Mapped<this['reply'], M>>;
}
/** Every command as a method that resolves with its reply under type mapping `M`. */
export type CommandMethods<M extends TypeMapping = Record<never, never>> = Bound<Promised<M>>;
/** {@link CommandMethods}, without those that need one and the same server: for pools, clusters and Sentinel. */
export type SharedCommandMethods<M extends TypeMapping = Record<never, never>> = Bound<Promised<M>, SharedCommands>;

const NOTHING = {};
/** Somebody has written to all objects' prototype. Asked before arguments are touched, which costs more. */
function isPolluted(): boolean {
  for (const _ in NOTHING) return true;
  return false;
}

/** Options would be read from that prototype too. */
function refuseObjects(command: string, args: readonly unknown[]): void {
  const last = args.length - 1;
  if (typeof args[last] === 'object' && args[last] !== null && !Buffer.isBuffer(args[last]))
    throw new InvalidArgumentError(command, last, 'cannot be read: Object.prototype was written to');
}

type Group = Readonly<Record<string, unknown>>;

/**
 * `run` is called with the object that the method was called on and the command that was built; `fail` with what a
 * command function threw (bad options): by default the method rejects.
 */
export function bindCommands<T extends object>(
  prototype: T,
  run: (self: T, command: Command) => unknown,
  fail: (error: unknown) => unknown = (error) => Promise.reject(error),
  commands: Group = COMMANDS,
): void {
  // The arguments go on as they came, in one step: V8 then never makes an array of them.
  const method =
    <S>(ownerOf: (self: S) => T): Binder =>
    (build) =>
      function (this: S, ...args: unknown[]) {
        let command: Command;
        try {
          if (isPolluted()) refuseObjects(build.name, args);
          // With one argument there is nothing that could be dropped.
          if (args.length > 1) checkCall(build, args);
          command = build(...args);
        } catch (error) {
          return fail(error);
        }
        return run(ownerOf(this), command);
      };
  bindGroup(
    prototype,
    commands,
    ALIASES,
    method<T>((self) => self),
  );
  const binder = method<{ readonly [OWNER]: T }>((namespace) => namespace[OWNER]);
  for (const [name, group] of Object.entries(NAMESPACES) as [string, Group][])
    bindNamespace(prototype, name, group, binder);
}

type Binder = (build: CommandFunction) => unknown;

/** {@link SharedCommandMethods} */
export function bindSharedCommands<T extends object>(prototype: T, run: (self: T, command: Command) => unknown): void {
  bindCommands(prototype, run, undefined, SHARED_COMMANDS);
}

function bindGroup(target: object, group: Group, aliases: Readonly<Record<string, string>>, method: Binder): void {
  for (const [name, build] of Object.entries(group)) {
    if (typeof build !== 'function') continue;
    const value = method(build as CommandFunction);
    // A method that the class has itself (`command`, which is a template too) stays.
    for (const key of [name, aliases[name] ?? name.toUpperCase()])
      if (!Object.hasOwn(target, key))
        Object.defineProperty(target, key, { value, writable: true, configurable: true });
  }
}

const OWNER = Symbol('owner');

/** `client.name.command()`: made when first asked for, one for every client and view, which its commands run on. */
function bindNamespace<T extends object>(prototype: T, name: string, group: Group, binder: Binder): void {
  let methods: object | undefined;
  const made = new WeakMap<T, object>();
  const methodsOf = (): object => {
    const target = {};
    bindGroup(target, group, (group.aliases ?? {}) as Record<string, string>, binder);
    return target;
  };
  Object.defineProperty(prototype, name, {
    configurable: true,
    get(this: T) {
      let namespace = made.get(this);
      if (namespace === undefined) {
        methods ??= methodsOf();
        namespace = Object.create(methods, { [OWNER]: { value: this } }) as object;
        made.set(this, namespace);
      }
      return namespace;
    },
  });
}
