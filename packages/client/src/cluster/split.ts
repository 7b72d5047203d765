/**
 * Commands on keys of several slots, and commands that concern the whole cluster: how they are taken apart and how
 * the replies are put together.
 */
import { Command } from '../commands/command.js';
import { slotOf } from './slot.js';

export interface SplitCommand {
  readonly parts: readonly { readonly slot: number; readonly command: Command }[];
  /** Replies in the order of `parts` to the reply of the whole. */
  readonly merge: (replies: unknown[]) => unknown;
}

/** Arguments per key of the commands that can be split: each part is atomic, the whole is not. */
const SPLITTABLE: Readonly<Record<string, number>> = { MGET: 1, DEL: 1, UNLINK: 1, EXISTS: 1, TOUCH: 1, MSET: 2 };

/** One command a slot; undefined when the command must not be split. */
export function splitBySlot(command: Command): SplitCommand | undefined {
  const { spec, args } = command;
  const step = SPLITTABLE[spec.name];
  if (step === undefined || args.length % step !== 0) return undefined;
  const bySlot = new Map<number, { args: unknown[]; positions: number[] }>();
  for (let i = 0; i < args.length; i += step) {
    const slot = slotOf(args[i]);
    let part = bySlot.get(slot);
    if (part === undefined) {
      part = { args: [], positions: [] };
      bySlot.set(slot, part);
    }
    part.args.push(...args.slice(i, i + step));
    part.positions.push(i / step);
  }
  const parts = [...bySlot.entries()];
  return {
    parts: parts.map(([slot, part]) => ({ slot, command: new Command(spec, part.args, command.preserve) })),
    merge(replies) {
      if (spec.name === 'MSET') return replies[0];
      if (spec.name !== 'MGET') return sum(replies);
      const values = new Array<unknown>(args.length);
      for (const [i, [, { positions }]] of parts.entries())
        for (const [j, position] of positions.entries()) values[position] = (replies[i] as unknown[])[j];
      return values;
    },
  };
}

export interface FanOut {
  readonly to: 'masters' | 'nodes';
  readonly merge: (replies: unknown[]) => unknown;
}

const first = (replies: unknown[]) => replies[0];
const concat = (replies: unknown[]) => replies.flat(1);
const onMasters = (merge: FanOut['merge']): FanOut => ({ to: 'masters', merge });
const onNodes = (merge: FanOut['merge']): FanOut => ({ to: 'nodes', merge });

/** Commands without a key that speak of the whole keyspace or of every server. They fail when one server fails. */
export const FAN_OUT: Readonly<Record<string, FanOut | undefined>> = {
  DBSIZE: onMasters(sum),
  KEYS: onMasters(concat),
  FLUSHALL: onMasters(first),
  FLUSHDB: onMasters(first),
  PING: onMasters(first),
  RANDOMKEY: onMasters((replies) => replies.find((reply) => reply !== null) ?? null),
  WAIT: onMasters((replies) => replies.reduce((a, b) => (Number(a) <= Number(b) ? a : b))),
  'SCRIPT EXISTS': onMasters((replies) =>
    columns(replies, (column) => column.reduce((a, b) => (Number(a) <= Number(b) ? a : b))),
  ),
  'SCRIPT LOAD': onNodes(first),
  'SCRIPT FLUSH': onNodes(first),
  'FUNCTION LOAD': onMasters(first),
  'FUNCTION DELETE': onMasters(first),
  'FUNCTION FLUSH': onMasters(first),
  'FUNCTION RESTORE': onMasters(first),
  'CONFIG SET': onNodes(first),
  'CONFIG RESETSTAT': onNodes(first),
  'CONFIG REWRITE': onNodes(first),
  'ACL SETUSER': onNodes(first),
  'ACL DELUSER': onNodes(first),
  'ACL LOAD': onNodes(first),
  'ACL SAVE': onNodes(first),
  'SLOWLOG RESET': onNodes(first),
  'SLOWLOG LEN': onNodes(sum),
  'LATENCY RESET': onNodes(sum),
};

/** Under a type mapping numbers may be text or bigints; the sum is of the same type. */
function sum(replies: unknown[]): unknown {
  const total = replies.reduce<bigint>((so, reply) => so + BigInt(reply as number | string | bigint), 0n);
  switch (typeof replies[0]) {
    case 'bigint':
      return total;
    case 'string':
      return String(total);
    default:
      return Number(total);
  }
}

function columns(replies: unknown[], merge: (column: unknown[]) => unknown): unknown[] {
  return (replies[0] as unknown[]).map((_, i) => merge(replies.map((reply) => (reply as unknown[])[i])));
}
