import type { Attributes, Observable, Observation } from './api.js';

/** A value, by what tells it from the others. */
export type Values = ReadonlyMap<string, { readonly attributes: Attributes; readonly value: number }>;

/**
 * Observes all values. One that is gone is observed once more, with 0: a reader that adds up keeps the last value for ever.
 * Returns what ends it.
 */
export function observe(instrument: Observable, read: () => Values): () => void {
  let before: Values = new Map();
  const callback = (result: Observation) => {
    const values = read();
    for (const { attributes, value } of values.values()) result.observe(value, attributes);
    for (const [key, { attributes }] of before) if (!values.has(key)) result.observe(0, attributes);
    before = values;
  };
  instrument.addCallback(callback);
  return () => instrument.removeCallback(callback);
}
