/** Commands of the group "vector_set" (Redis 8). https://redis.io/docs/latest/commands/?group=vector_set */
import type {
  BlobString,
  Double,
  FieldsOf,
  Integer,
  MapOf,
  Parsed,
  RedisArgument,
  SimpleString,
  TypeMapping,
} from '../protocol/types.js';
import { double, word } from './arguments.js';
import { Command, spec } from './command.js';
import { asBoolean, pairsToMap, type Text, toDouble } from './readers.js';

type Mapping = TypeMapping | undefined;
/** What JSON can hold. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

export interface VAddOptions {
  /** Project onto so many dimensions. */
  REDUCE?: number;
  /** Look for neighbors in the background, then add if nothing changed meanwhile. */
  CAS?: boolean;
  /** Default Q8. */
  QUANT?: 'NOQUANT' | 'BIN' | 'Q8';
  /** Effort of the search for neighbors; server default 200. */
  EF?: number;
  SETATTR?: { readonly [key: string]: JsonValue };
  /** Links of a node; server default 16. */
  M?: number;
}
const VADD = spec('VADD', { read: asBoolean });
/** Adds or replaces an element; true if it is new. Redis 8.0.0. */
export function vAdd(
  key: RedisArgument,
  vector: readonly number[],
  element: RedisArgument,
  options?: VAddOptions,
): Command<boolean> {
  const args: unknown[] = [key];
  if (options?.REDUCE !== undefined) args.push('REDUCE', options.REDUCE);
  args.push('VALUES', vector.length);
  for (const value of vector) args.push(double(value));
  args.push(element);
  if (options?.CAS) args.push('CAS');
  if (options?.QUANT) args.push(word('VADD', 'QUANT', options.QUANT, ['NOQUANT', 'BIN', 'Q8']));
  if (options?.EF !== undefined) args.push('EF', options.EF);
  if (options?.SETATTR) args.push('SETATTR', JSON.stringify(options.SETATTR));
  if (options?.M !== undefined) args.push('M', options.M);
  return new Command(VADD, args);
}

const VCARD = spec('VCARD');
/** Number of elements. Redis 8.0.0. */
export const vCard = (key: RedisArgument) => new Command<Integer>(VCARD, [key]);

const VDIM = spec('VDIM');
/** Number of dimensions. Redis 8.0.0. */
export const vDim = (key: RedisArgument) => new Command<Integer>(VDIM, [key]);

const VEMB = spec('VEMB', {
  read: (reply: (Text | number)[] | null, _, mapping) => reply?.map((item) => toDouble(item, mapping)) ?? null,
});
/** An element's vector, approximately when quantized; null when it is missing. Redis 8.0.0. */
export const vEmb = (key: RedisArgument, element: RedisArgument) => new Command<Double[] | null>(VEMB, [key, element]);
const VEMB_RAW = spec('VEMB', {
  read: (
    reply: [quantization: Text, raw: Text, norm: Text | number, range?: Text | number] | null,
    _,
    mapping: Mapping,
  ) => {
    if (reply === null) return null;
    const [quantization, raw, norm, range] = reply;
    const vector = { quantization, raw, l2Norm: toDouble(norm, mapping) };
    return range === undefined ? vector : { ...vector, quantizationRange: toDouble(range, mapping) };
  },
});
/** An element's vector as it is stored; read `raw` under a Buffer mapping. Redis 8.0.0. */
export const vEmbRaw = (key: RedisArgument, element: RedisArgument) =>
  new Command<{ quantization: SimpleString; raw: BlobString; l2Norm: Double; quantizationRange?: Double } | null>(
    VEMB_RAW,
    [key, element, 'RAW'],
  );

const VGETATTR = spec('VGETATTR', {
  read: (reply: Text | null) => (reply === null ? null : JSON.parse(String(reply))),
});
/** An element's attributes, parsed; null without. Redis 8.0.0. */
export const vGetAttr = (key: RedisArgument, element: RedisArgument) =>
  new Command<Parsed<JsonValue>>(VGETATTR, [key, element]);

const VINFO = spec('VINFO', {
  read: (reply: object | null, _, mapping) => (Array.isArray(reply) ? pairsToMap(reply, mapping) : reply),
});
/** Figures of a vector set; null when it is missing. Redis 8.0.0. */
export const vInfo = (key: RedisArgument) =>
  new Command<FieldsOf<{
    'quant-type': SimpleString;
    'vector-dim': Integer;
    size: Integer;
    'max-level': Integer;
    'vset-uid': Integer;
    'hnsw-max-node-uid': Integer;
  }> | null>(VINFO, [key]);

const VISMEMBER = spec('VISMEMBER', { read: asBoolean });
/** True if it is an element. Redis 8.0.0. */
export const vIsMember = (key: RedisArgument, element: RedisArgument) =>
  new Command<boolean>(VISMEMBER, [key, element]);

const VLINKS = spec('VLINKS');
/** Neighbors of an element, one list a layer; null when it is missing. Redis 8.0.0. */
export const vLinks = (key: RedisArgument, element: RedisArgument) =>
  new Command<BlobString[][] | null>(VLINKS, [key, element]);

function scores(flat: unknown, mapping: Mapping): unknown {
  if (!Array.isArray(flat)) return flat; // a map already
  return pairsToMap(
    flat.map((item, i) => (i % 2 === 0 ? item : toDouble(item, mapping))),
    mapping,
  );
}
const VLINKS_WITHSCORES = spec('VLINKS', {
  read: (reply: unknown[] | null, _, mapping) => reply?.map((layer) => scores(layer, mapping)) ?? null,
});
/** {@link vLinks} with similarities (0 to 1). Redis 8.0.0. */
export const vLinksWithScores = (key: RedisArgument, element: RedisArgument) =>
  new Command<MapOf<BlobString, Double>[] | null>(VLINKS_WITHSCORES, [key, element, 'WITHSCORES']);

const VRANDMEMBER = spec('VRANDMEMBER');
/** A random element, or with `count` as many (negative: with repetitions). Redis 8.0.0. */
export const vRandMember = (key: RedisArgument, count?: number) =>
  new Command<BlobString | BlobString[] | null>(VRANDMEMBER, count === undefined ? [key] : [key, count]);

const VRANGE = spec('VRANGE');
/** Elements by name (`[a`, `(a`, `-`, `+`), at most `count` (negative = all). Redis 8.4.0. */
export const vRange = (key: RedisArgument, start: RedisArgument, end: RedisArgument, count?: number) =>
  new Command<BlobString[]>(VRANGE, count === undefined ? [key, start, end] : [key, start, end, count]);

const VREM = spec('VREM', { read: asBoolean });
/** Removes an element; true if there was one. Redis 8.0.0. */
export const vRem = (key: RedisArgument, element: RedisArgument) => new Command<boolean>(VREM, [key, element]);

const VSETATTR = spec('VSETATTR', { read: asBoolean });
/** Sets an element's attributes (JSON text or an object; '' removes them); true if it exists. Redis 8.0.0. */
export const vSetAttr = (
  key: RedisArgument,
  element: RedisArgument,
  attributes: RedisArgument | { readonly [key: string]: JsonValue },
) =>
  new Command<boolean>(VSETATTR, [
    key,
    element,
    typeof attributes === 'string' || Buffer.isBuffer(attributes) ? attributes : JSON.stringify(attributes),
  ]);

export interface VSimOptions {
  /** Default 10. */
  COUNT?: number;
  /** Largest distance, 0 to 1. */
  EPSILON?: number;
  /** Effort of the search. */
  EF?: number;
  /** Expression over attributes; build it from trusted text only. */
  FILTER?: string;
  'FILTER-EF'?: number;
  /** Compare with every element: exact and slow. */
  TRUTH?: boolean;
  NOTHREAD?: boolean;
}
function similarArguments(
  key: RedisArgument,
  query: RedisArgument | readonly number[],
  options: VSimOptions | undefined,
): unknown[] {
  const args: unknown[] = [key];
  if (Array.isArray(query)) args.push('VALUES', query.length, ...query.map(double));
  else args.push('ELE', query);
  for (const name of ['COUNT', 'EPSILON', 'EF', 'FILTER', 'FILTER-EF'] as const) {
    const value = options?.[name];
    if (value !== undefined && value !== '') args.push(name, value);
  }
  if (options?.TRUTH) args.push('TRUTH');
  if (options?.NOTHREAD) args.push('NOTHREAD');
  return args;
}
const VSIM = spec('VSIM');
/** Elements most similar to an element or a vector. Redis 8.0.0. */
export const vSim = (key: RedisArgument, query: RedisArgument | readonly number[], options?: VSimOptions) =>
  new Command<BlobString[]>(VSIM, similarArguments(key, query, options));
const VSIM_WITHSCORES = spec('VSIM', { read: (reply: unknown, _, mapping) => scores(reply, mapping) });
/** {@link vSim} with similarities (0 to 1). Redis 8.0.0. */
export const vSimWithScores = (key: RedisArgument, query: RedisArgument | readonly number[], options?: VSimOptions) =>
  new Command<MapOf<BlobString, Double>>(VSIM_WITHSCORES, [...similarArguments(key, query, options), 'WITHSCORES']);

export const aliases = {
  vEmbRaw: 'VEMB_RAW',
  vLinksWithScores: 'VLINKS_WITHSCORES',
  vSimWithScores: 'VSIM_WITHSCORES',
} as const;
