/**
 * Replies that are maps in RESP3 are flat lists in RESP2. These describe the nested shape of one, so that a command
 * resolves with the same thing under both protocols and any type mapping.
 */
import type { TypeMapping } from '../protocol/types.js';
import type { SpecOptions } from './command.js';
import { pairsToMap, toDouble } from './readers.js';

/** Reads one value of a RESP2 reply. */
// biome-ignore lint/suspicious/noExplicitAny: narrows whatever the decoder produced; internal contract
export type Shape = (value: any, mapping: TypeMapping | undefined) => unknown;

/** Flat pairs; the values of the named fields have shapes of their own. */
export function record(fields: Readonly<Record<string, Shape>> = {}): Shape {
  const shapes = new Map(Object.entries(fields));
  return pairs((name) => shapes.get(name));
}

/** Flat pairs whose values all have one shape. */
export const mapOf = (shape: Shape): Shape => pairs(() => shape);

/** Flat pairs; `shapeOf` says what the value of a field looks like. */
export function pairs(shapeOf: (name: string) => Shape | undefined): Shape {
  return (value: readonly unknown[], mapping) => {
    if (!Array.isArray(value)) return value;
    const shaped = value.slice();
    for (let i = 0; i + 1 < shaped.length; i += 2) {
      const shape = shapeOf(String(shaped[i]));
      if (shape !== undefined) shaped[i + 1] = shape(shaped[i + 1], mapping);
    }
    return pairsToMap(shaped, mapping);
  };
}

export const listOf =
  (shape: Shape): Shape =>
  (value: readonly unknown[], mapping) =>
    value.map((item) => shape(item, mapping));

export const nullable =
  (shape: Shape): Shape =>
  (value, mapping) =>
    value === null ? null : shape(value, mapping);

/** Text of a number. */
export const doubleShape: Shape = toDouble;

/**
 * A command's readers from the RESP2 shape. RESP3 replies are that already, and shapes leave them alone: some proxies
 * agree to RESP3 and go on in RESP2.
 */
export const resp2 =
  (shape: Shape): SpecOptions['read'] =>
  (reply, _, mapping) =>
    shape(reply, mapping);

/** Name and value of every field, whatever a map has become: object, Map or flat list. Keys are text. */
export function entriesOf(reply: unknown): [string, unknown][] {
  if (Array.isArray(reply)) {
    const entries: [string, unknown][] = [];
    for (let i = 0; i + 1 < reply.length; i += 2) entries.push([String(reply[i]), reply[i + 1]]);
    return entries;
  }
  if (reply instanceof Map) return Array.from(reply, ([name, value]) => [String(name), value]);
  return Object.entries(reply as Record<string, unknown>);
}
