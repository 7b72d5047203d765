/** Steps of FT.AGGREGATE as arguments. https://redis.io/docs/latest/commands/ft.aggregate/ */
import type { RedisArgument } from '../../protocol/types.js';
import { list, type Variadic, word } from '../arguments.js';
import { pushOptional, pushQueryOptions, type QueryOptions, sortBy } from './query.js';

export const FT_AGGREGATE_STEPS = {
  GROUPBY: 'GROUPBY',
  SORTBY: 'SORTBY',
  APPLY: 'APPLY',
  LIMIT: 'LIMIT',
  FILTER: 'FILTER',
} as const;
export type FtAggregateStep = (typeof FT_AGGREGATE_STEPS)[keyof typeof FT_AGGREGATE_STEPS];

export const FT_AGGREGATE_GROUP_BY_REDUCERS = {
  COUNT: 'COUNT',
  COUNT_DISTINCT: 'COUNT_DISTINCT',
  COUNT_DISTINCTISH: 'COUNT_DISTINCTISH',
  SUM: 'SUM',
  MIN: 'MIN',
  MAX: 'MAX',
  AVG: 'AVG',
  STDDEV: 'STDDEV',
  QUANTILE: 'QUANTILE',
  TOLIST: 'TOLIST',
  FIRST_VALUE: 'FIRST_VALUE',
  RANDOM_SAMPLE: 'RANDOM_SAMPLE',
  COLLECT: 'COLLECT',
} as const;
export type FtAggregateGroupByReducer =
  (typeof FT_AGGREGATE_GROUP_BY_REDUCERS)[keyof typeof FT_AGGREGATE_GROUP_BY_REDUCERS];

/** `@field` or a JSONPath. */
export type RediSearchProperty = `${'@' | '$.'}${string}`;
type SortBy = RedisArgument | { BY: RediSearchProperty; DIRECTION?: 'ASC' | 'DESC' };
interface Named {
  AS?: RedisArgument;
}
export type GroupByReducers = Named &
  (
    | { type: 'COUNT' }
    | {
        type: 'COUNT_DISTINCT' | 'COUNT_DISTINCTISH' | 'SUM' | 'MIN' | 'MAX' | 'AVG' | 'STDDEV' | 'TOLIST';
        property: RediSearchProperty;
      }
    | { type: 'QUANTILE'; property: RediSearchProperty; quantile: number }
    | {
        type: 'FIRST_VALUE';
        property: RediSearchProperty;
        BY?: RediSearchProperty | { property: RediSearchProperty; direction?: 'ASC' | 'DESC' };
      }
    | { type: 'RANDOM_SAMPLE'; property: RediSearchProperty; sampleSize: number }
    | {
        type: 'COLLECT';
        FIELDS: '*' | Variadic<RediSearchProperty>;
        DISTINCT?: boolean;
        SORTBY?: Variadic<SortBy>;
        LIMIT?: { from: number; size: number };
      }
  );
type Step =
  | { type: 'GROUPBY'; properties?: Variadic<RediSearchProperty>; REDUCE: Variadic<GroupByReducers> }
  | { type: 'SORTBY'; BY: Variadic<SortBy>; MAX?: number }
  | { type: 'APPLY'; expression: RedisArgument; AS: RedisArgument }
  | { type: 'LIMIT'; from: number; size: number }
  | { type: 'FILTER'; expression: RedisArgument };
type LoadField = RediSearchProperty | { identifier: RediSearchProperty; AS?: RedisArgument };

export interface FtAggregateOptions extends QueryOptions {
  VERBATIM?: boolean;
  ADDSCORES?: boolean;
  /** Fields that the index does not hold; `*` = all. */
  LOAD?: '*' | Variadic<LoadField>;
  /** Milliseconds. */
  TIMEOUT?: number;
  /** Done in this order. */
  STEPS?: readonly Step[];
}

export function aggregateArguments(command: string, options: FtAggregateOptions | undefined): unknown[] {
  const args: unknown[] = [];
  if (options?.VERBATIM) args.push('VERBATIM');
  if (options?.ADDSCORES) args.push('ADDSCORES');
  if (options?.LOAD === '*') args.push('LOAD', '*');
  else if (options?.LOAD !== undefined)
    pushOptional(args, 'LOAD', (list(options.LOAD) as LoadField[]).flatMap(loadField));
  if (options?.TIMEOUT !== undefined) args.push('TIMEOUT', options.TIMEOUT);
  for (const step of options?.STEPS ?? []) args.push(...stepArguments(command, step));
  pushQueryOptions(args, options);
  return args;
}

function loadField(field: LoadField): unknown[] {
  if (typeof field === 'string') return [field];
  return field.AS === undefined ? [field.identifier] : [field.identifier, 'AS', field.AS];
}

const sorting = (command: string, by: Variadic<SortBy>): unknown[] =>
  (list(by) as SortBy[]).flatMap((item) => sortBy(command, item));

function stepArguments(command: string, step: Step): unknown[] {
  switch (step.type) {
    case 'GROUPBY': {
      const args: unknown[] = [];
      pushOptional(args, 'GROUPBY', step.properties ?? []);
      for (const reducer of list(step.REDUCE) as GroupByReducers[]) args.push(...reducerArguments(command, reducer));
      return args;
    }
    case 'SORTBY': {
      const by = sorting(command, step.BY);
      if (step.MAX !== undefined) by.push('MAX', step.MAX);
      return ['SORTBY', by.length, ...by];
    }
    case 'APPLY':
      return ['APPLY', step.expression, 'AS', step.AS];
    case 'LIMIT':
      return ['LIMIT', step.from, step.size];
    default:
      return [word(command, 'STEPS', step.type, ['FILTER']), step.expression];
  }
}

const REDUCERS = Object.values(FT_AGGREGATE_GROUP_BY_REDUCERS);
export function reducerArguments(command: string, reducer: GroupByReducers): unknown[] {
  const args: unknown[] = [];
  pushOptional(args, word(command, 'REDUCE', reducer.type, REDUCERS), reducerParameters(command, reducer));
  if (reducer.AS !== undefined) args.push('AS', reducer.AS);
  return ['REDUCE', ...args];
}

function reducerParameters(command: string, reducer: GroupByReducers): unknown[] {
  switch (reducer.type) {
    case 'COUNT':
      return [];
    case 'QUANTILE':
      return [reducer.property, reducer.quantile];
    case 'RANDOM_SAMPLE':
      return [reducer.property, reducer.sampleSize];
    case 'FIRST_VALUE': {
      const { BY } = reducer;
      if (BY === undefined) return [reducer.property];
      const by = typeof BY === 'string' ? BY : { BY: BY.property, DIRECTION: BY.direction };
      return [reducer.property, 'BY', ...sortBy(command, by as SortBy)];
    }
    case 'COLLECT': {
      const args: unknown[] = [];
      if (reducer.FIELDS === '*') args.push('FIELDS', '*');
      else pushOptional(args, 'FIELDS', reducer.FIELDS);
      if (reducer.DISTINCT) args.push('DISTINCT');
      if (reducer.SORTBY !== undefined) pushOptional(args, 'SORTBY', sorting(command, reducer.SORTBY));
      if (reducer.LIMIT !== undefined) args.push('LIMIT', reducer.LIMIT.from, reducer.LIMIT.size);
      return args;
    }
    default:
      return [reducer.property];
  }
}
