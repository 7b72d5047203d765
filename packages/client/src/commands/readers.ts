/** Readers shared by commands: they give RESP2 replies the shape of RESP3. */
import { RESP_TYPES, type TypeMapping } from '../protocol/types.js';
import type { SpecOptions } from './command.js';

export type Text = string | Buffer;

/** A double however it came. */
export function toDouble(reply: Text | number, mapping: TypeMapping | undefined): number | Text {
  if (typeof reply === 'number' || mapping?.[RESP_TYPES.DOUBLE] === String) return reply;
  switch (String(reply)) {
    case 'inf':
    case '+inf':
      return Number.POSITIVE_INFINITY;
    case '-inf':
      return Number.NEGATIVE_INFINITY;
    default:
      return Number(reply);
  }
}

/** Doubles come as bulk strings in RESP2. */
export const asDouble: SpecOptions['read'] = { 2: (reply: Text, _, mapping) => toDouble(reply, mapping) };
export const asNullableDouble: SpecOptions['read'] = {
  2: (reply: Text | null, _, mapping) => (reply === null ? null : toDouble(reply, mapping)),
};
export const asDoubles: SpecOptions['read'] = {
  2: (reply: (Text | null)[], _, mapping) => reply.map((item) => (item === null ? null : toDouble(item, mapping))),
};
/** 0 and 1 as false and true. */
export const asBoolean: SpecOptions['read'] = { 2: (reply: number) => reply === 1 };
export const asBooleans: SpecOptions['read'] = { 2: (reply: number[]) => reply.map((item) => item === 1) };

/** Flat `[key, value, …]` as what a RESP3 map would have been under the mapping. */
export function pairsToMap(reply: readonly unknown[], mapping: TypeMapping | undefined): unknown {
  switch (mapping?.[RESP_TYPES.MAP]) {
    case Array:
      return reply;
    case Map: {
      const map = new Map<string, unknown>();
      for (let i = 0; i < reply.length; i += 2) map.set(String(reply[i]), reply[i + 1]);
      return map;
    }
    default: {
      // Without a prototype, so that a field named `__proto__` is data.
      const object = Object.create(null) as Record<string, unknown>;
      for (let i = 0; i < reply.length; i += 2) object[String(reply[i])] = reply[i + 1];
      return object;
    }
  }
}
export const asMap: SpecOptions['read'] = { 2: (reply: unknown[], _, mapping) => pairsToMap(reply, mapping) };

/** RESP2 has no sets: an array, or a Set under the mapping. */
export const asSet: SpecOptions['read'] = {
  2: (reply: unknown[], _, mapping) => (mapping?.[RESP_TYPES.SET] === Set ? new Set(reply) : reply),
};

/** Members with scores: flat in RESP2 (scores as text), pairs in RESP3. */
export const asMembers = {
  2: (reply: readonly Text[], _: unknown, mapping: TypeMapping | undefined) => {
    const members = [];
    for (let i = 0; i < reply.length; i += 2)
      members.push({ value: reply[i]!, score: toDouble(reply[i + 1]!, mapping) });
    return members;
  },
  3: (reply: readonly [Text, number | Text][]) => reply.map(([value, score]) => ({ value, score })),
};

/** `{ index, value }` for each pair. */
export const asIndexedValues: SpecOptions['read'] = (reply: [unknown, unknown][]) =>
  reply.map(([index, value]) => ({ index, value }));
