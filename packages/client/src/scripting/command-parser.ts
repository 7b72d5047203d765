/** Collects the arguments of a module's, function's or script's command. node-redis's shape. */
import { Command, type CommandSpec, type ReplyReader, rawCommand } from '../commands/command.js';
import type { RedisArgument } from '../protocol/types.js';

export type RedisVariadicArgument = RedisArgument | readonly RedisArgument[];

export interface CommandParser {
  readonly redisArgs: readonly RedisArgument[];
  readonly keys: readonly RedisArgument[];
  readonly firstKey: RedisArgument | undefined;
  /** Handed to the reply's transformation. */
  preserve: unknown;
  push(...args: RedisArgument[]): void;
  pushVariadic(values: RedisVariadicArgument): void;
  pushVariadicWithLength(values: RedisVariadicArgument): void;
  pushVariadicNumber(values: number | readonly number[]): void;
  /** A key: prefixed and used for routing. */
  pushKey(key: RedisArgument, applyPrefix?: boolean): void;
  pushKeys(keys: RedisVariadicArgument): void;
  pushKeysLength(keys: RedisVariadicArgument): void;
}

export class BasicCommandParser implements CommandParser {
  readonly redisArgs: RedisArgument[] = [];
  readonly #keyPositions: number[] = [];
  preserve: unknown;

  get keys(): RedisArgument[] {
    return this.#keyPositions.map((position) => this.redisArgs[position]!);
  }
  get firstKey(): RedisArgument | undefined {
    return this.keys[0];
  }

  push(...args: RedisArgument[]): void {
    this.redisArgs.push(...args);
  }
  pushVariadic(values: RedisVariadicArgument): void {
    this.push(...listOf(values));
  }
  pushVariadicWithLength(values: RedisVariadicArgument): void {
    this.push(String(listOf(values).length));
    this.pushVariadic(values);
  }
  pushVariadicNumber(values: number | readonly number[]): void {
    for (const value of typeof values === 'number' ? [values] : values) this.push(String(value));
  }
  pushKey(key: RedisArgument, applyPrefix = true): void {
    if (applyPrefix) this.#keyPositions.push(this.redisArgs.length);
    this.redisArgs.push(key);
  }
  pushKeys(keys: RedisVariadicArgument): void {
    for (const key of listOf(keys)) this.pushKey(key);
  }
  pushKeysLength(keys: RedisVariadicArgument): void {
    this.push(String(listOf(keys).length));
    this.pushKeys(keys);
  }

  /** The command that was collected. */
  toCommand(read: CommandSpec['read'], flags?: number): Command {
    const { spec, args } = rawCommand(this.redisArgs);
    const keys = this.#keyPositions.map((position) => position - spec.words);
    return new Command({ ...spec, flags: flags ?? spec.flags, keys: () => keys, read }, args, this.preserve);
  }
}

/** One for both protocols, or one each. */
export function readersOf(
  transform: ReplyReader | { readonly 2?: ReplyReader; readonly 3?: ReplyReader } | undefined,
): CommandSpec['read'] {
  if (typeof transform === 'function') return { 2: transform, 3: transform };
  return { 2: transform?.[2], 3: transform?.[3] };
}

function listOf(values: RedisVariadicArgument): readonly RedisArgument[] {
  return Array.isArray(values) ? (values as readonly RedisArgument[]) : [values as RedisArgument];
}
