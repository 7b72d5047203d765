/**
 * One cursor for SCAN over all masters: the master's first slot in the low 14 bits, the server's own cursor above.
 * Masters are visited in the order of their first slot. Nothing has to be remembered between the calls.
 */
import { InvalidArgumentError } from '../errors.js';

const SLOT_BITS = 14n;

/** `starts`: the first slots of all masters, ascending. `0` begins. */
export function readCursor(cursor: unknown, starts: readonly number[]): { start: number; cursor: string } {
  const text = String(cursor);
  if (text === '0') return { start: starts[0] ?? 0, cursor: '0' };
  const value = /^\d{1,40}$/.test(text) ? BigInt(text) : -1n;
  const start = Number(value & ((1n << SLOT_BITS) - 1n));
  if (value < 0n || !starts.includes(start))
    throw new InvalidArgumentError(
      'SCAN',
      'cursor',
      'is an unknown cursor: the slots have moved, or it is of another cluster',
    );
  return { start, cursor: String(value >> SLOT_BITS) };
}

/** The cursor for the next call; `0` when all masters are done. */
export function nextCursor(serverCursor: string, start: number, starts: readonly number[]): string {
  if (serverCursor !== '0') return String((BigInt(serverCursor) << SLOT_BITS) | BigInt(start));
  const next = starts.find((other) => other > start);
  return next === undefined ? '0' : String(next);
}
