/** What search commands answer. Lists in RESP2; in RESP3 maps, which a type mapping may have made Maps or lists. */
import type { ReplyValue, TypeMapping } from '../../protocol/types.js';
import { pairsToMap, type Text } from '../readers.js';
import { entriesOf } from '../shapes.js';

/** Fields of a hash, or the parsed JSON document. */
export interface SearchDocumentValue {
  [key: string]: string | number | null | SearchDocumentValue | SearchDocumentValue[];
}
export interface SearchReply {
  /** Matches, of which `documents` are a page. */
  total: number;
  documents: { id: string; value: SearchDocumentValue }[];
  /** RESP3 only. */
  warnings: string[];
}
export interface SearchNoContentReply {
  total: number;
  documents: string[];
  warnings: string[];
}

type Fields = Map<string, unknown>;
const fieldsOf = (reply: unknown): Fields =>
  new Map(reply !== null && typeof reply === 'object' ? entriesOf(reply) : []);
const itemsOf = (reply: unknown): unknown[] => (Array.isArray(reply) ? reply : []);
const count = (fields: Fields): number => Number(fields.get('total_results') ?? 0);
const warningsOf = (fields: Fields): string[] => itemsOf(fields.get('warning')).map(String);

/** The whole JSON document comes as a field `$`. Without a prototype, so that a field named `__proto__` is data. */
function assignDocument(target: Record<string, unknown>, fields: Fields): Record<string, unknown> {
  for (const [name, value] of fields) {
    const document = name === '$' ? parsed(value) : undefined;
    if (document === undefined) target[name] = value;
    else for (const [key, item] of Object.entries(document)) target[key] = item;
  }
  return target;
}
function parsed(value: unknown): object | undefined {
  try {
    const document: unknown = JSON.parse(String(value));
    return document !== null && typeof document === 'object' ? document : undefined;
  } catch {
    return undefined;
  }
}
const documentOf = (fields: Fields): SearchDocumentValue =>
  assignDocument(Object.create(null), fields) as SearchDocumentValue;

/** A row's own fields, those in `extra_attributes`, and with `others` the fields beside them. */
function rowOf(row: Fields, others: boolean): Record<string, unknown> {
  const document: Record<string, unknown> = Object.create(null);
  for (const part of ['values', 'extra_attributes']) assignDocument(document, fieldsOf(row.get(part)));
  if (others)
    for (const [name, value] of row) if (!ROW_PARTS.has(name) && !Object.hasOwn(document, name)) document[name] = value;
  return document;
}
const ROW_PARTS = new Set(['id', 'values', 'extra_attributes']);

/** The answer of RESP2, a list that begins with a count, where RESP3 was agreed: some proxies go on in RESP2. */
const isResp2 = (reply: unknown): reply is unknown[] => Array.isArray(reply) && typeof reply[0] === 'number';

function searchResp2(reply: unknown[]): SearchReply {
  const documents: SearchReply['documents'] = [];
  // With NOCONTENT or RETURN 0 there are ids only.
  const idsOnly = reply.length > 2 && !Array.isArray(reply[2]);
  for (let i = 1; i < reply.length; i += idsOnly ? 1 : 2)
    documents.push({ id: String(reply[i]), value: documentOf(idsOnly ? new Map() : fieldsOf(reply[i + 1])) });
  return { total: Number(reply[0]), documents, warnings: [] };
}
function searchResp3(reply: unknown): SearchReply {
  if (isResp2(reply)) return searchResp2(reply);
  const fields = fieldsOf(reply);
  return {
    total: count(fields),
    documents: itemsOf(fields.get('results')).map((item) => {
      const row = fieldsOf(item);
      return { id: String(row.get('id')), value: rowOf(row, false) as SearchDocumentValue };
    }),
    warnings: warningsOf(fields),
  };
}
export const readSearch = { 2: searchResp2, 3: searchResp3 };

export const readNoContent = {
  2: (reply: unknown[]): SearchNoContentReply => ({
    total: Number(reply[0]),
    documents: reply.slice(1).map(String),
    warnings: [],
  }),
  3: (reply: unknown): SearchNoContentReply => {
    if (isResp2(reply)) return readNoContent[2](reply);
    const { total, documents, warnings } = searchResp3(reply);
    return { total, documents: documents.map(({ id }) => id), warnings };
  },
};

type Mapping = TypeMapping | undefined;
function aggregateResp2(reply: unknown[], _: unknown, mapping: Mapping) {
  const results = reply.slice(1).map((row) => pairsToMap(row as unknown[], mapping));
  return { total: Number(reply[0]), results, warnings: [] as string[] };
}
function aggregateResp3(reply: unknown, _: unknown, mapping: Mapping) {
  if (isResp2(reply)) return aggregateResp2(reply, _, mapping);
  const fields = fieldsOf(reply);
  return {
    total: count(fields),
    results: itemsOf(fields.get('results')).map((row) =>
      pairsToMap(Object.entries(rowOf(fieldsOf(row), true)).flat(), mapping),
    ),
    warnings: warningsOf(fields),
  };
}
export const readAggregate = { 2: aggregateResp2, 3: aggregateResp3 };

type WithCursor = [result: unknown[], cursor: unknown];
export const readAggregateWithCursor = {
  2: ([result, cursor]: WithCursor, _: unknown, mapping: Mapping) => ({
    ...aggregateResp2(result, _, mapping),
    cursor,
  }),
  3: ([result, cursor]: WithCursor, _: unknown, mapping: Mapping) => ({
    ...aggregateResp3(result, _, mapping),
    cursor,
  }),
};

/** Results, and the profile with its maps as flat lists, which RESP2 has them as. */
export function readProfile<T>(read: {
  2: (reply: unknown[], _: unknown, mapping: Mapping) => T;
  3: (reply: unknown, _: unknown, mapping: Mapping) => T;
}) {
  return {
    2: ([results, profile]: [unknown[], unknown], _: unknown, mapping: Mapping) => ({
      results: read[2](results, _, mapping),
      profile,
    }),
    3: (reply: unknown, _: unknown, mapping: Mapping) => {
      if (Array.isArray(reply) && isResp2(reply[0]))
        return { results: read[2](reply[0], _, mapping), profile: reply[1] };
      const fields = fieldsOf(reply);
      return {
        // Before Redis 8 the results' fields were beside `profile`.
        results: read[3](fields.get('Results') ?? reply, _, mapping),
        profile: flat(fields.get('Profile') ?? fields.get('profile')),
      };
    },
  };
}
function flat(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(flat);
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value)) return value;
  return entriesOf(value).flatMap(([name, item]) => [name, flat(item)]);
}
export interface ProfileReply<T> {
  results: T;
  profile: ReplyValue;
}

export type SpellCheckReply = { term: string; suggestions: { score: number; suggestion: string }[] }[];
export const readSpellCheck = {
  2: (reply: [unknown, Text, [Text, Text][]][]): SpellCheckReply =>
    reply.map(([, term, suggestions]) => ({
      term: String(term),
      suggestions: suggestions.map(([score, suggestion]) => ({ score: Number(score), suggestion: String(suggestion) })),
    })),
  3: (reply: unknown): SpellCheckReply =>
    // A list of lists is RESP2's.
    Array.isArray(reply) && typeof reply[0] !== 'string'
      ? readSpellCheck[2](reply)
      : entriesOf(fieldsOf(reply).get('results')).map(([term, suggestions]) => ({
          term,
          suggestions: itemsOf(suggestions).flatMap((item) =>
            entriesOf(item).map(([suggestion, score]) => ({ score: Number(score), suggestion })),
          ),
        })),
};

export interface HybridSearchReply {
  totalResults: number;
  /** Milliseconds. */
  executionTime: number;
  warnings: string[];
  results: Record<string, unknown>[];
}
export function readHybrid(reply: unknown): HybridSearchReply {
  const fields = fieldsOf(reply);
  return {
    totalResults: count(fields),
    executionTime: Number(fields.get('execution_time') ?? 0),
    warnings: itemsOf(fields.get('warnings') ?? fields.get('warning')).map(String),
    results: itemsOf(fields.get('results')).map((item) => {
      const row = fieldsOf(item);
      const document = rowOf(row, true);
      return row.has('id') ? Object.assign(Object.create(null), { id: String(row.get('id')) }, document) : document;
    }),
  };
}
