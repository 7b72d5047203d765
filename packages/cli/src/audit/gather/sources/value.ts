import type { Node } from '@babel/types';
import type { Location } from '../../facts/project-facts.js';
import type { Dialect } from './libraries.js';

/** A place in the sources: the node itself, and where a reader finds it. */
export interface Origin {
  readonly node: Node;
  readonly at: Location;
}

/** Text of which parts are only known when the program runs: each part is text or `undefined`. */
export interface Pieces {
  readonly kind: 'pieces';
  readonly parts: readonly (string | undefined)[];
  /** Names of the environment variables among the unknown parts. */
  readonly environment: readonly string[];
  readonly origins: readonly Origin[];
}

export interface ClientValue {
  readonly kind: 'client';
  readonly dialect: Dialect;
  /** The call that made the client; none for one that is known by its type. */
  readonly made?: Node;
}

/** What is known of an expression without running it. */
export type Value =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'text'; readonly text: string; readonly origins: readonly Origin[] }
  | Pieces
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'boolean'; readonly value: boolean; readonly origin: Origin }
  | { readonly kind: 'nothing'; readonly isNull: boolean; readonly origin?: Origin }
  /** `process.env` or `import.meta.env`. */
  | { readonly kind: 'variables' }
  | { readonly kind: 'environment'; readonly name: string }
  | {
      readonly kind: 'object';
      readonly fields: ReadonlyMap<string, Value>;
      /** Whether it may have fields that are not listed (a spread of something unknown). */
      readonly open: boolean;
      readonly origin: Origin;
    }
  | { readonly kind: 'array'; readonly elements: readonly Value[]; readonly open: boolean }
  | { readonly kind: 'function'; readonly node: Node; readonly origin: Origin }
  | { readonly kind: 'class'; readonly node: Node }
  | { readonly kind: 'instance'; readonly node: Node }
  /** All exports of a file of the project. */
  | { readonly kind: 'namespace'; readonly file: string }
  /** Something that a package or the platform (`global`) exports; `*` is the whole package. */
  | { readonly kind: 'export'; readonly from: string; readonly name: string }
  | ClientValue
  | { readonly kind: 'method'; readonly client: ClientValue; readonly name: string }
  | { readonly kind: 'choice'; readonly of: readonly Value[] };

export const unknown: Value = { kind: 'unknown' };
export const nothing: Value = { kind: 'nothing', isNull: false };

/** More alternatives than this are cut off: nobody writes them, and they multiply. */
const mostAlternatives = 24;

/** The values one of which it is. */
export function alternatives(value: Value): readonly Value[] {
  return value.kind === 'choice' ? value.of : [value];
}

/** One of several values. */
export function choice(values: readonly Value[]): Value {
  const of = [...new Set(values.flatMap(alternatives))].slice(0, mostAlternatives);
  return of.length === 1 ? of[0]! : of.length === 0 ? unknown : { kind: 'choice', of };
}

/** Applies a function to each alternative. */
export function mapValue(value: Value, apply: (one: Value) => Value): Value {
  return value.kind === 'choice' ? choice(value.of.map(apply)) : apply(value);
}

function piecesOf(value: Value): Pick<Pieces, 'parts' | 'environment' | 'origins'> {
  switch (value.kind) {
    case 'text':
      return { parts: [value.text], environment: [], origins: value.origins };
    case 'pieces':
      return value;
    case 'number':
      return { parts: [String(value.value)], environment: [], origins: [] };
    case 'boolean':
      return { parts: [String(value.value)], environment: [], origins: [] };
    case 'environment':
      return { parts: [undefined], environment: [value.name], origins: [] };
    default:
      return { parts: [undefined], environment: [], origins: [] };
  }
}

/** Text joined from values: text where all are known, else pieces; each combination where some are alternatives. */
export function joined(values: readonly Value[], origin: Origin): Value {
  let combinations: Value[][] = [[]];
  for (const value of values) {
    combinations = combinations.flatMap((before) => alternatives(value).map((one) => [...before, one]));
    if (combinations.length > mostAlternatives)
      return { kind: 'pieces', parts: [undefined], environment: [], origins: [origin] };
  }
  return choice(
    combinations.map((parts): Value => {
      const pieces = parts.map(piecesOf);
      const texts = pieces.flatMap((one) => one.parts);
      const origins = [origin, ...pieces.flatMap((one) => one.origins)];
      if (texts.every((text) => text !== undefined)) return { kind: 'text', text: texts.join(''), origins };
      return { kind: 'pieces', parts: texts, environment: pieces.flatMap((one) => one.environment), origins };
    }),
  );
}
