/** Options of FT.HYBRID as arguments. https://redis.io/docs/latest/commands/ft.hybrid/ */
import type { RedisArgument } from '../../protocol/types.js';
import { list, type Variadic, word } from '../arguments.js';
import { type GroupByReducers, reducerArguments } from './aggregate.js';
import { type FtSearchParams, pushOptional, pushParams, sortBy } from './query.js';

export const FT_HYBRID_VECTOR_METHOD = { KNN: 'KNN', RANGE: 'RANGE' } as const;
export const FT_HYBRID_COMBINE_METHOD = { RRF: 'RRF', LINEAR: 'LINEAR' } as const;

interface Scored {
  /** Name under which a result carries this score. */
  YIELD_SCORE_AS?: RedisArgument;
}
export interface FtHybridSearchExpression extends Scored {
  query: RedisArgument;
  SCORER?: RedisArgument;
}
export interface FtHybridVectorExpression extends Scored {
  /** `@field` */
  field: RedisArgument;
  /** `$name` of a vector among PARAMS. */
  vector: RedisArgument;
  method?: { type: 'KNN'; K: number; EF_RUNTIME?: number } | { type: 'RANGE'; RADIUS: number; EPSILON?: number };
  FILTER?: RedisArgument;
}
export interface FtHybridApply {
  expression: RedisArgument;
  AS?: RedisArgument;
}
export interface FtHybridOptions {
  SEARCH: FtHybridSearchExpression;
  VSIM: FtHybridVectorExpression;
  /** How both scores become one. */
  COMBINE?: Scored & {
    method:
      | { type: 'RRF'; CONSTANT?: number; WINDOW?: number }
      | { type: 'LINEAR'; ALPHA?: number; BETA?: number; WINDOW?: number };
  };
  LOAD?: '*' | Variadic;
  GROUPBY?: { fields: Variadic; REDUCE?: Variadic<GroupByReducers> };
  APPLY?: Variadic<FtHybridApply>;
  SORTBY?: { fields: readonly { field: RedisArgument; direction?: 'ASC' | 'DESC' }[] };
  NOSORT?: boolean;
  FILTER?: RedisArgument;
  LIMIT?: { offset: number | RedisArgument; count: number | RedisArgument };
  PARAMS?: FtSearchParams;
  /** Milliseconds. */
  TIMEOUT?: number;
}

const COMMAND = 'FT.HYBRID';

/** Those options that are given, as name and value. */
function given<T extends object>(options: T, names: readonly (keyof T & string)[]): unknown[] {
  return names.flatMap((name) => (options[name] === undefined ? [] : [name, options[name]]));
}

export function hybridArguments(options: FtHybridOptions): unknown[] {
  const { SEARCH, VSIM, GROUPBY, SORTBY, LIMIT } = options;
  const args: unknown[] = ['SEARCH', SEARCH.query, ...given(SEARCH, ['SCORER', 'YIELD_SCORE_AS'])];
  args.push('VSIM', VSIM.field, VSIM.vector);
  if (VSIM.method !== undefined)
    pushOptional(
      args,
      word(COMMAND, 'method', VSIM.method.type, ['KNN', 'RANGE']),
      VSIM.method.type === 'KNN' ? given(VSIM.method, ['K', 'EF_RUNTIME']) : given(VSIM.method, ['RADIUS', 'EPSILON']),
    );
  args.push(...given(VSIM, ['FILTER', 'YIELD_SCORE_AS']));
  if (options.COMBINE !== undefined) pushCombine(args, options.COMBINE);
  if (options.LOAD === '*') args.push('LOAD', '*');
  else pushOptional(args, 'LOAD', options.LOAD);
  if (GROUPBY !== undefined) {
    pushOptional(args, 'GROUPBY', GROUPBY.fields);
    for (const reducer of list(GROUPBY.REDUCE ?? []) as GroupByReducers[])
      args.push(...reducerArguments(COMMAND, reducer));
  }
  for (const apply of list(options.APPLY ?? []) as FtHybridApply[])
    args.push('APPLY', apply.expression, ...given(apply, ['AS']));
  if (SORTBY !== undefined)
    pushOptional(
      args,
      'SORTBY',
      SORTBY.fields.flatMap(({ field, direction }) => sortBy(COMMAND, { BY: field, DIRECTION: direction } as never)),
    );
  if (options.NOSORT) args.push('NOSORT');
  args.push(...given(options, ['FILTER']));
  if (LIMIT !== undefined) args.push('LIMIT', LIMIT.offset, LIMIT.count);
  if (Object.keys(options.PARAMS ?? {}).length > 0) pushParams(args, options.PARAMS);
  args.push(...given(options, ['TIMEOUT']));
  return args;
}

function pushCombine(args: unknown[], combine: NonNullable<FtHybridOptions['COMBINE']>): void {
  const { method } = combine;
  const parameters =
    method.type === 'RRF' ? given(method, ['WINDOW', 'CONSTANT']) : given(method, ['ALPHA', 'BETA', 'WINDOW']);
  // The name of the score counts as one of the method's arguments.
  parameters.push(...given(combine, ['YIELD_SCORE_AS']));
  args.push('COMBINE');
  pushOptional(args, word(COMMAND, 'COMBINE', method.type, ['RRF', 'LINEAR']), parameters);
}
