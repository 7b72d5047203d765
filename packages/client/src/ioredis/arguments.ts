/** What callers of ioredis pass, as the arguments of one command: arrays flattened, objects spread, everything else text. */
import { InvalidArgumentError } from '../errors.js';

export type ArgumentTransformer = (args: unknown[]) => unknown[];

/**
 * The arguments as the encoder takes them; `args` itself when there is nothing to change. `null` and `undefined`
 * become the empty string.
 * @throws InvalidArgumentError for NaN, functions, symbols, and objects without a text of their own
 */
export function normalizeArguments(command: string, args: unknown[]): unknown[] {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    if (typeof arg === 'string' || (typeof arg === 'number' && isPlainNumber(arg)) || Buffer.isBuffer(arg)) continue;
    return normalizeSlowly(command, args);
  }
  return args;
}

/** Numbers that `String` writes as Redis reads them. */
const isPlainNumber = (value: number): boolean =>
  Number.isSafeInteger(value) || (value % 1 !== 0 && !Number.isNaN(value));

function normalizeSlowly(command: string, args: readonly unknown[]): unknown[] {
  const flat: unknown[] = [];
  for (const arg of args) {
    if (Array.isArray(arg)) for (const item of arg) flat.push(item);
    else flat.push(arg);
  }
  return flat.map((arg, i) => toArgument(command, arg, i));
}

function toArgument(command: string, arg: unknown, position: number): unknown {
  switch (typeof arg) {
    case 'string':
    case 'bigint':
      return arg;
    case 'undefined':
      return '';
    case 'boolean':
      return String(arg);
    case 'number':
      if (Number.isNaN(arg)) throw new InvalidArgumentError(command, position, 'is NaN');
      // 1e21 and larger would be written with an exponent, which Redis does not read as an integer.
      return Number.isInteger(arg) && !Number.isSafeInteger(arg) ? BigInt(arg).toString() : String(arg);
    case 'object': {
      if (arg === null) return '';
      if (arg instanceof Uint8Array) return arg;
      const text = String(arg);
      if (text === '[object Object]')
        throw new InvalidArgumentError(command, position, 'is an object; pass a string, Buffer or number');
      return text;
    }
    default:
      throw new InvalidArgumentError(command, position, `is a ${typeof arg}`);
  }
}

const isSpreadable = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);

function pairsOf(value: object): unknown[] {
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return entries.flatMap(([name, item]) => [name, item as unknown]);
}

const spreadFirst: ArgumentTransformer = (args) =>
  args.length === 1 && isSpreadable(args[0]) ? pairsOf(args[0]) : args;
const spreadSecond: ArgumentTransformer = (args) =>
  args.length === 2 && isSpreadable(args[1]) ? [args[0], ...pairsOf(args[1])] : args;

/** Commands that take an object or a Map for their pairs. */
export const BUILT_IN_ARGUMENTS: Readonly<Record<string, ArgumentTransformer>> = {
  mset: spreadFirst,
  msetnx: spreadFirst,
  hset: spreadSecond,
  hmset: spreadSecond,
};
