/** What command functions need to turn options into arguments, so that no option's value can become another option. */
import { InvalidArgumentError } from '../errors.js';
import type { RedisArgument } from '../protocol/types.js';

/** One value or several: what node-redis calls a variadic argument. */
export type Variadic<T = RedisArgument> = T | readonly T[];

/** Appends one or several values. Elements are checked when the command is dispatched. */
export function pushAll(args: unknown[], values: Variadic<unknown>): void {
  if (Array.isArray(values)) for (const value of values) args.push(value);
  else args.push(values);
}

/** Appends the number of values, then the values. */
export function pushCounted(args: unknown[], values: Variadic<unknown>): void {
  args.push(String(Array.isArray(values) ? values.length : 1));
  pushAll(args, values);
}

/**
 * An option word that comes from the caller: only one of `allowed` passes, in any case, so that input which reaches
 * an option cannot smuggle in another.
 * @throws InvalidArgumentError
 */
export function word<const T extends string>(
  command: string,
  option: string,
  value: unknown,
  allowed: readonly T[],
): T {
  const upper = typeof value === 'string' ? value.toUpperCase() : undefined;
  const match = allowed.find((candidate) => candidate === upper);
  if (match === undefined) throw new InvalidArgumentError(command, option, `must be one of ${allowed.join(', ')}`);
  return match;
}

/** A score or coordinate: numbers become text as Redis reads it; text passes as it is. */
export function double(value: RedisArgument | number): RedisArgument {
  if (typeof value !== 'number') return value;
  if (value === Number.POSITIVE_INFINITY) return '+inf';
  if (value === Number.NEGATIVE_INFINITY) return '-inf';
  return String(value);
}

/** Seconds since the epoch, from a Date or a number. */
export function seconds(value: number | Date): string {
  return String(value instanceof Date ? Math.floor(value.getTime() / 1000) : value);
}

/** Milliseconds since the epoch, from a Date or a number. */
export function millis(value: number | Date): string {
  return String(value instanceof Date ? value.getTime() : value);
}
