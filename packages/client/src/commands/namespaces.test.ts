/**
 * Commands of modules. No server that the tests can count on has them, so these check what is written, which
 * arguments are keys, and what the readers make of replies as the documentation and node-redis's own tests show them.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startScriptedServer } from '@redkeep/testing';
import { createClient } from '../client/client.js';
import { RESP_TYPES } from '../protocol/types.js';
import { keysOf, plain, wireOf } from '../testing/protocols.js';
import { type Command, Flag } from './command.js';
import { NAMESPACES } from './namespaces.js';

/** What is written; then the keys; `R` reads, `W` writes, `-` touches no data. */
type Row = readonly [command: Command, words: string, keys: string, access: 'R' | 'W' | '-'];

const { bf, cf, cms, ft, json, tDigest, topK, ts } = NAMESPACES;
const ROWS: Readonly<Record<string, readonly Row[]>> = {
  json: [
    [json.arrAppend('k', '$.a', 1, { b: 'c d' }), 'JSON.ARRAPPEND k $.a 1 {"b":"c d"}', 'k', 'W'],
    [json.arrIndex('k', '$', 'x'), 'JSON.ARRINDEX k $ "x"', 'k', 'R'],
    [json.arrIndex('k', '$', 1, { range: { start: 0, stop: 5 } }), 'JSON.ARRINDEX k $ 1 0 5', 'k', 'R'],
    [json.arrInsert('k', '$', 0, null, true), 'JSON.ARRINSERT k $ 0 null true', 'k', 'W'],
    [json.arrLen('k'), 'JSON.ARRLEN k', 'k', 'R'],
    [json.arrLen('k', { path: '$' }), 'JSON.ARRLEN k $', 'k', 'R'],
    [json.arrPop('k'), 'JSON.ARRPOP k', 'k', 'W'],
    [json.arrPop('k', { path: '$.a', index: -1 }), 'JSON.ARRPOP k $.a -1', 'k', 'W'],
    [json.arrTrim('k', '$', 0, 1), 'JSON.ARRTRIM k $ 0 1', 'k', 'W'],
    [json.clear('k', { path: '$.a' }), 'JSON.CLEAR k $.a', 'k', 'W'],
    [json.debugMemory('k', { path: '$' }), 'JSON.DEBUG MEMORY k $', 'k', 'R'],
    [json.del('k', { path: '$' }), 'JSON.DEL k $', 'k', 'W'],
    [json.forget('k'), 'JSON.FORGET k', 'k', 'W'],
    [json.get('k'), 'JSON.GET k', 'k', 'R'],
    [json.get('k', { path: ['$.a', '$.b'] }), 'JSON.GET k $.a $.b', 'k', 'R'],
    [json.merge('k', '$', { a: null }), 'JSON.MERGE k $ {"a":null}', 'k', 'W'],
    [json.mGet(['k', 'l'], '$.a'), 'JSON.MGET k l $.a', 'k l', 'R'],
    [
      json.mSet([
        { key: 'k', path: '$', value: 1 },
        { key: 'l', path: '$.a', value: '2' },
      ]),
      'JSON.MSET k $ 1 l $.a "2"',
      'k l',
      'W',
    ],
    [json.numIncrBy('k', '$', 1.5), 'JSON.NUMINCRBY k $ 1.5', 'k', 'W'],
    [json.numMultBy('k', '$', 2), 'JSON.NUMMULTBY k $ 2', 'k', 'W'],
    [json.objKeys('k', { path: '$' }), 'JSON.OBJKEYS k $', 'k', 'R'],
    [json.objLen('k'), 'JSON.OBJLEN k', 'k', 'R'],
    [json.resp('k', '$'), 'JSON.RESP k $', 'k', 'R'],
    [json.set('k', '$', { a: [1] }), 'JSON.SET k $ {"a":[1]}', 'k', 'W'],
    [json.set('k', '$', 1, { condition: 'NX' }), 'JSON.SET k $ 1 NX', 'k', 'W'],
    [json.set('k', '$', 1, { XX: true }), 'JSON.SET k $ 1 XX', 'k', 'W'],
    [json.set('k', '$', [0.5], { fpha: 'FP16' }), 'JSON.SET k $ [0.5] FPHA FP16', 'k', 'W'],
    [json.strAppend('k', 'x', { path: '$' }), 'JSON.STRAPPEND k $ "x"', 'k', 'W'],
    [json.strLen('k'), 'JSON.STRLEN k', 'k', 'R'],
    [json.toggle('k', '$'), 'JSON.TOGGLE k $', 'k', 'W'],
    [json.type('k', { path: '$' }), 'JSON.TYPE k $', 'k', 'R'],
  ],
  ft: [
    [ft._list(), 'FT._LIST', '', 'R'],
    [ft.aggregate('i', '*'), 'FT.AGGREGATE i * DIALECT 2', '', 'R'],
    [
      ft.aggregate('i', 'q', {
        VERBATIM: true,
        ADDSCORES: true,
        LOAD: ['@a', { identifier: '$.b', AS: 'b' }],
        TIMEOUT: 5,
        STEPS: [
          {
            type: 'GROUPBY',
            properties: ['@a', '@b'],
            REDUCE: [
              { type: 'COUNT', AS: 'n' },
              { type: 'SUM', property: '@c' },
              { type: 'QUANTILE', property: '@c', quantile: 0.5 },
              { type: 'FIRST_VALUE', property: '@c', BY: { property: '@d', direction: 'DESC' } },
              { type: 'FIRST_VALUE', property: '@c', BY: '@d' },
              { type: 'RANDOM_SAMPLE', property: '@c', sampleSize: 3 },
              { type: 'COLLECT', FIELDS: ['@c', '@d'], DISTINCT: true, SORTBY: '@c', LIMIT: { from: 0, size: 2 } },
              { type: 'COLLECT', FIELDS: '*' },
            ],
          },
          { type: 'SORTBY', BY: ['@a', { BY: '@b', DIRECTION: 'DESC' }], MAX: 9 },
          { type: 'APPLY', expression: '@a+1', AS: 'x' },
          { type: 'LIMIT', from: 0, size: 10 },
          { type: 'FILTER', expression: '@x>1' },
        ],
        PARAMS: { p: 1 },
        DIALECT: 3,
      }),
      [
        'FT.AGGREGATE i q VERBATIM ADDSCORES LOAD 4 @a $.b AS b TIMEOUT 5 GROUPBY 2 @a @b REDUCE COUNT 0 AS n',
        'REDUCE SUM 1 @c REDUCE QUANTILE 2 @c 0.5 REDUCE FIRST_VALUE 4 @c BY @d DESC REDUCE FIRST_VALUE 3 @c BY @d',
        'REDUCE RANDOM_SAMPLE 2 @c 3 REDUCE COLLECT 11 FIELDS 2 @c @d DISTINCT SORTBY 1 @c LIMIT 0 2',
        'REDUCE COLLECT 2 FIELDS * SORTBY 5 @a @b DESC MAX 9 APPLY @a+1 AS x LIMIT 0 10 FILTER @x>1',
        'PARAMS 2 p 1 DIALECT 3',
      ].join(' '),
      '',
      'R',
    ],
    [
      ft.aggregate('i', '*', { LOAD: '*', STEPS: [{ type: 'GROUPBY', REDUCE: { type: 'COUNT' } }] }),
      'FT.AGGREGATE i * LOAD * GROUPBY 0 REDUCE COUNT 0 DIALECT 2',
      '',
      'R',
    ],
    [
      ft.aggregateWithCursor('i', '*', { COUNT: 1, MAXIDLE: 2 }),
      'FT.AGGREGATE i * DIALECT 2 WITHCURSOR COUNT 1 MAXIDLE 2',
      '',
      'R',
    ],
    [ft.aliasAdd('a', 'i'), 'FT.ALIASADD a i', '', 'W'],
    [ft.aliasDel('a'), 'FT.ALIASDEL a', '', 'W'],
    [ft.aliasList('i'), 'FT.ALIASLIST i', '', 'R'],
    [ft.aliasUpdate('a', 'i'), 'FT.ALIASUPDATE a i', '', 'W'],
    [ft.alter('i', { f: 'TEXT' }), 'FT.ALTER i SCHEMA ADD f TEXT', '', 'W'],
    [ft.configGet('*'), 'FT.CONFIG GET *', '', '-'],
    [ft.configSet('TIMEOUT', '1'), 'FT.CONFIG SET TIMEOUT 1', '', '-'],
    [ft.create('i', { f: 'TEXT' }), 'FT.CREATE i SCHEMA f TEXT', '', 'W'],
    [
      ft.create(
        'i',
        {
          '$.a': { type: 'TEXT', AS: 'a', NOSTEM: true, WEIGHT: 2, PHONETIC: 'dm:en', SORTABLE: 'UNF', NOINDEX: true },
          b: ['NUMERIC', { type: 'TAG', SEPARATOR: ';', CASESENSITIVE: true, WITHSUFFIXTRIE: true, SORTABLE: true }],
          c: { type: 'VECTOR', ALGORITHM: 'HNSW', TYPE: 'FLOAT32', DIM: 3, DISTANCE_METRIC: 'L2', M: 4, RERANK: true },
          d: { type: 'VECTOR', ALGORITHM: 'FLAT', TYPE: 'INT8', DIM: 3, DISTANCE_METRIC: 'COSINE', BLOCK_SIZE: 8 },
          e: {
            type: 'VECTOR',
            ALGORITHM: 'SVS-VAMANA',
            TYPE: 'FLOAT16',
            DIM: 3,
            DISTANCE_METRIC: 'IP',
            COMPRESSION: 'LVQ4x4',
            INDEXMISSING: true,
          },
          f: { type: 'GEOSHAPE', COORD_SYSTEM: 'FLAT', INDEXMISSING: true },
          g: { type: 'GEO', INDEXMISSING: true },
        },
        {
          ON: 'JSON',
          PREFIX: ['u:', 'v:'],
          FILTER: '@a',
          LANGUAGE: 'German',
          SCORE: 0.5,
          TEMPORARY: 60,
          NOHL: true,
          STOPWORDS: [],
        },
      ),
      [
        'FT.CREATE i ON JSON PREFIX 2 u: v: FILTER @a LANGUAGE German SCORE 0.5 TEMPORARY 60 NOHL STOPWORDS 0 SCHEMA',
        '$.a AS a TEXT NOSTEM WEIGHT 2 PHONETIC dm:en SORTABLE UNF NOINDEX b NUMERIC',
        'b TAG SEPARATOR ; CASESENSITIVE WITHSUFFIXTRIE SORTABLE',
        'c VECTOR HNSW 10 TYPE FLOAT32 DIM 3 DISTANCE_METRIC L2 M 4 RERANK TRUE',
        'd VECTOR FLAT 8 TYPE INT8 DIM 3 DISTANCE_METRIC COSINE BLOCK_SIZE 8',
        'e VECTOR SVS-VAMANA 8 TYPE FLOAT16 DIM 3 DISTANCE_METRIC IP COMPRESSION LVQ4x4 INDEXMISSING',
        'f GEOSHAPE COORD_SYSTEM FLAT INDEXMISSING g GEO INDEXMISSING',
      ].join(' '),
      '',
      'W',
    ],
    [ft.cursorDel('i', 7), 'FT.CURSOR DEL i 7', '', '-'],
    [ft.cursorRead('i', 7, { COUNT: 5 }), 'FT.CURSOR READ i 7 COUNT 5', '', '-'],
    [ft.dictAdd('d', ['a', 'b']), 'FT.DICTADD d a b', '', 'W'],
    [ft.dictDel('d', 'a'), 'FT.DICTDEL d a', '', 'W'],
    [ft.dictDump('d'), 'FT.DICTDUMP d', '', 'R'],
    [ft.dropIndex('i', { DD: true }), 'FT.DROPINDEX i DD', '', 'W'],
    [ft.explain('i', 'q', { PARAMS: { p: 'v' } }), 'FT.EXPLAIN i q PARAMS 2 p v DIALECT 2', '', 'R'],
    [ft.explainCli('i', 'q', { DIALECT: 1 }), 'FT.EXPLAINCLI i q DIALECT 1', '', 'R'],
    [
      ft.hybrid('i', {
        SEARCH: { query: 'q', SCORER: 'BM25', YIELD_SCORE_AS: 's' },
        VSIM: {
          field: '@v',
          vector: '$vec',
          method: { type: 'KNN', K: 5, EF_RUNTIME: 9 },
          FILTER: '@a',
          YIELD_SCORE_AS: 'd',
        },
        COMBINE: { method: { type: 'LINEAR', ALPHA: 0.3, BETA: 0.7, WINDOW: 4 }, YIELD_SCORE_AS: 'c' },
        LOAD: ['@a', '@b'],
        GROUPBY: { fields: '@a', REDUCE: { type: 'COUNT' } },
        APPLY: { expression: '@a', AS: 'x' },
        SORTBY: { fields: [{ field: '@a', direction: 'DESC' }, { field: '@b' }] },
        FILTER: '@x',
        LIMIT: { offset: 0, count: 3 },
        PARAMS: { vec: 'bytes' },
        TIMEOUT: 10,
      }),
      [
        'FT.HYBRID i SEARCH q SCORER BM25 YIELD_SCORE_AS s VSIM @v $vec KNN 4 K 5 EF_RUNTIME 9 FILTER @a',
        'YIELD_SCORE_AS d COMBINE LINEAR 8 ALPHA 0.3 BETA 0.7 WINDOW 4 YIELD_SCORE_AS c LOAD 2 @a @b',
        'GROUPBY 1 @a REDUCE COUNT 0 APPLY @a AS x SORTBY 3 @a DESC @b FILTER @x LIMIT 0 3',
        'PARAMS 2 vec bytes TIMEOUT 10',
      ].join(' '),
      '',
      'R',
    ],
    [
      ft.hybrid('i', {
        SEARCH: { query: 'q' },
        VSIM: { field: '@v', vector: '$vec', method: { type: 'RANGE', RADIUS: 0.5 } },
        COMBINE: { method: { type: 'RRF', CONSTANT: 60, WINDOW: 4 } },
        NOSORT: true,
        PARAMS: {},
      }),
      'FT.HYBRID i SEARCH q VSIM @v $vec RANGE 2 RADIUS 0.5 COMBINE RRF 4 WINDOW 4 CONSTANT 60 NOSORT',
      '',
      'R',
    ],
    [ft.info('i'), 'FT.INFO i', '', 'R'],
    [ft.profileSearch('i', 'q', { LIMITED: true }), 'FT.PROFILE i SEARCH LIMITED QUERY q DIALECT 2', '', 'R'],
    [ft.profileAggregate('i', 'q'), 'FT.PROFILE i AGGREGATE QUERY q DIALECT 2', '', 'R'],
    [
      ft.search('i', 'q', {
        VERBATIM: true,
        NOSTOPWORDS: true,
        INKEYS: 'k',
        INFIELDS: ['f', 'g'],
        RETURN: [],
        SUMMARIZE: { FIELDS: ['f'], FRAGS: 1, LEN: 2, SEPARATOR: '…' },
        HIGHLIGHT: { FIELDS: 'f', TAGS: { open: '<b>', close: '</b>' } },
        SLOP: 1,
        TIMEOUT: 2,
        INORDER: true,
        LANGUAGE: 'English',
        EXPANDER: 'e',
        SCORER: 's',
        SORTBY: { BY: '@a', DIRECTION: 'ASC' },
        LIMIT: { from: 0, size: 1 },
        PARAMS: { a: 'b', n: 1 },
      }),
      [
        'FT.SEARCH i q VERBATIM NOSTOPWORDS INKEYS 1 k INFIELDS 2 f g RETURN 0',
        'SUMMARIZE FIELDS 1 f FRAGS 1 LEN 2 SEPARATOR … HIGHLIGHT FIELDS 1 f TAGS <b> </b>',
        'SLOP 1 TIMEOUT 2 INORDER LANGUAGE English EXPANDER e SCORER s SORTBY @a ASC LIMIT 0 1',
        'PARAMS 4 a b n 1 DIALECT 2',
      ].join(' '),
      '',
      'R',
    ],
    [
      ft.search('i', 'q', { SUMMARIZE: true, HIGHLIGHT: true, SORTBY: '@a', DIALECT: 4 }),
      'FT.SEARCH i q SUMMARIZE HIGHLIGHT SORTBY @a DIALECT 4',
      '',
      'R',
    ],
    [ft.searchNoContent('i', 'q'), 'FT.SEARCH i q DIALECT 2 NOCONTENT', '', 'R'],
    [
      ft.spellCheck('i', 'q', { DISTANCE: 2, TERMS: [{ mode: 'INCLUDE', dictionary: 'd' }] }),
      'FT.SPELLCHECK i q DISTANCE 2 TERMS INCLUDE d DIALECT 2',
      '',
      'R',
    ],
    [ft.sugAdd('k', 's', 1, { INCR: true, PAYLOAD: 'p' }), 'FT.SUGADD k s 1 INCR PAYLOAD p', 'k', 'W'],
    [ft.sugDel('k', 's'), 'FT.SUGDEL k s', 'k', 'W'],
    [ft.sugGet('k', 'p', { FUZZY: true, MAX: 3 }), 'FT.SUGGET k p FUZZY MAX 3', 'k', 'R'],
    [ft.sugGetWithPayloads('k', 'p'), 'FT.SUGGET k p WITHPAYLOADS', 'k', 'R'],
    [ft.sugGetWithScores('k', 'p'), 'FT.SUGGET k p WITHSCORES', 'k', 'R'],
    [ft.sugGetWithScoresWithPayloads('k', 'p'), 'FT.SUGGET k p WITHSCORES WITHPAYLOADS', 'k', 'R'],
    [ft.sugLen('k'), 'FT.SUGLEN k', 'k', 'R'],
    [ft.synDump('i'), 'FT.SYNDUMP i', '', 'R'],
    [ft.synUpdate('i', 'g', ['a', 'b'], { SKIPINITIALSCAN: true }), 'FT.SYNUPDATE i g SKIPINITIALSCAN a b', '', 'W'],
    [ft.tagVals('i', 'f'), 'FT.TAGVALS i f', '', 'R'],
  ],
  bf: [
    [bf.add('k', 'i'), 'BF.ADD k i', 'k', 'W'],
    [bf.card('k'), 'BF.CARD k', 'k', 'R'],
    [bf.exists('k', 'i'), 'BF.EXISTS k i', 'k', 'R'],
    [bf.info('k'), 'BF.INFO k', 'k', 'R'],
    [bf.insert('k', 'i'), 'BF.INSERT k ITEMS i', 'k', 'W'],
    [
      bf.insert('k', ['i', 'j'], { CAPACITY: 100, ERROR: 0.01, EXPANSION: 2, NOCREATE: true, NONSCALING: true }),
      'BF.INSERT k CAPACITY 100 ERROR 0.01 EXPANSION 2 NOCREATE NONSCALING ITEMS i j',
      'k',
      'W',
    ],
    [bf.loadChunk('k', 1, 'bytes'), 'BF.LOADCHUNK k 1 bytes', 'k', 'W'],
    [bf.mAdd('k', ['i', 'j']), 'BF.MADD k i j', 'k', 'W'],
    [bf.mExists('k', ['i', 'j']), 'BF.MEXISTS k i j', 'k', 'R'],
    [
      bf.reserve('k', 0.01, 100, { EXPANSION: 2, NONSCALING: true }),
      'BF.RESERVE k 0.01 100 EXPANSION 2 NONSCALING',
      'k',
      'W',
    ],
    [bf.scanDump('k', 0), 'BF.SCANDUMP k 0', 'k', 'R'],
  ],
  cf: [
    [cf.add('k', 'i'), 'CF.ADD k i', 'k', 'W'],
    [cf.addNX('k', 'i'), 'CF.ADDNX k i', 'k', 'W'],
    [cf.count('k', 'i'), 'CF.COUNT k i', 'k', 'R'],
    [cf.del('k', 'i'), 'CF.DEL k i', 'k', 'W'],
    [cf.exists('k', 'i'), 'CF.EXISTS k i', 'k', 'R'],
    [cf.mExists('k', ['i', 'j']), 'CF.MEXISTS k i j', 'k', 'R'],
    [cf.info('k'), 'CF.INFO k', 'k', 'R'],
    [cf.insert('k', 'i', { CAPACITY: 9, NOCREATE: true }), 'CF.INSERT k CAPACITY 9 NOCREATE ITEMS i', 'k', 'W'],
    [cf.insertNX('k', ['i', 'j']), 'CF.INSERTNX k ITEMS i j', 'k', 'W'],
    [cf.loadChunk('k', 1, 'bytes'), 'CF.LOADCHUNK k 1 bytes', 'k', 'W'],
    [
      cf.reserve('k', 9, { BUCKETSIZE: 2, MAXITERATIONS: 3, EXPANSION: 4 }),
      'CF.RESERVE k 9 BUCKETSIZE 2 MAXITERATIONS 3 EXPANSION 4',
      'k',
      'W',
    ],
    [cf.scanDump('k', 0), 'CF.SCANDUMP k 0', 'k', 'R'],
  ],
  cms: [
    [cms.incrBy('k', { item: 'i', incrementBy: 1 }), 'CMS.INCRBY k i 1', 'k', 'W'],
    [
      cms.incrBy('k', [
        { item: 'i', incrementBy: 1 },
        { item: 'j', incrementBy: 2 },
      ]),
      'CMS.INCRBY k i 1 j 2',
      'k',
      'W',
    ],
    [cms.info('k'), 'CMS.INFO k', 'k', 'R'],
    [cms.initByDim('k', 1000, 5), 'CMS.INITBYDIM k 1000 5', 'k', 'W'],
    [cms.initByProb('k', 0.001, 0.01), 'CMS.INITBYPROB k 0.001 0.01', 'k', 'W'],
    [cms.merge('d', ['s', 't']), 'CMS.MERGE d 2 s t', 'd s t', 'W'],
    [
      cms.merge('d', [
        { name: 's', weight: 1 },
        { name: 't', weight: 2 },
      ]),
      'CMS.MERGE d 2 s t WEIGHTS 1 2',
      'd s t',
      'W',
    ],
    [cms.query('k', ['i', 'j']), 'CMS.QUERY k i j', 'k', 'R'],
  ],
  tDigest: [
    [tDigest.add('k', [1, 2.5]), 'TDIGEST.ADD k 1 2.5', 'k', 'W'],
    [tDigest.byRank('k', [0, 1]), 'TDIGEST.BYRANK k 0 1', 'k', 'R'],
    [tDigest.byRevRank('k', [0]), 'TDIGEST.BYREVRANK k 0', 'k', 'R'],
    [tDigest.cdf('k', [1, Number.POSITIVE_INFINITY]), 'TDIGEST.CDF k 1 +inf', 'k', 'R'],
    [tDigest.create('k'), 'TDIGEST.CREATE k', 'k', 'W'],
    [tDigest.create('k', { COMPRESSION: 200 }), 'TDIGEST.CREATE k COMPRESSION 200', 'k', 'W'],
    [tDigest.info('k'), 'TDIGEST.INFO k', 'k', 'R'],
    [tDigest.max('k'), 'TDIGEST.MAX k', 'k', 'R'],
    [tDigest.merge('d', 's'), 'TDIGEST.MERGE d 1 s', 'd s', 'W'],
    [
      tDigest.merge('d', ['s', 't'], { COMPRESSION: 100, OVERRIDE: true }),
      'TDIGEST.MERGE d 2 s t COMPRESSION 100 OVERRIDE',
      'd s t',
      'W',
    ],
    [tDigest.min('k'), 'TDIGEST.MIN k', 'k', 'R'],
    [tDigest.quantile('k', [0.5]), 'TDIGEST.QUANTILE k 0.5', 'k', 'R'],
    [tDigest.rank('k', [5]), 'TDIGEST.RANK k 5', 'k', 'R'],
    [tDigest.reset('k'), 'TDIGEST.RESET k', 'k', 'W'],
    [tDigest.revRank('k', [5]), 'TDIGEST.REVRANK k 5', 'k', 'R'],
    [tDigest.trimmedMean('k', 0.1, 0.9), 'TDIGEST.TRIMMED_MEAN k 0.1 0.9', 'k', 'R'],
  ],
  topK: [
    [topK.add('k', ['i', 'j']), 'TOPK.ADD k i j', 'k', 'W'],
    [topK.count('k', 'i'), 'TOPK.COUNT k i', 'k', 'R'],
    [topK.incrBy('k', { item: 'i', incrementBy: 2 }), 'TOPK.INCRBY k i 2', 'k', 'W'],
    [topK.info('k'), 'TOPK.INFO k', 'k', 'R'],
    [topK.list('k'), 'TOPK.LIST k', 'k', 'R'],
    [topK.listWithCount('k'), 'TOPK.LIST k WITHCOUNT', 'k', 'R'],
    [topK.query('k', ['i', 'j']), 'TOPK.QUERY k i j', 'k', 'R'],
    [topK.reserve('k', 3), 'TOPK.RESERVE k 3', 'k', 'W'],
    [topK.reserve('k', 3, { width: 8, depth: 7, decay: 0.9 }), 'TOPK.RESERVE k 3 8 7 0.9', 'k', 'W'],
  ],
  ts: [
    [ts.add('k', '*', 1.5), 'TS.ADD k * 1.5', 'k', 'W'],
    [
      ts.add('k', new Date(5), 1, {
        RETENTION: 1,
        ENCODING: 'UNCOMPRESSED',
        CHUNK_SIZE: 128,
        ON_DUPLICATE: 'LAST',
        LABELS: { a: 'b' },
        IGNORE: { maxTimeDiff: 1, maxValDiff: 2 },
      }),
      'TS.ADD k 5 1 RETENTION 1 ENCODING UNCOMPRESSED CHUNK_SIZE 128 ON_DUPLICATE LAST IGNORE 1 2 LABELS a b',
      'k',
      'W',
    ],
    [ts.alter('k', { RETENTION: 1, DUPLICATE_POLICY: 'MIN' }), 'TS.ALTER k RETENTION 1 DUPLICATE_POLICY MIN', 'k', 'W'],
    [ts.create('k', { LABELS: { a: 'b', c: 'd' } }), 'TS.CREATE k LABELS a b c d', 'k', 'W'],
    [ts.createRule('s', 'd', 'STD.P', 60, 1), 'TS.CREATERULE s d AGGREGATION STD.P 60 1', 's d', 'W'],
    [ts.decrBy('k', 1), 'TS.DECRBY k 1', 'k', 'W'],
    [
      ts.incrBy('k', 1, { TIMESTAMP: 7, UNCOMPRESSED: true, RETENTION: 9, CHUNK_SIZE: 8, LABELS: { a: 'b' } }),
      'TS.INCRBY k 1 TIMESTAMP 7 UNCOMPRESSED RETENTION 9 CHUNK_SIZE 8 LABELS a b',
      'k',
      'W',
    ],
    [ts.del('k', '-', '+'), 'TS.DEL k - +', 'k', 'W'],
    [ts.deleteRule('s', 'd'), 'TS.DELETERULE s d', 's d', 'W'],
    [ts.get('k', { LATEST: true }), 'TS.GET k LATEST', 'k', 'R'],
    [ts.info('k'), 'TS.INFO k', 'k', 'R'],
    [ts.infoDebug('k'), 'TS.INFO k DEBUG', 'k', 'R'],
    [
      ts.mAdd([
        { key: 'k', timestamp: 1, value: 2 },
        { key: 'l', timestamp: '*', value: 3 },
      ]),
      'TS.MADD k 1 2 l * 3',
      'k l',
      'W',
    ],
    [ts.mGet('a=1', { LATEST: true }), 'TS.MGET LATEST FILTER a=1', '', 'R'],
    [ts.mGetSelectedLabels('a=1', ['a', 'b']), 'TS.MGET SELECTED_LABELS a b FILTER a=1', '', 'R'],
    [ts.mGetWithLabels(['a=1', 'b!=']), 'TS.MGET WITHLABELS FILTER a=1 b!=', '', 'R'],
    [
      ts.range('k', '-', '+', {
        LATEST: true,
        FILTER_BY_TS: [1, 2],
        FILTER_BY_VALUE: { min: 0, max: 9 },
        COUNT: 3,
        ALIGN: '-',
        AGGREGATION: { type: 'AVG', timeBucket: 10, BUCKETTIMESTAMP: '~', EMPTY: true },
      }),
      'TS.RANGE k - + LATEST FILTER_BY_TS 1 2 FILTER_BY_VALUE 0 9 COUNT 3 ALIGN - AGGREGATION AVG 10 BUCKETTIMESTAMP ~ EMPTY',
      'k',
      'R',
    ],
    [
      ts.rangeMultiAggr('k', 0, 9, { AGGREGATION: { types: ['MIN', 'MAX'], timeBucket: 5 } }),
      'TS.RANGE k 0 9 AGGREGATION MIN,MAX 5',
      'k',
      'R',
    ],
    [ts.revRange('k', 0, 9), 'TS.REVRANGE k 0 9', 'k', 'R'],
    [
      ts.revRangeMultiAggr('k', 0, 9, { AGGREGATION: { types: ['MIN'], timeBucket: 5 } }),
      'TS.REVRANGE k 0 9 AGGREGATION MIN 5',
      'k',
      'R',
    ],
    [
      ts.nRange(['k', 'l'], 0, 9, { AGGREGATION: { types: [['MIN', 'MAX'], ['AVG']], timeBucket: 5 } }),
      'TS.NRANGE 2 k l 0 9 AGGREGATION MIN,MAX AVG 5',
      'k l',
      'R',
    ],
    [ts.nRevRange(['k'], 0, 9), 'TS.NREVRANGE 1 k 0 9', 'k', 'R'],
    [ts.queryIndex(['a=1', 'b=2']), 'TS.QUERYINDEX a=1 b=2', '', 'R'],
    [ts.queryLabels('a=1'), 'TS.QUERYLABELS LABELS FILTER a=1', '', 'R'],
    [ts.queryLabelValues('a'), 'TS.QUERYLABELS VALUES a', '', 'R'],
    [
      ts.read('k', '$', { BLOCK: { milliseconds: 100 }, MAX_COUNT: 5 }),
      'TS.READ k $ BLOCK 100 1 MAX_COUNT 5',
      'k',
      'R',
    ],
    [ts.read('k', 5), 'TS.READ k 5', 'k', 'R'],
    ...(['mRange', 'mRevRange'] as const).flatMap((name): Row[] => {
      const word = `TS.${name.toUpperCase()}`;
      const multi = { AGGREGATION: { types: ['MIN', 'MAX'], timeBucket: 5 }, EXCLUDEEMPTY: true } as const;
      const group = { label: 'a', REDUCE: 'SUM' } as const;
      return [
        [
          ts[name](0, 9, 'a=1', { COUNT: 1, EXCLUDEEMPTY: true }),
          `${word} 0 9 COUNT 1 EXCLUDEEMPTY FILTER a=1`,
          '',
          'R',
        ],
        [ts[`${name}GroupBy`](0, 9, 'a=1', group), `${word} 0 9 FILTER a=1 GROUPBY a REDUCE SUM`, '', 'R'],
        [
          ts[`${name}MultiAggr`](0, 9, 'a=1', multi),
          `${word} 0 9 AGGREGATION MIN,MAX 5 EXCLUDEEMPTY FILTER a=1`,
          '',
          'R',
        ],
        [ts[`${name}WithLabels`](0, 9, 'a=1'), `${word} 0 9 WITHLABELS FILTER a=1`, '', 'R'],
        [
          ts[`${name}WithLabelsGroupBy`](0, 9, 'a=1', group),
          `${word} 0 9 WITHLABELS FILTER a=1 GROUPBY a REDUCE SUM`,
          '',
          'R',
        ],
        [
          ts[`${name}WithLabelsMultiAggr`](0, 9, 'a=1', multi),
          `${word} 0 9 AGGREGATION MIN,MAX 5 EXCLUDEEMPTY WITHLABELS FILTER a=1`,
          '',
          'R',
        ],
        [ts[`${name}SelectedLabels`](0, 9, ['a', 'b'], 'a=1'), `${word} 0 9 SELECTED_LABELS a b FILTER a=1`, '', 'R'],
        [
          ts[`${name}SelectedLabelsGroupBy`](0, 9, 'a', 'a=1', group),
          `${word} 0 9 SELECTED_LABELS a FILTER a=1 GROUPBY a REDUCE SUM`,
          '',
          'R',
        ],
        [
          ts[`${name}SelectedLabelsMultiAggr`](0, 9, 'a', 'a=1', multi),
          `${word} 0 9 AGGREGATION MIN,MAX 5 EXCLUDEEMPTY SELECTED_LABELS a FILTER a=1`,
          '',
          'R',
        ],
      ];
    }),
  ],
};

for (const [name, rows] of Object.entries(ROWS)) {
  test(`${name}, wire level: arguments, keys and access`, () => {
    for (const [command, words, keys, access] of rows) {
      assert.equal(wireOf(command), words);
      assert.equal(keysOf(command).join(' '), keys, `keys of ${words}`);
      const { flags } = command.spec;
      assert.equal(flags & (Flag.READONLY | Flag.WRITE), { R: Flag.READONLY, W: Flag.WRITE, '-': 0 }[access], words);
    }
  });
  test(`${name}: every command has a row`, () => {
    // Each function has a spec of its own; TS.READ has another one that waits.
    const functions = Object.values(NAMESPACES[name as keyof typeof NAMESPACES]).filter(
      (value) => typeof value === 'function',
    );
    assert.equal(new Set(rows.map(([command]) => command.spec)).size, functions.length + (name === 'ts' ? 1 : 0));
  });
}

describe('readers of modules, wire level', () => {
  const read = (command: Command, resp: 2 | 3, reply: unknown, mapping?: object) => {
    const reader = command.spec.read[resp];
    return plain(reader === undefined ? reply : reader(reply, command.preserve, mapping));
  };

  test('documents are parsed, with the reviver given', () => {
    for (const resp of [2, 3] as const) {
      assert.deepEqual(read(json.get('k'), resp, '{"a":[1,null]}'), { a: [1, null] });
      assert.deepEqual(read(json.get('k'), resp, Buffer.from('"x"')), 'x');
      assert.equal(read(json.get('k'), resp, null), null);
      const reviver = (_: string, value: unknown) => (typeof value === 'number' ? value + 1 : value);
      assert.deepEqual(read(json.get('k', { reviver }), resp, '[1]'), [2]);
      assert.deepEqual(read(json.mGet(['k', 'l'], '$'), resp, ['[1]', null]), [[1], null]);
      assert.deepEqual(read(json.arrPop('k'), resp, ['{"a":1}', null]), [{ a: 1 }, null]);
      assert.deepEqual(read(json.arrPop('k'), resp, '5'), 5);
    }
    assert.deepEqual(read(json.numIncrBy('k', '$', 1), 2, '[2,null]'), [2, null]);
    assert.deepEqual(read(json.numIncrBy('k', '$', 1), 3, [2, null]), [2, null]);
    assert.deepEqual(read(json.type('k', { path: '$' }), 2, ['object']), ['object']);
    assert.deepEqual(read(json.type('k', { path: '$' }), 3, [['object']]), ['object']);
    assert.equal(read(json.type('k'), 3, [null]), null);
  });

  test('a field named __proto__ in a document is data', () => {
    const value = read(json.get('k'), 3, '{"__proto__":{"admin":true}}') as Record<string, unknown>;
    assert.equal(({} as Record<string, unknown>).admin, undefined);
    assert.equal(value.admin, undefined);
  });

  test('search results', () => {
    const expected = {
      total: 2,
      documents: [
        { id: 'a', value: { name: 'x' } },
        { id: 'b', value: { deep: [1] } },
      ],
      warnings: [],
    };
    assert.deepEqual(read(ft.search('i', 'q'), 2, [2, 'a', ['name', 'x'], 'b', ['$', '{"deep":[1]}']]), expected);
    const row = (id: string, extra_attributes: object) => ({ id, extra_attributes, values: [] });
    const resp3 = {
      attributes: [],
      format: 'STRING',
      total_results: 2,
      warning: ['slow'],
      results: [row('a', { name: 'x' }), row('b', { $: '{"deep":[1]}' })],
    };
    assert.deepEqual(read(ft.search('i', 'q'), 3, resp3), { ...expected, warnings: ['slow'] });
    const asMaps = new Map<string, unknown>(Object.entries(resp3));
    assert.deepEqual(read(ft.search('i', 'q'), 3, asMaps), { ...expected, warnings: ['slow'] });
    assert.deepEqual(read(ft.search('i', 'q', { RETURN: [] }), 2, [2, 'a', 'b']), {
      ...expected,
      documents: [
        { id: 'a', value: {} },
        { id: 'b', value: {} },
      ],
    });
    assert.deepEqual(read(ft.search('i', 'q'), 2, [0]), { total: 0, documents: [], warnings: [] });
    const ids = { total: 2, documents: ['a', 'b'], warnings: [] };
    assert.deepEqual(read(ft.searchNoContent('i', 'q'), 2, [2, 'a', 'b']), ids);
    assert.deepEqual(read(ft.searchNoContent('i', 'q'), 3, { ...resp3, warning: [] }), ids);
    const poisoned = read(ft.search('i', 'q'), 2, [1, 'a', ['$', '{"__proto__":{"admin":true}}']]) as {
      documents: { value: { admin?: boolean } }[];
    };
    assert.equal(poisoned.documents[0]?.value.admin, undefined);
  });

  test('aggregations, cursors and profiles', () => {
    const expected = { total: 1, results: [{ a: '1', n: '2' }], warnings: [] };
    const resp2 = [1, ['a', '1', 'n', '2']];
    const resp3 = { total_results: 1, results: [{ extra_attributes: { a: '1', n: '2' }, values: [] }], warning: [] };
    assert.deepEqual(read(ft.aggregate('i', '*'), 2, resp2), expected);
    assert.deepEqual(read(ft.aggregate('i', '*'), 3, resp3), expected);
    for (const [resp, reply] of [
      [2, resp2],
      [3, resp3],
    ] as const) {
      const mapped = read(ft.aggregate('i', '*'), resp, reply, { [RESP_TYPES.MAP]: Map }) as { results: unknown[] };
      assert.deepEqual(mapped.results, [
        new Map([
          ['a', '1'],
          ['n', '2'],
        ]),
      ]);
    }
    assert.deepEqual(read(ft.aggregateWithCursor('i', '*'), 2, [resp2, 7]), { ...expected, cursor: 7 });
    assert.deepEqual(read(ft.cursorRead('i', 7), 3, [resp3, 0]), { ...expected, cursor: 0 });
    assert.deepEqual(read(ft.profileAggregate('i', '*'), 2, [resp2, ['Shards', []]]), {
      results: expected,
      profile: ['Shards', []],
    });
    assert.deepEqual(read(ft.profileAggregate('i', '*'), 3, { Results: resp3, Profile: { Shards: [{ time: 1 }] } }), {
      results: expected,
      profile: ['Shards', [['time', 1]]],
    });
  });

  test('spelling, suggestions, synonyms, settings', () => {
    const spelt = [{ term: 'helo', suggestions: [{ score: 0.5, suggestion: 'hello' }] }];
    assert.deepEqual(read(ft.spellCheck('i', 'q'), 2, [['TERM', 'helo', [['0.5', 'hello']]]]), spelt);
    assert.deepEqual(read(ft.spellCheck('i', 'q'), 3, { results: { helo: [{ hello: 0.5 }] } }), spelt);
    const scored = [{ suggestion: 's', score: 1.5, payload: null }];
    assert.deepEqual(read(ft.sugGetWithScoresWithPayloads('k', 'p'), 2, ['s', '1.5', null]), scored);
    assert.deepEqual(read(ft.sugGetWithScoresWithPayloads('k', 'p'), 3, ['s', 1.5, null]), scored);
    assert.deepEqual(read(ft.sugGetWithScores('k', 'p'), 2, ['s', '1']), [{ suggestion: 's', score: 1 }]);
    assert.equal(read(ft.sugGetWithPayloads('k', 'p'), 2, null), null);
    assert.deepEqual(read(ft.synDump('i'), 2, ['t', ['g']]), { t: ['g'] });
    assert.deepEqual(read(ft.configGet('*'), 2, [['TIMEOUT', '500']]), { TIMEOUT: '500' });
    assert.deepEqual(read(ft.configGet('*'), 3, { TIMEOUT: '500' }), { TIMEOUT: '500' });
  });

  test('what an index is made of', () => {
    assert.deepEqual(
      read(ft.info('i'), 2, [
        ...['index_name', 'i', 'index_definition', ['key_type', 'HASH'], 'num_docs', 3, 'inverted_sz_mb', '0.5'],
        ...['attributes', [['identifier', 'f', 'type', 'TEXT']], 'gc_stats', ['total_cycles', '2']],
        ...['cursor_stats', ['global_idle', 0], 'records_per_doc_avg', 'nan'],
      ]),
      {
        index_name: 'i',
        index_definition: { key_type: 'HASH' },
        num_docs: 3,
        inverted_sz_mb: 0.5,
        attributes: [{ identifier: 'f', type: 'TEXT' }],
        gc_stats: { total_cycles: 2 },
        cursor_stats: { global_idle: 0 },
        records_per_doc_avg: Number.NaN,
      },
    );
  });

  test('hybrid results', () => {
    const expected = {
      totalResults: 1,
      executionTime: 0.5,
      warnings: [],
      results: [{ id: 'a', name: 'x', s: '0.9' }],
    };
    assert.deepEqual(
      read(ft.hybrid('i', { SEARCH: { query: 'q' }, VSIM: { field: '@v', vector: '$v' } }), 2, [
        ...['total_results', 1, 'execution_time', '0.5', 'warnings', []],
        ...['results', [['id', 'a', 'extra_attributes', ['name', 'x'], 's', '0.9']]],
      ]),
      expected,
    );
    assert.deepEqual(
      read(ft.hybrid('i', { SEARCH: { query: 'q' }, VSIM: { field: '@v', vector: '$v' } }), 3, {
        total_results: 1,
        execution_time: 0.5,
        warnings: [],
        results: [{ id: 'a', extra_attributes: { name: 'x' }, s: '0.9' }],
      }),
      expected,
    );
  });

  test('series', () => {
    const expected = { timestamp: 1, value: 2.5 };
    assert.deepEqual(read(ts.get('k'), 2, [1, '2.5']), expected);
    assert.deepEqual(read(ts.get('k'), 3, [1, 2.5]), expected);
    for (const resp of [2, 3] as const) assert.equal(read(ts.get('k'), resp, []), null);
    assert.deepEqual(read(ts.range('k', 0, 1), 2, [[1, '2.5']]), [expected]);
    assert.deepEqual(read(ts.range('k', 0, 1), 3, [[1, 2.5]]), [expected]);
    const types = { AGGREGATION: { types: ['MIN', 'MAX'], timeBucket: 1 } } as const;
    assert.deepEqual(read(ts.rangeMultiAggr('k', 0, 1, types), 2, [[1, '2', 'NaN']]), [
      { timestamp: 1, values: [2, Number.NaN] },
    ]);
    assert.deepEqual(read(ts.nRange(['k'], 0, 1), 3, [[1, [2, 3]]]), [{ timestamp: 1, values: [2, 3] }]);
  });

  test('series by key, with labels and what they were merged from', () => {
    const group = { label: 'a', REDUCE: 'SUM' } as const;
    const sample = { timestamp: 1, value: 2 };
    assert.deepEqual(read(ts.mGet('a=1'), 2, [['k', [], [1, '2']]]), { k: { sample } });
    assert.deepEqual(read(ts.mGet('a=1'), 3, { k: [{}, [1, 2]] }), { k: { sample } });
    assert.deepEqual(read(ts.mGetWithLabels('a=1'), 2, [['k', [['a', '1']], [1, '2']]]), {
      k: { labels: { a: '1' }, sample },
    });
    assert.deepEqual(read(ts.mGetWithLabels('a=1'), 3, { k: [{ a: '1' }, [1, 2]] }), {
      k: { labels: { a: '1' }, sample },
    });
    assert.deepEqual(read(ts.mRange(0, 1, 'a=1'), 2, [['k', [], [[1, '2']]]]), { k: [sample] });
    assert.deepEqual(read(ts.mRange(0, 1, 'a=1'), 3, { k: [{}, { aggregators: [] }, [[1, 2]]] }), { k: [sample] });
    assert.deepEqual(read(ts.mRangeGroupBy(0, 1, 'a=1', group), 3, { 'a=1': [{}, {}, { sources: ['k'] }, [[1, 2]]] }), {
      'a=1': { samples: [sample] },
    });
    const merged = { 'a=1': { labels: { a: '1' }, sources: ['k', 'l'], samples: [sample] } };
    assert.deepEqual(
      read(ts.mRangeWithLabelsGroupBy(0, 1, 'a=1', group), 2, [
        [
          'a=1',
          [
            ['a', '1'],
            ['__reducer__', 'sum'],
            ['__source__', 'k,l'],
          ],
          [[1, '2']],
        ],
      ]),
      merged,
    );
    assert.deepEqual(
      read(ts.mRangeWithLabelsGroupBy(0, 1, 'a=1', group), 3, {
        'a=1': [{ a: '1' }, { reducers: ['sum'] }, { sources: ['k', 'l'] }, [[1, 2]]],
      }),
      merged,
    );
    assert.deepEqual(
      read(ts.mRange(0, 1, 'a=1'), 2, [['k', [], [[1, '2']]]], { [RESP_TYPES.MAP]: Map }),
      new Map([['k', [sample]]]),
    );
  });

  test('how a series is kept', () => {
    const expected = {
      totalSamples: 1,
      labels: [{ name: 'a', value: '1' }],
      rules: [{ key: 'd', timeBucket: 60, aggregationType: 'AVG' }],
      ignoreMaxValDiff: 0.5,
      chunks: [{ startTimestamp: 1, endTimestamp: 2, samples: 3, size: 4, bytesPerSample: '1.5' }],
    };
    const chunk = ['startTimestamp', 1, 'endTimestamp', 2, 'samples', 3, 'size', 4, 'bytesPerSample', '1.5'];
    assert.deepEqual(
      read(ts.infoDebug('k'), 2, [
        ...['totalSamples', 1, 'labels', [['a', '1']], 'rules', [['d', 60, 'AVG']]],
        ...['ignoreMaxValDiff', '0.5', 'Chunks', [chunk]],
      ]),
      expected,
    );
    assert.deepEqual(
      read(ts.infoDebug('k'), 3, {
        totalSamples: 1,
        labels: { a: '1' },
        rules: { d: [60, 'AVG', 0] },
        ignoreMaxValDiff: 0.5,
        Chunks: [{ startTimestamp: 1, endTimestamp: 2, samples: 3, size: 4, bytesPerSample: '1.5' }],
      }),
      expected,
    );
  });

  test('probabilistic types', () => {
    assert.equal(read(bf.add('k', 'i'), 2, 1), true);
    assert.equal(read(bf.add('k', 'i'), 3, true), true);
    assert.deepEqual(read(bf.mExists('k', ['i']), 2, [1, 0]), [true, false]);
    const info = ['Capacity', 100, 'Size', 240, 'Number of filters', 1];
    assert.deepEqual(read(bf.info('k'), 2, info), { Capacity: 100, Size: 240, 'Number of filters': 1 });
    assert.deepEqual(read(cf.info('k'), 2, ['Size', 1], { [RESP_TYPES.MAP]: Map }), new Map([['Size', 1]]));
    for (const resp of [2, 3] as const) {
      assert.deepEqual(read(cf.scanDump('k', 0), resp, [1, 'bytes']), { iterator: 1, chunk: 'bytes' });
      assert.deepEqual(read(topK.listWithCount('k'), resp, ['a', 2, 'b', 1]), [
        { item: 'a', count: 2 },
        { item: 'b', count: 1 },
      ]);
    }
    assert.deepEqual(read(topK.info('k'), 2, ['k', 3, 'decay', '0.9']), { k: 3, decay: 0.9 });
    assert.deepEqual(read(tDigest.quantile('k', [0.5]), 2, ['1.5', 'nan', '-inf']), [
      1.5,
      Number.NaN,
      Number.NEGATIVE_INFINITY,
    ]);
    assert.equal(read(tDigest.max('k'), 2, 'nan'), Number.NaN);
  });
});

test('a blocking read of a series runs apart from other commands', () => {
  assert.notEqual(ts.read('k', 0, { BLOCK: { milliseconds: 1 } }).spec.flags & Flag.BLOCKING, 0);
  assert.equal(ts.read('k', 0).spec.flags & Flag.BLOCKING, 0);
});

test('an unknown option word is refused', () => {
  assert.throws(() => ft.create('i', { f: 'TEXT NOINDEX' as 'TEXT' }), /must be one of/);
  assert.throws(() => ft.search('i', 'q', { SORTBY: { BY: '@a', DIRECTION: 'LIMIT' as 'ASC' } }), /must be one of/);
  assert.throws(() => ts.range('k', '-', '+ COUNT'), /timestamp/);
  assert.throws(() => ts.mRange(0, 1, 'GROUPBY'), /label expressions/);
  assert.throws(() => ts.mRange(0, 1, []), /label expressions/);
  assert.throws(() => ts.create('k', { ENCODING: 'X' as 'COMPRESSED' }), /must be one of/);
  assert.throws(() => json.set('k', '$', 1, { condition: 'NX FPHA' as 'NX' }), /must be one of/);
});

test('wire level: namespaces run on a client, its views and its transactions, in both spellings', async () => {
  const document = '$7\r\n{"a":1}\r\n';
  await using server = await startScriptedServer({
    onCommand: ([name, key]) => {
      if (name === 'EXEC') return `*2\r\n+OK\r\n${document}`;
      if (key?.startsWith('app:tx')) return '+QUEUED\r\n';
      return name === 'JSON.GET' ? document : '+OK\r\n';
    },
  });
  await using client = createClient({ url: server.url, keyPrefix: 'app:' });
  await client.connect();
  assert.deepEqual(await client.json.get('k'), { a: 1 });
  assert.deepEqual(await client.json.GET('k'), { a: 1 });
  assert.deepEqual(await client.withCommandOptions({ timeout: 10_000 }).json.get('k'), { a: 1 });
  const [set, get] = await client.multi().json.set('tx', '$', { a: 1 }).json.GET('tx').exec();
  assert.deepEqual([set, plain(get)], ['OK', { a: 1 }]);
  assert.deepEqual(
    server.received.filter(([name]) => name?.startsWith('JSON.')),
    [
      ['JSON.GET', 'app:k'],
      ['JSON.GET', 'app:k'],
      ['JSON.GET', 'app:k'],
      ['JSON.SET', 'app:tx', '$', '{"a":1}'],
      ['JSON.GET', 'app:tx'],
    ],
  );
  await assert.rejects(client.json.set('k', '$', 1, { condition: 'ZZ' as 'NX' }), /must be one of/);
});
