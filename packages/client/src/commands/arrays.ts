/** Commands of the group "array" (Redis 8.8): sparse arrays addressed by 64-bit indexes. */
import type { BlobString, Double, Integer, MapOf, RedisArgument } from '../protocol/types.js';
import { list, type Variadic, word } from './arguments.js';
import { Command, spec } from './command.js';
import { asIndexedValues, asMap } from './readers.js';

/** 0 to 2^64-1; as text or bigint beyond 2^53. */
export type ArIndex = number | bigint | string;

const ARCOUNT = spec('ARCOUNT');
/** Number of elements set. */
export const arCount = (key: RedisArgument) => new Command<Integer>(ARCOUNT, [key]);

const ARDEL = spec('ARDEL');
/** Removes elements; resolves with how many there were. */
export const arDel = (key: RedisArgument, indices: Variadic<ArIndex>) =>
  new Command<Integer>(ARDEL, [key, ...list(indices)]);

const ARDELRANGE = spec('ARDELRANGE');
/** Removes ranges, both ends included. */
export const arDelRange = (key: RedisArgument, ranges: readonly (readonly [start: ArIndex, end: ArIndex])[]) =>
  new Command<Integer>(ARDELRANGE, [key, ...ranges.flat()]);

const ARGET = spec('ARGET');
/** One element, or null. */
export const arGet = (key: RedisArgument, index: ArIndex) => new Command<BlobString | null>(ARGET, [key, index]);

const ARGETRANGE = spec('ARGETRANGE');
/** Elements `start` to `end`, both included, null where none is set. */
export const arGetRange = (key: RedisArgument, start: ArIndex, end: ArIndex) =>
  new Command<(BlobString | null)[]>(ARGETRANGE, [key, start, end]);

export const AR_PREDICATE_TYPES = { EXACT: 'EXACT', MATCH: 'MATCH', GLOB: 'GLOB', RE: 'RE' } as const;
export type ArPredicateType = (typeof AR_PREDICATE_TYPES)[keyof typeof AR_PREDICATE_TYPES];
export const AR_PREDICATE_COMBINATORS = { AND: 'AND', OR: 'OR' } as const;
export type ArPredicateCombinator = (typeof AR_PREDICATE_COMBINATORS)[keyof typeof AR_PREDICATE_COMBINATORS];
export type ArGrepPredicate = readonly [type: ArPredicateType, value: RedisArgument];
/** `-` and `+` are the ends. */
export type ArGrepBound = ArIndex | '-' | '+';
export interface ArGrepOptions {
  /** How several predicates are joined; server default OR. */
  COMBINATOR?: ArPredicateCombinator;
  LIMIT?: number;
  NOCASE?: boolean;
}
function grepArguments(
  key: RedisArgument,
  start: ArGrepBound,
  end: ArGrepBound,
  predicates: readonly ArGrepPredicate[],
  options: ArGrepOptions | undefined,
): unknown[] {
  const args: unknown[] = [key, start, end];
  for (const [type, value] of predicates)
    args.push(word('ARGREP', 'predicate', type, ['EXACT', 'MATCH', 'GLOB', 'RE']), value);
  if (options?.COMBINATOR !== undefined) args.push(word('ARGREP', 'COMBINATOR', options.COMBINATOR, ['AND', 'OR']));
  if (options?.LIMIT !== undefined) args.push('LIMIT', options.LIMIT);
  if (options?.NOCASE) args.push('NOCASE');
  return args;
}
const ARGREP = spec('ARGREP');
/** Indexes of elements that fulfil the predicates. Patterns are code for the server: never build `RE` from user input. */
export const arGrep = (
  key: RedisArgument,
  start: ArGrepBound,
  end: ArGrepBound,
  predicates: readonly ArGrepPredicate[],
  options?: ArGrepOptions,
) => new Command<Integer[]>(ARGREP, grepArguments(key, start, end, predicates, options));
const ARGREP_WITHVALUES = spec('ARGREP', { read: asIndexedValues });
/** {@link arGrep} with the elements. */
export const arGrepWithValues = (
  key: RedisArgument,
  start: ArGrepBound,
  end: ArGrepBound,
  predicates: readonly ArGrepPredicate[],
  options?: ArGrepOptions,
) =>
  new Command<{ index: Integer; value: BlobString }[]>(ARGREP_WITHVALUES, [
    ...grepArguments(key, start, end, predicates, options),
    'WITHVALUES',
  ]);

const ARINFO = spec('ARINFO', { read: asMap });
/** Figures of an array. */
export const arInfo = (key: RedisArgument, options?: { FULL?: boolean }) =>
  new Command<MapOf<BlobString, Integer | Double>>(ARINFO, options?.FULL ? [key, 'FULL'] : [key]);

const ARINSERT = spec('ARINSERT');
/** Writes at the cursor and after; resolves with the last index written. */
export const arInsert = (key: RedisArgument, values: Variadic) =>
  new Command<Integer>(ARINSERT, [key, ...list(values)]);

const ARLASTITEMS = spec('ARLASTITEMS');
/** The `count` elements written last, newest first with `REV`. */
export const arLastItems = (key: RedisArgument, count: number, options?: { REV?: boolean }) =>
  new Command<(BlobString | null)[]>(ARLASTITEMS, options?.REV ? [key, count, 'REV'] : [key, count]);

const ARLEN = spec('ARLEN');
/** Highest index set, plus one. */
export const arLen = (key: RedisArgument) => new Command<Integer>(ARLEN, [key]);

const ARMGET = spec('ARMGET');
/** Several elements, null where none is set. */
export const arMGet = (key: RedisArgument, indices: Variadic<ArIndex>) =>
  new Command<(BlobString | null)[]>(ARMGET, [key, ...list(indices)]);

/** Indexes and values: an object, a Map or pairs. */
export type ArMSetEntries =
  | Readonly<Record<string | number, RedisArgument>>
  | ReadonlyMap<ArIndex, RedisArgument>
  | readonly (readonly [index: ArIndex, value: RedisArgument])[];
const ARMSET = spec('ARMSET');
/** Sets several elements; resolves with how many are new. */
export function arMSet(key: RedisArgument, entries: ArMSetEntries): Command<Integer> {
  const pairs = entries instanceof Map || Array.isArray(entries) ? [...entries] : Object.entries(entries);
  return new Command(ARMSET, [key, ...pairs.flat()]);
}

const ARNEXT = spec('ARNEXT');
/** The index that ARINSERT writes next; null at the end. */
export const arNext = (key: RedisArgument) => new Command<Integer | null>(ARNEXT, [key]);

export const AR_OPERATIONS = {
  SUM: 'SUM',
  MIN: 'MIN',
  MAX: 'MAX',
  AND: 'AND',
  OR: 'OR',
  XOR: 'XOR',
  MATCH: 'MATCH',
  USED: 'USED',
} as const;
export type ArOperation = (typeof AR_OPERATIONS)[keyof typeof AR_OPERATIONS];
const AROP = spec('AROP');
/** Computes over a range; MATCH counts elements equal to `value`. */
export function arOp(
  key: RedisArgument,
  start: ArIndex,
  end: ArIndex,
  operation: ArOperation,
  value?: RedisArgument | number,
): Command<BlobString | Integer | null> {
  const args: unknown[] = [key, start, end, word('AROP', 'operation', operation, Object.values(AR_OPERATIONS))];
  if (value !== undefined) args.push(value);
  return new Command(AROP, args);
}

const ARRING = spec('ARRING');
/** {@link arInsert} into a ring of `size` elements. */
export const arRing = (key: RedisArgument, size: ArIndex, values: Variadic) =>
  new Command<Integer>(ARRING, [key, size, ...list(values)]);

const ARSCAN = spec('ARSCAN', { read: asIndexedValues });
/** Elements set between `start` and `end`. */
export const arScan = (key: RedisArgument, start: ArIndex, end: ArIndex, options?: { LIMIT?: number }) =>
  new Command<{ index: Integer; value: BlobString }[]>(
    ARSCAN,
    options?.LIMIT === undefined ? [key, start, end] : [key, start, end, 'LIMIT', options.LIMIT],
  );

const ARSEEK = spec('ARSEEK');
/** Moves the cursor of ARINSERT. */
export const arSeek = (key: RedisArgument, index: ArIndex) => new Command<Integer>(ARSEEK, [key, index]);

const ARSET = spec('ARSET');
/** Sets elements from `index` on; resolves with how many are new. */
export const arSet = (key: RedisArgument, index: ArIndex, value: Variadic) =>
  new Command<Integer>(ARSET, [key, index, ...list(value)]);

export const aliases = { arGrepWithValues: 'ARGREP_WITHVALUES' } as const;
