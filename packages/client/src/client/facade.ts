/**
 * What client, pool, cluster and Sentinel client have in common: a core, command options, and views of themselves with
 * other command options. Nothing that a façade holds is enumerable, so spreading or printing one shows nothing of it.
 */
import { EventEmitter } from 'node:events';
import { type Command, rawCommand } from '../commands/command.js';
import type { TransactionTarget } from '../dispatcher.js';
import { InvalidArgumentError } from '../errors.js';
import { type CommandOptions, callOptions, effectiveOptions, mergeOptions } from '../options/command-options.js';
import type { RedisArgument } from '../protocol/types.js';
import { type CustomCommandOptions, type RedisScript, runScript } from '../scripting/custom-commands.js';
import { transactionFor } from '../transaction/custom-transaction.js';
import type { Transaction } from '../transaction/transaction.js';
import { CORE, GIVEN, OPTIONS } from './symbols.js';

/** A command by its words: each is one argument, whatever it contains. */
export type Words = readonly (RedisArgument | number | bigint)[];

export interface FacadeCore extends TransactionTarget {
  readonly options: TransactionTarget['options'] & { readonly commandOptions: CommandOptions };
  dispatch<T>(command: Command<T>, options?: CommandOptions): Promise<T>;
}

export abstract class Facade<C extends FacadeCore, G extends CustomCommandOptions> extends EventEmitter {
  declare readonly [CORE]: C;
  declare readonly [OPTIONS]: CommandOptions | undefined;
  declare readonly [GIVEN]: () => G;

  /** What every command of this object, or of this view of it, runs with unless its call has other options. */
  get commandOptions(): CommandOptions {
    return effectiveOptions(this[CORE].options, this[OPTIONS]);
  }
}

/** Gives a façade what it holds. */
export function equip<C extends FacadeCore, G extends CustomCommandOptions>(
  facade: Facade<C, G>,
  core: C,
  given: G,
): void {
  Object.defineProperty(facade, CORE, { value: core });
  Object.defineProperty(facade, OPTIONS, { value: undefined });
  Object.defineProperty(facade, GIVEN, { value: () => given, configurable: true });
}

type AnyFacade = Facade<FacadeCore, CustomCommandOptions>;

/** The same façade with other options for its commands. */
export function viewOf<V>(facade: AnyFacade, options: CommandOptions): V {
  const merged = mergeOptions(facade[CORE].options, facade[OPTIONS], options);
  return Object.create(facade, { [OPTIONS]: { value: merged } }) as V;
}

/** Runs a command by its words; `run` is where, by default the façade's core. */
export function sendWords<T>(
  facade: AnyFacade,
  args: Words | undefined,
  options: CommandOptions | undefined,
  run: (command: Command<T>, options: CommandOptions | undefined) => Promise<T> = (command, merged) =>
    facade[CORE].dispatch(command, merged),
): Promise<T> {
  try {
    if (!Array.isArray(args)) throw new InvalidArgumentError('sendCommand', 'args', 'must be an array');
    return run(rawCommand<T>(args), callOptions(facade[CORE].options, facade[OPTIONS], options));
  } catch (error) {
    return Promise.reject(error);
  }
}

/** Runs a command of the application's own scripts, functions and modules. */
export async function runCustom(facade: AnyFacade, command: Command, script?: RedisScript): Promise<unknown> {
  const { [CORE]: core, [OPTIONS]: options } = facade;
  if (script === undefined) return core.dispatch(command, options);
  return runScript((value, other) => core.dispatch(value, other), command, script, options);
}

/** A transaction that knows the façade's scripts, functions and modules; `target` is where it runs. */
export function transactionOf(facade: AnyFacade, target: TransactionTarget = facade[CORE]): Transaction {
  const Multi = transactionFor(facade[GIVEN]());
  return new Multi(target, facade[OPTIONS]);
}
