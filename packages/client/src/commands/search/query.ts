/** Options of queries as arguments. https://redis.io/docs/latest/commands/ft.search/ */
import type { RedisArgument } from '../../protocol/types.js';
import { list, type Variadic, word } from '../arguments.js';

export const REDISEARCH_LANGUAGE = {
  ARABIC: 'Arabic',
  ARMENIAN: 'Armenian',
  BASQUE: 'Basque',
  CATALANA: 'Catalan',
  DANISH: 'Danish',
  DUTCH: 'Dutch',
  ENGLISH: 'English',
  FINNISH: 'Finnish',
  FRENCH: 'French',
  GERMAN: 'German',
  GREEK: 'Greek',
  HINDI: 'Hindi',
  HUNGARIAN: 'Hungarian',
  // This name and NORWEGIAN's are spelt as in node-redis.
  INDONESAIN: 'Indonesian',
  IRISH: 'Irish',
  ITALIAN: 'Italian',
  LITHUANIAN: 'Lithuanian',
  MALAY: 'Malay',
  NEPALI: 'Nepali',
  NORWEIGAN: 'Norwegian',
  PORTUGUESE: 'Portuguese',
  ROMANIAN: 'Romanian',
  RUSSIAN: 'Russian',
  SERBIAN: 'Serbian',
  SPANISH: 'Spanish',
  SWEDISH: 'Swedish',
  TAGALOG: 'Tagalog',
  TAMIL: 'Tamil',
  TURKISH: 'Turkish',
  YIDDISH: 'Yiddish',
  CHINESE: 'Chinese',
} as const;
export type RediSearchLanguage = (typeof REDISEARCH_LANGUAGE)[keyof typeof REDISEARCH_LANGUAGE];

/** Values for `$name` in a query: user input belongs here, never into the query's text. */
export type FtSearchParams = Readonly<Record<string, RedisArgument | number>>;

/** The default dialect, as in node-redis. */
const DEFAULT_DIALECT = 2;

/** Appends `name`, how many values, and the values; nothing when there are none. */
export function pushOptional(args: unknown[], name: string, values: Variadic<unknown> | undefined): void {
  if (values === undefined) return;
  const given = list(values);
  args.push(name, given.length, ...given);
}

export function pushParams(args: unknown[], params: FtSearchParams | undefined): void {
  if (params !== undefined) pushOptional(args, 'PARAMS', Object.entries(params).flat());
}

export interface QueryOptions {
  PARAMS?: FtSearchParams;
  /** Default 2. */
  DIALECT?: number;
}
/** Values of `$name`s and the query's dialect. */
export function pushQueryOptions(args: unknown[], options: QueryOptions | undefined): void {
  pushParams(args, options?.PARAMS);
  args.push('DIALECT', options?.DIALECT ?? DEFAULT_DIALECT);
}

export interface FtSearchOptions extends QueryOptions {
  /** Do not stem. */
  VERBATIM?: boolean;
  NOSTOPWORDS?: boolean;
  /** Only these documents. */
  INKEYS?: Variadic;
  INFIELDS?: Variadic;
  /** Only these fields of documents. */
  RETURN?: Variadic;
  SUMMARIZE?: boolean | { FIELDS?: Variadic; FRAGS?: number; LEN?: number; SEPARATOR?: RedisArgument };
  HIGHLIGHT?: boolean | { FIELDS?: Variadic; TAGS?: { open: RedisArgument; close: RedisArgument } };
  SLOP?: number;
  /** Milliseconds. */
  TIMEOUT?: number;
  INORDER?: boolean;
  LANGUAGE?: RediSearchLanguage;
  EXPANDER?: RedisArgument;
  SCORER?: RedisArgument;
  SORTBY?: RedisArgument | { BY: RedisArgument; DIRECTION?: 'ASC' | 'DESC' };
  LIMIT?: { from: number | RedisArgument; size: number | RedisArgument };
}

/** One property, or with its direction. */
export function sortBy(command: string, by: NonNullable<FtSearchOptions['SORTBY']>): unknown[] {
  if (typeof by === 'string' || Buffer.isBuffer(by)) return [by];
  const { BY, DIRECTION } = by as { BY: RedisArgument; DIRECTION?: string };
  return DIRECTION === undefined ? [BY] : [BY, word(command, 'DIRECTION', DIRECTION, ['ASC', 'DESC'])];
}

export function searchArguments(command: string, options: FtSearchOptions | undefined): unknown[] {
  const args: unknown[] = [];
  const { SUMMARIZE, HIGHLIGHT, SORTBY, LIMIT } = options ?? {};
  const value = (name: 'SLOP' | 'TIMEOUT' | 'LANGUAGE' | 'EXPANDER' | 'SCORER') => {
    if (options?.[name] !== undefined) args.push(name, options[name]);
  };
  if (options?.VERBATIM) args.push('VERBATIM');
  if (options?.NOSTOPWORDS) args.push('NOSTOPWORDS');
  pushOptional(args, 'INKEYS', options?.INKEYS);
  pushOptional(args, 'INFIELDS', options?.INFIELDS);
  pushOptional(args, 'RETURN', options?.RETURN);
  if (SUMMARIZE) {
    args.push('SUMMARIZE');
    if (SUMMARIZE !== true) {
      pushOptional(args, 'FIELDS', SUMMARIZE.FIELDS);
      for (const name of ['FRAGS', 'LEN', 'SEPARATOR'] as const)
        if (SUMMARIZE[name] !== undefined) args.push(name, SUMMARIZE[name]);
    }
  }
  if (HIGHLIGHT) {
    args.push('HIGHLIGHT');
    if (HIGHLIGHT !== true) {
      pushOptional(args, 'FIELDS', HIGHLIGHT.FIELDS);
      if (HIGHLIGHT.TAGS !== undefined) args.push('TAGS', HIGHLIGHT.TAGS.open, HIGHLIGHT.TAGS.close);
    }
  }
  value('SLOP');
  value('TIMEOUT');
  if (options?.INORDER) args.push('INORDER');
  value('LANGUAGE');
  value('EXPANDER');
  value('SCORER');
  if (SORTBY !== undefined) args.push('SORTBY', ...sortBy(command, SORTBY));
  if (LIMIT !== undefined) args.push('LIMIT', LIMIT.from, LIMIT.size);
  pushQueryOptions(args, options);
  return args;
}
