/** Commands of the group "bitmap". https://redis.io/docs/latest/commands/?group=bitmap */
import type { Integer, NumericArgument, RedisArgument } from '../protocol/types.js';
import { list, type Variadic, word } from './arguments.js';
import { Command, spec } from './command.js';

export type BitValue = 0 | 1;
const UNITS = ['BYTE', 'BIT'] as const;

export interface BitCountRange {
  start: number;
  end: number;
  /** What `start` and `end` count; default BYTE. Redis 7.0.0. */
  mode?: 'BYTE' | 'BIT';
}
const BITCOUNT = spec('BITCOUNT');
/** Number of bits set, in the range (both ends included, negative from the end). Redis 2.6.0. */
export function bitCount(key: RedisArgument, range?: BitCountRange): Command<Integer> {
  const args: unknown[] = [key];
  if (range !== undefined) {
    args.push(range.start, range.end);
    if (range.mode !== undefined) args.push(word('BITCOUNT', 'mode', range.mode, UNITS));
  }
  return new Command(BITCOUNT, args);
}

/** `i8`, `u16` …: signed up to 64 bits, unsigned up to 63. */
export type BitFieldEncoding = `${'i' | 'u'}${number}`;
export interface BitFieldGetOperation {
  operation: 'GET';
  encoding: BitFieldEncoding;
  /** In bits; `#2` is the third field of this encoding. */
  offset: number | string;
}
export interface BitFieldSetOperation {
  operation: 'SET';
  encoding: BitFieldEncoding;
  offset: number | string;
  value: NumericArgument;
}
export interface BitFieldIncrByOperation {
  operation: 'INCRBY';
  encoding: BitFieldEncoding;
  offset: number | string;
  increment: NumericArgument;
}
/** What the following SET and INCRBY do with a value that does not fit. */
export interface BitFieldOverflowOperation {
  operation: 'OVERFLOW';
  behavior: 'WRAP' | 'SAT' | 'FAIL' | (string & {});
}
export type BitFieldOperations = readonly (
  | BitFieldGetOperation
  | BitFieldSetOperation
  | BitFieldIncrByOperation
  | BitFieldOverflowOperation
)[];

const BITFIELD = spec('BITFIELD');
/** Reads and writes integers of any width in a string; null where OVERFLOW FAIL refused. Redis 3.2.0. */
export function bitField(key: RedisArgument, operations: BitFieldOperations): Command<(Integer | null)[]> {
  const args: unknown[] = [key];
  for (const item of operations) {
    const operation = word('BITFIELD', 'operation', item.operation, ['GET', 'SET', 'INCRBY', 'OVERFLOW']);
    args.push(operation);
    if (item.operation === 'OVERFLOW') args.push(word('BITFIELD', 'behavior', item.behavior, ['WRAP', 'SAT', 'FAIL']));
    else args.push(item.encoding, item.offset);
    if (item.operation === 'SET') args.push(item.value);
    if (item.operation === 'INCRBY') args.push(item.increment);
  }
  return new Command(BITFIELD, args);
}

export type BitFieldRoOperations = readonly Omit<BitFieldGetOperation, 'operation'>[];
const BITFIELD_RO = spec('BITFIELD_RO');
/** The reading half of BITFIELD, that a replica may run. Redis 6.0.0. */
export function bitFieldRo(key: RedisArgument, operations: BitFieldRoOperations): Command<Integer[]> {
  const args: unknown[] = [key];
  for (const { encoding, offset } of operations) args.push('GET', encoding, offset);
  return new Command(BITFIELD_RO, args);
}

const OPERATIONS = ['AND', 'OR', 'XOR', 'NOT', 'DIFF', 'DIFF1', 'ANDOR', 'ONE'] as const;
/** DIFF, DIFF1, ANDOR and ONE: Redis 8.2.0. */
export type BitOperations = (typeof OPERATIONS)[number];
const BITOP = spec('BITOP');
/** Combines strings bit by bit into `destKey`; resolves with its length in bytes. Redis 2.6.0. */
export const bitOp = (operation: BitOperations, destKey: RedisArgument, key: Variadic) =>
  new Command<Integer>(BITOP, [word('BITOP', 'operation', operation, OPERATIONS), destKey, ...list(key)]);

const BITPOS = spec('BITPOS');
/** Position of the first bit that is `bit`; -1 when there is none. Redis 2.8.7. */
export function bitPos(
  key: RedisArgument,
  bit: BitValue,
  start?: number,
  end?: number,
  mode?: 'BYTE' | 'BIT',
): Command<Integer> {
  const args: unknown[] = [key, bit];
  if (start !== undefined) args.push(start);
  if (end !== undefined) args.push(end);
  if (mode !== undefined) args.push(word('BITPOS', 'mode', mode, UNITS));
  return new Command(BITPOS, args);
}

const GETBIT = spec('GETBIT');
/** One bit; 0 beyond the end. Redis 2.2.0. */
export const getBit = (key: RedisArgument, offset: number) => new Command<Integer<BitValue>>(GETBIT, [key, offset]);

const SETBIT = spec('SETBIT');
/** Sets one bit (offset 0 to 2^32-1); resolves with the old one. Redis 2.2.0. */
export const setBit = (key: RedisArgument, offset: number, value: BitValue) =>
  new Command<Integer<BitValue>>(SETBIT, [key, offset, value]);

export const aliases = { bitFieldRo: 'BITFIELD_RO' } as const;
