/** Readers shared by commands: they give RESP2 replies the shape of RESP3. */
import { RESP_TYPES, type TypeMapping } from '../protocol/types.js';
import type { ReplyReader, SpecOptions } from './command.js';

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
    default: {
      const number = Number(reply);
      if (Number.isNaN(number) && !/^[+-]?nan$/i.test(String(reply))) throw new TypeError('not a number');
      return number;
    }
  }
}

/**
 * One reader for both protocols, for readers that leave alone what has its form already: some proxies agree to RESP3 and
 * go on in RESP2.
 */
const both = (read: ReplyReader): SpecOptions['read'] => ({ 2: read, 3: read });

/** Doubles come as bulk strings in RESP2. */
export const asDouble = both((reply: Text | number, _, mapping) => toDouble(reply, mapping));
export const asNullableDouble = both((reply: Text | number | null, _, mapping) =>
  reply === null ? null : toDouble(reply, mapping),
);
export const asDoubles = both((reply: (Text | number | null)[], _, mapping) =>
  reply.map((item) => (item === null ? null : toDouble(item, mapping))),
);
const toBoolean = (reply: number | boolean) => (typeof reply === 'number' ? reply === 1 : reply);
/** 0 and 1 as false and true. */
export const asBoolean = both(toBoolean);
export const asBooleans = both((reply: (number | boolean)[]) => reply.map(toBoolean));

/** Flat `[key, value, …]` as what a RESP3 map would have been under the mapping. */
export function pairsToMap(reply: readonly unknown[], mapping: TypeMapping | undefined): unknown {
  if (reply.length % 2 !== 0) throw new TypeError('a name without its value');
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
export const asMap = both((reply: object, _, mapping) => (Array.isArray(reply) ? pairsToMap(reply, mapping) : reply));

/** RESP2 has no sets: an array, or a Set under the mapping. */
export const asSet = both((reply: unknown[] | Set<unknown>, _, mapping) =>
  mapping?.[RESP_TYPES.SET] === Set && Array.isArray(reply) ? new Set(reply) : reply,
);

/** Members with scores: flat in RESP2 (scores as text), pairs in RESP3. */
export const asMembers = {
  2: (reply: readonly Text[], _: unknown, mapping: TypeMapping | undefined) => {
    const members = [];
    for (let i = 0; i < reply.length; i += 2)
      members.push({ value: reply[i]!, score: toDouble(reply[i + 1]!, mapping) });
    return members;
  },
  3: (reply: readonly [Text, number | Text][] | readonly Text[], _: unknown, mapping: TypeMapping | undefined) =>
    reply.length > 0 && !Array.isArray(reply[0])
      ? asMembers[2](reply as readonly Text[], _, mapping)
      : (reply as readonly [Text, number | Text][]).map(([value, score]) => ({
          value,
          score: toDouble(score, mapping),
        })),
};

/** `{ index, value }` for each pair. */
export const asIndexedValues: SpecOptions['read'] = (reply: [unknown, unknown][]) =>
  reply.map(([index, value]) => ({ index, value }));
