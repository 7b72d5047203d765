/**
 * Search and secondary indexes, `client.ft`: part of Redis 8, before that the module RediSearch.
 * https://redis.io/docs/latest/commands/?group=search
 */
import type {
  BlobString,
  Double,
  Integer,
  MapOf,
  Parsed,
  RedisArgument,
  SetOf,
  SimpleString,
} from '../../protocol/types.js';
import { list, type Variadic, word } from '../arguments.js';
import { Command, spec } from '../command.js';
import { asMap, type Text, toDouble } from '../readers.js';
import { entriesOf } from '../shapes.js';
import { aggregateArguments, type FtAggregateOptions } from './aggregate.js';
import { type FtHybridOptions, hybridArguments } from './hybrid.js';
import { type FtInfoReply, readInfo } from './index-info.js';
import {
  type FtSearchOptions,
  pushOptional,
  pushQueryOptions,
  type QueryOptions,
  type RediSearchLanguage,
  searchArguments,
} from './query.js';
import {
  type HybridSearchReply,
  type ProfileReply,
  readAggregate,
  readAggregateWithCursor,
  readHybrid,
  readNoContent,
  readProfile,
  readSearch,
  readSpellCheck,
  type SearchNoContentReply,
  type SearchReply,
  type SpellCheckReply,
} from './replies.js';
import { type RediSearchSchema, schemaArguments } from './schema.js';

type Ok = SimpleString<'OK'>;

const LIST = spec('FT._LIST');
/** All indexes. RediSearch 2.0.0. */
export const _list = () => new Command<SetOf<BlobString>>(LIST, []);

export interface AggregateReply {
  /** An estimate. */
  total: number;
  results: MapOf<BlobString, BlobString>[];
  /** RESP3 only. */
  warnings: string[];
}
const AGGREGATE = spec('FT.AGGREGATE', { read: readAggregate });
/** Groups, sorts and computes over what a query finds. RediSearch 1.1.0. */
export const aggregate = (index: RedisArgument, query: RedisArgument, options?: FtAggregateOptions) =>
  new Command<AggregateReply>(AGGREGATE, [index, query, ...aggregateArguments('FT.AGGREGATE', options)]);

export interface FtAggregateWithCursorOptions extends FtAggregateOptions {
  /** Rows of a page. */
  COUNT?: number;
  /** Milliseconds that the server keeps an unused cursor. */
  MAXIDLE?: number;
}
/** `cursor` 0: this was the last page. */
export interface AggregateWithCursorReply extends AggregateReply {
  cursor: Integer;
}
const AGGREGATE_WITHCURSOR = spec('FT.AGGREGATE', { read: readAggregateWithCursor });
/** {@link aggregate} in pages: read the next with {@link cursorRead}. RediSearch 1.1.0. */
export function aggregateWithCursor(
  index: RedisArgument,
  query: RedisArgument,
  options?: FtAggregateWithCursorOptions,
): Command<AggregateWithCursorReply> {
  const args = [index, query, ...aggregateArguments('FT.AGGREGATE', options), 'WITHCURSOR'];
  if (options?.COUNT !== undefined) args.push('COUNT', options.COUNT);
  if (options?.MAXIDLE !== undefined) args.push('MAXIDLE', options.MAXIDLE);
  return new Command(AGGREGATE_WITHCURSOR, args);
}

const ALIASADD = spec('FT.ALIASADD');
/** Gives an index one more name. RediSearch 1.0.0. */
export const aliasAdd = (alias: RedisArgument, index: RedisArgument) => new Command<Ok>(ALIASADD, [alias, index]);

const ALIASDEL = spec('FT.ALIASDEL');
/** Takes a name away. RediSearch 1.0.0. */
export const aliasDel = (alias: RedisArgument) => new Command<Ok>(ALIASDEL, [alias]);

const ALIASLIST = spec('FT.ALIASLIST');
/** Other names of an index. Redis 8.8. */
export const aliasList = (index: RedisArgument) => new Command<SetOf<BlobString>>(ALIASLIST, [index]);

const ALIASUPDATE = spec('FT.ALIASUPDATE');
/** Moves a name to this index. RediSearch 1.0.0. */
export const aliasUpdate = (alias: RedisArgument, index: RedisArgument) => new Command<Ok>(ALIASUPDATE, [alias, index]);

const ALTER = spec('FT.ALTER');
/** Adds fields to an index. RediSearch 1.0.0. */
export const alter = (index: RedisArgument, schema: RediSearchSchema) =>
  new Command<Ok>(ALTER, [index, 'SCHEMA', 'ADD', ...schemaArguments('FT.ALTER', schema)]);

// RESP2: `[[name, value] …]`; RESP3 a map. Without a prototype: names come from the server.
const CONFIG_GET = spec('FT.CONFIG GET', {
  read: (reply: unknown) =>
    Object.assign(Object.create(null), Object.fromEntries(Array.isArray(reply) ? reply : entriesOf(reply))),
});
/** Settings of the search engine. RediSearch 1.0.0. */
export const configGet = (option: string) => new Command<Record<string, BlobString | null>>(CONFIG_GET, [option]);

const CONFIG_SET = spec('FT.CONFIG SET');
/** Changes a setting of the search engine. Refused by the guarded policy. RediSearch 1.0.0. */
export const configSet = (property: RedisArgument, value: RedisArgument) =>
  new Command<Ok>(CONFIG_SET, [property, value]);

export interface FtCreateOptions {
  ON?: 'HASH' | 'JSON';
  /** Which keys are indexed; with the client's `keyPrefix`, write it here too. */
  PREFIX?: Variadic;
  FILTER?: RedisArgument;
  LANGUAGE?: RediSearchLanguage;
  LANGUAGE_FIELD?: RedisArgument;
  SCORE?: number;
  SCORE_FIELD?: RedisArgument;
  MAXTEXTFIELDS?: boolean;
  /** Seconds without use after which the index goes. */
  TEMPORARY?: number;
  NOOFFSETS?: boolean;
  NOHL?: boolean;
  NOFIELDS?: boolean;
  NOFREQS?: boolean;
  SKIPINITIALSCAN?: boolean;
  STOPWORDS?: Variadic;
}
const CREATE_VALUES = ['FILTER', 'LANGUAGE', 'LANGUAGE_FIELD', 'SCORE', 'SCORE_FIELD'] as const;
const CREATE_FLAGS = ['NOOFFSETS', 'NOHL', 'NOFIELDS', 'NOFREQS', 'SKIPINITIALSCAN'] as const;
const CREATE = spec('FT.CREATE');
/**
 * Creates an index. RediSearch 1.0.0.
 * @example
 * await client.ft.create('users', { name: 'TEXT', age: { type: 'NUMERIC', SORTABLE: true } }, { PREFIX: 'user:' });
 */
export function create(index: RedisArgument, schema: RediSearchSchema, options?: FtCreateOptions): Command<Ok> {
  const args: unknown[] = [index];
  if (options?.ON !== undefined) args.push('ON', word('FT.CREATE', 'ON', options.ON, ['HASH', 'JSON']));
  pushOptional(args, 'PREFIX', options?.PREFIX);
  for (const name of CREATE_VALUES) if (options?.[name] !== undefined) args.push(name, options[name]);
  if (options?.MAXTEXTFIELDS) args.push('MAXTEXTFIELDS');
  if (options?.TEMPORARY !== undefined) args.push('TEMPORARY', options.TEMPORARY);
  for (const name of CREATE_FLAGS) if (options?.[name]) args.push(name);
  pushOptional(args, 'STOPWORDS', options?.STOPWORDS);
  args.push('SCHEMA', ...schemaArguments('FT.CREATE', schema));
  return new Command(CREATE, args);
}

const CURSOR_DEL = spec('FT.CURSOR DEL');
/** Ends a cursor. RediSearch 1.1.0. */
export const cursorDel = (index: RedisArgument, cursor: number) => new Command<Ok>(CURSOR_DEL, [index, cursor]);

export interface FtCursorReadOptions {
  COUNT?: number;
}
const CURSOR_READ = spec('FT.CURSOR READ', { read: readAggregateWithCursor });
/** The next page of {@link aggregateWithCursor}. RediSearch 1.1.0. */
export const cursorRead = (index: RedisArgument, cursor: number, options?: FtCursorReadOptions) =>
  new Command<AggregateWithCursorReply>(
    CURSOR_READ,
    options?.COUNT === undefined ? [index, cursor] : [index, cursor, 'COUNT', options.COUNT],
  );

const DICTADD = spec('FT.DICTADD');
/** Adds terms to a dictionary; resolves with how many were new. RediSearch 1.4.0. */
export const dictAdd = (dictionary: RedisArgument, term: Variadic) =>
  new Command<Integer>(DICTADD, [dictionary, ...list(term)]);

const DICTDEL = spec('FT.DICTDEL');
/** Takes terms out of a dictionary; resolves with how many there were. RediSearch 1.4.0. */
export const dictDel = (dictionary: RedisArgument, term: Variadic) =>
  new Command<Integer>(DICTDEL, [dictionary, ...list(term)]);

const DICTDUMP = spec('FT.DICTDUMP');
/** The terms of a dictionary. RediSearch 1.4.0. */
export const dictDump = (dictionary: RedisArgument) => new Command<SetOf<BlobString>>(DICTDUMP, [dictionary]);

export interface FtDropIndexOptions {
  /** Delete the documents too. */
  DD?: boolean;
}
const DROPINDEX = spec('FT.DROPINDEX');
/** Deletes an index. Refused by the guarded policy. RediSearch 2.0.0. */
export const dropIndex = (index: RedisArgument, options?: FtDropIndexOptions) =>
  new Command<Ok>(DROPINDEX, options?.DD ? [index, 'DD'] : [index]);

const queryArguments = (index: RedisArgument, query: RedisArgument, options: QueryOptions | undefined): unknown[] => {
  const args: unknown[] = [index, query];
  pushQueryOptions(args, options);
  return args;
};
const EXPLAIN = spec('FT.EXPLAIN');
/** How a query is understood. RediSearch 1.0.0. */
export const explain = (index: RedisArgument, query: RedisArgument, options?: QueryOptions) =>
  new Command<SimpleString>(EXPLAIN, queryArguments(index, query, options));

export interface FtExplainCliOptions {
  DIALECT?: number;
}
const EXPLAINCLI = spec('FT.EXPLAINCLI');
/** {@link explain} in lines. RediSearch 1.0.0. */
export const explainCli = (index: RedisArgument, query: RedisArgument, options?: FtExplainCliOptions) =>
  new Command<BlobString[]>(EXPLAINCLI, queryArguments(index, query, options));

const HYBRID = spec('FT.HYBRID', { read: readHybrid });
/** Text and vector search in one. Redis 8.4. */
export const hybrid = (index: RedisArgument, options: FtHybridOptions) =>
  new Command<Parsed<HybridSearchReply>>(HYBRID, [index, ...hybridArguments(options)]);

const INFO = spec('FT.INFO', { read: readInfo });
/** How an index is made and filled. RediSearch 1.0.0. */
export const info = (index: RedisArgument) => new Command<FtInfoReply>(INFO, [index]);

export interface FtProfileOptions {
  /** Leave out details of iterators over unions. */
  LIMITED?: boolean;
}
const profile = (index: RedisArgument, kind: string, query: RedisArgument, options: FtProfileOptions | undefined) => [
  index,
  kind,
  ...(options?.LIMITED ? ['LIMITED'] : []),
  'QUERY',
  query,
];
const PROFILESEARCH = spec('FT.PROFILE', { read: readProfile(readSearch) });
/** {@link search} and what it cost. RediSearch 2.2.0. */
export const profileSearch = (
  index: RedisArgument,
  query: RedisArgument,
  options?: FtProfileOptions & FtSearchOptions,
) =>
  new Command<Parsed<ProfileReply<SearchReply>>>(PROFILESEARCH, [
    ...profile(index, 'SEARCH', query, options),
    ...searchArguments('FT.PROFILE', options),
  ]);
const PROFILEAGGREGATE = spec('FT.PROFILE', { read: readProfile(readAggregate) });
/** {@link aggregate} and what it cost. RediSearch 2.2.0. */
export const profileAggregate = (
  index: RedisArgument,
  query: RedisArgument,
  options?: FtProfileOptions & FtAggregateOptions,
) =>
  new Command<{ results: AggregateReply; profile: Parsed<ProfileReply<unknown>['profile']> }>(PROFILEAGGREGATE, [
    ...profile(index, 'AGGREGATE', query, options),
    ...aggregateArguments('FT.PROFILE', options),
  ]);

const SEARCH = spec('FT.SEARCH', { read: readSearch });
/**
 * Finds documents. User input goes into `PARAMS`, never into the query's text. RediSearch 1.0.0.
 * @example
 * await client.ft.search('users', '@name:$name', { PARAMS: { name: input }, LIMIT: { from: 0, size: 10 } });
 */
export const search = (index: RedisArgument, query: RedisArgument, options?: FtSearchOptions) =>
  new Command<Parsed<SearchReply>>(SEARCH, [index, query, ...searchArguments('FT.SEARCH', options)]);
const SEARCH_NOCONTENT = spec('FT.SEARCH', { read: readNoContent });
/** {@link search} for ids only. RediSearch 1.0.0. */
export const searchNoContent = (index: RedisArgument, query: RedisArgument, options?: FtSearchOptions) =>
  new Command<Parsed<SearchNoContentReply>>(SEARCH_NOCONTENT, [
    index,
    query,
    ...searchArguments('FT.SEARCH', options),
    'NOCONTENT',
  ]);

interface Terms {
  mode: 'INCLUDE' | 'EXCLUDE';
  dictionary: RedisArgument;
}
export interface FtSpellCheckOptions {
  /** Letters that may differ, 1 to 4. */
  DISTANCE?: number;
  TERMS?: Variadic<Terms>;
  DIALECT?: number;
}
const SPELLCHECK = spec('FT.SPELLCHECK', { read: readSpellCheck });
/** Suggestions for misspelt words of a query. RediSearch 1.4.0. */
export function spellCheck(
  index: RedisArgument,
  query: RedisArgument,
  options?: FtSpellCheckOptions,
): Command<Parsed<SpellCheckReply>> {
  const args: unknown[] = [index, query];
  if (options?.DISTANCE !== undefined) args.push('DISTANCE', options.DISTANCE);
  for (const { mode, dictionary } of list(options?.TERMS ?? []) as Terms[])
    args.push('TERMS', word('FT.SPELLCHECK', 'mode', mode, ['INCLUDE', 'EXCLUDE']), dictionary);
  pushQueryOptions(args, options?.DIALECT === undefined ? undefined : { DIALECT: options.DIALECT });
  return new Command(SPELLCHECK, args);
}

export interface FtSugAddOptions {
  /** Add to the score instead of replacing it. */
  INCR?: boolean;
  PAYLOAD?: RedisArgument;
}
const SUGADD = spec('FT.SUGADD');
/** Adds a suggestion; resolves with how many there are. RediSearch 1.0.0. */
export function sugAdd(
  key: RedisArgument,
  string: RedisArgument,
  score: number,
  options?: FtSugAddOptions,
): Command<Integer> {
  const args: unknown[] = [key, string, score];
  if (options?.INCR) args.push('INCR');
  if (options?.PAYLOAD !== undefined) args.push('PAYLOAD', options.PAYLOAD);
  return new Command(SUGADD, args);
}

const SUGDEL = spec('FT.SUGDEL');
/** Deletes a suggestion; 1 if there was one. RediSearch 1.0.0. */
export const sugDel = (key: RedisArgument, string: RedisArgument) => new Command<Integer<0 | 1>>(SUGDEL, [key, string]);

export interface FtSugGetOptions {
  /** One letter may differ. */
  FUZZY?: boolean;
  /** Default 5. */
  MAX?: number;
}
function sugGetArguments(
  key: RedisArgument,
  prefix: RedisArgument,
  options: FtSugGetOptions | undefined,
  ...words: string[]
): unknown[] {
  const args: unknown[] = [key, prefix];
  if (options?.FUZZY) args.push('FUZZY');
  if (options?.MAX !== undefined) args.push('MAX', options.MAX);
  return [...args, ...words];
}
/** Rows of a flat reply, each with these fields. Scores are text in RESP2, numbers in RESP3. */
const suggestions =
  (...names: ('suggestion' | 'score' | 'payload')[]) =>
  (reply: unknown[] | null, _: unknown, mapping: Parameters<typeof toDouble>[1]): unknown =>
    reply === null
      ? null
      : Array.from({ length: Math.floor(reply.length / names.length) }, (_row, i) =>
          Object.fromEntries(
            names.map((name, j) => {
              const value = reply[i * names.length + j];
              return [name, name === 'score' ? toDouble(value as Text | number, mapping) : value];
            }),
          ),
        );
const SUGGET = spec('FT.SUGGET');
/** Suggestions that begin with `prefix`; null when there are none. RediSearch 1.0.0. */
export const sugGet = (key: RedisArgument, prefix: RedisArgument, options?: FtSugGetOptions) =>
  new Command<BlobString[] | null>(SUGGET, sugGetArguments(key, prefix, options));
const SUGGET_WITHPAYLOADS = spec('FT.SUGGET', { read: suggestions('suggestion', 'payload') });
export const sugGetWithPayloads = (key: RedisArgument, prefix: RedisArgument, options?: FtSugGetOptions) =>
  new Command<{ suggestion: BlobString; payload: BlobString | null }[] | null>(
    SUGGET_WITHPAYLOADS,
    sugGetArguments(key, prefix, options, 'WITHPAYLOADS'),
  );
const SUGGET_WITHSCORES = spec('FT.SUGGET', { read: suggestions('suggestion', 'score') });
export const sugGetWithScores = (key: RedisArgument, prefix: RedisArgument, options?: FtSugGetOptions) =>
  new Command<{ suggestion: BlobString; score: Double }[] | null>(
    SUGGET_WITHSCORES,
    sugGetArguments(key, prefix, options, 'WITHSCORES'),
  );
const SUGGET_WITHSCORES_WITHPAYLOADS = spec('FT.SUGGET', { read: suggestions('suggestion', 'score', 'payload') });
export const sugGetWithScoresWithPayloads = (key: RedisArgument, prefix: RedisArgument, options?: FtSugGetOptions) =>
  new Command<{ suggestion: BlobString; score: Double; payload: BlobString | null }[] | null>(
    SUGGET_WITHSCORES_WITHPAYLOADS,
    sugGetArguments(key, prefix, options, 'WITHSCORES', 'WITHPAYLOADS'),
  );

const SUGLEN = spec('FT.SUGLEN');
/** How many suggestions there are. RediSearch 1.0.0. */
export const sugLen = (key: RedisArgument) => new Command<Integer>(SUGLEN, [key]);

const SYNDUMP = spec('FT.SYNDUMP', { read: asMap });
/** Each term and the groups of synonyms that it is in. RediSearch 1.2.0. */
export const synDump = (index: RedisArgument) => new Command<MapOf<BlobString, BlobString[]>>(SYNDUMP, [index]);

export interface FtSynUpdateOptions {
  SKIPINITIALSCAN?: boolean;
}
const SYNUPDATE = spec('FT.SYNUPDATE');
/** Adds terms to a group of synonyms. RediSearch 1.2.0. */
export const synUpdate = (
  index: RedisArgument,
  groupId: RedisArgument,
  terms: Variadic,
  options?: FtSynUpdateOptions,
) =>
  new Command<Ok>(SYNUPDATE, [
    index,
    groupId,
    ...(options?.SKIPINITIALSCAN ? ['SKIPINITIALSCAN'] : []),
    ...list(terms),
  ]);

const TAGVALS = spec('FT.TAGVALS');
/** The values of a tag field. RediSearch 1.0.0. */
export const tagVals = (index: RedisArgument, fieldName: RedisArgument) =>
  new Command<SetOf<BlobString>>(TAGVALS, [index, fieldName]);

export const aliases = {
  aggregateWithCursor: 'AGGREGATE_WITHCURSOR',
  configGet: 'CONFIG_GET',
  configSet: 'CONFIG_SET',
  cursorDel: 'CURSOR_DEL',
  cursorRead: 'CURSOR_READ',
  searchNoContent: 'SEARCH_NOCONTENT',
  sugGetWithPayloads: 'SUGGET_WITHPAYLOADS',
  sugGetWithScores: 'SUGGET_WITHSCORES',
  sugGetWithScoresWithPayloads: 'SUGGET_WITHSCORES_WITHPAYLOADS',
} as const;
