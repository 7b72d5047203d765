/** Puts every command function onto a class as a method, in camelCase and in capitals, and types that. */
import type { Mapped, TypeMapping } from '../protocol/types.js';
import type { Command, CommandFunction, ReplyOf } from './command.js';
import { ALIASES, type Aliases, COMMANDS, type Commands } from './index.js';

type Method<F extends CommandFunction, M> = (...args: Parameters<F>) => Promise<Mapped<ReplyOf<ReturnType<F>>, M>>;
type UpperName<K> = K extends keyof Aliases ? Aliases[K] : K extends string ? Uppercase<K> : never;

/** Every command as a method that resolves with its reply under type mapping `M`. */
export type CommandMethods<M extends TypeMapping = Record<never, never>> = {
  [K in keyof Commands]: Method<Commands[K], M>;
} & {
  [K in keyof Commands as UpperName<K>]: Method<Commands[K], M>;
};

/**
 * `run` is called with the object that the method was called on and the command that was built; `fail` with what a
 * command function threw (bad options): by default the method rejects.
 */
export function bindCommands<T extends object>(
  prototype: T,
  run: (self: T, command: Command) => unknown,
  fail: (error: unknown) => unknown = (error) => Promise.reject(error),
): void {
  for (const [name, build] of Object.entries(COMMANDS) as [string, CommandFunction][]) {
    const method = function (this: T, ...args: unknown[]): unknown {
      let command: Command;
      try {
        command = build(...args);
      } catch (error) {
        return fail(error);
      }
      return run(this, command);
    };
    const upper = (ALIASES as Record<string, string>)[name] ?? name.toUpperCase();
    // A method that the class has itself (`command`, which is a template too) stays.
    for (const key of [name, upper])
      if (!Object.hasOwn(prototype, key))
        Object.defineProperty(prototype, key, { value: method, writable: true, configurable: true });
  }
}
