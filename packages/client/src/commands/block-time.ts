import type { Command } from './command.js';

/** Where a command that blocks names its time: the last or the first argument, in seconds. */
const LAST = new Set(['BLPOP', 'BRPOP', 'BRPOPLPUSH', 'BLMOVE', 'BLMOVEM', 'BZPOPMIN', 'BZPOPMAX']);
const FIRST = new Set(['BLMPOP', 'BZMPOP']);

/** Milliseconds that a command asks the server to wait; 0 = for ever, or not known. */
export function blockTime({ spec: { name }, args }: Command): number {
  if (LAST.has(name)) return milliseconds(args.at(-1), 1000);
  if (FIRST.has(name)) return milliseconds(args[0], 1000);
  const option = args.findIndex((arg) => typeof arg === 'string' && arg.toUpperCase() === 'BLOCK');
  return option === -1 ? 0 : milliseconds(args[option + 1], 1);
}

function milliseconds(value: unknown, unit: number): number {
  const number = Number(value);
  return number > 0 && Number.isFinite(number) ? Math.ceil(number * unit) : 0;
}
