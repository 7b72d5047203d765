/** What command functions need to turn options into arguments, so that no option's value can become another option. */
import { InvalidArgumentError } from '../errors.js';
import type { NumericArgument, RedisArgument } from '../protocol/types.js';
import type { RedisFlushMode } from './constants.js';

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
export function seconds(value: number | Date): number {
  return value instanceof Date ? Math.floor(value.getTime() / 1000) : value;
}

/** Milliseconds since the epoch, from a Date or a number. */
export function millis(value: number | Date): number {
  return value instanceof Date ? value.getTime() : value;
}

/** One value or several, as a list of its own. */
export function list(values: Variadic<unknown>): unknown[] {
  return Array.isArray(values) ? values.slice() : [values];
}

/**
 * A number that the server looks for after its options: text passes only when it reads as a number, so that it cannot
 * be taken for one of them.
 * @throws InvalidArgumentError
 */
export function numeric(command: string, option: string, value: NumericArgument): RedisArgument | bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return double(value);
  if (!/^[+-]?(\d+(\.\d*)?|\.\d+|inf(inity)?)(e[+-]?\d+)?$/i.test(String(value)))
    throw new InvalidArgumentError(command, option, 'is not a number');
  return value;
}

/** Expiries that take a value. */
export const EXPIRATIONS = ['EX', 'PX', 'EXAT', 'PXAT'] as const;

/** Seconds (`EX`), milliseconds (`PX`), a Unix time in seconds (`EXAT`) or milliseconds (`PXAT`), or a `Bare` word. */
export type Expiration<Bare extends string> =
  | { type: 'EX' | 'PX'; value: number }
  | { type: 'EXAT' | 'PXAT'; value: number | Date }
  | { type: Bare }
  | Bare;

/** Appends an expiry; `bare` is the word that takes no value (`PERSIST`, `KEEPTTL`). */
export function pushExpiration<const Bare extends string>(
  args: unknown[],
  command: string,
  expiration: Expiration<Bare>,
  bare: Bare,
): void {
  const given = typeof expiration === 'string' ? { type: expiration } : expiration;
  const type = word(command, 'expiration', given.type, [...EXPIRATIONS, bare]);
  args.push(type);
  if (type === bare) return;
  const { value } = given as { value: number | Date };
  args.push(type === 'EXAT' ? seconds(value) : type === 'PXAT' ? millis(value) : value);
}

export interface ScanCommonOptions {
  /** Glob pattern; escape user input with `escapeGlob`. */
  MATCH?: string | Buffer;
  /** Hint of how much work one call does; server default 10. */
  COUNT?: number;
}
export function pushScanOptions(args: unknown[], options: ScanCommonOptions | undefined): void {
  if (options?.MATCH !== undefined) args.push('MATCH', options.MATCH);
  if (options?.COUNT !== undefined) args.push('COUNT', options.COUNT);
}

/** The mode of a FLUSH command. */
export const flushMode = (command: string, mode: RedisFlushMode | undefined): unknown[] =>
  mode === undefined ? [] : [word(command, 'mode', mode, ['ASYNC', 'SYNC'])];

export interface EvalOptions {
  /** KEYS in the script. */
  keys?: readonly RedisArgument[];
  /** ARGV in the script. User input belongs here, never into the script's text. */
  arguments?: readonly (RedisArgument | number | bigint)[];
}
/** Script or function, number of keys, keys, arguments. */
export const evalArguments = (script: RedisArgument, options: EvalOptions | undefined): unknown[] => [
  script,
  options?.keys?.length ?? 0,
  ...(options?.keys ?? []),
  ...(options?.arguments ?? []),
];
