import assert from 'node:assert/strict';
import { test } from 'node:test';
import { built, isString, sorted, testGroup } from '../testing/protocols.js';
import * as sortedSets from './sorted-sets.js';

const a1 = { value: 'a', score: 1 };
const b2 = { value: 'b', score: 2 };
const c3 = { value: 'c', score: 3 };

testGroup('sorted sets', {
  module: sortedSets,
  cases: [
    [(c) => c.zAdd('z', [a1, b2, c3]), 3],
    [(c) => c.zAdd('y', { value: 'b', score: Number.POSITIVE_INFINITY }, { condition: 'NX', CH: true }), 1],
    [(c) => c.zAdd('z', a1, { comparison: 'GT' }), 0],
    [(c) => c.zAddIncr('z', { value: 'a', score: 1 }, { condition: 'XX' }), 2],
    [(c) => c.zAddIncr('z', { value: 'new', score: 1 }, { condition: 'XX' }), null],
    [(c) => c.zIncrBy('z', -1, 'a'), 1],
    [(c) => c.zCard('z'), 3],
    [(c) => c.zCount('z', '-inf', Number.POSITIVE_INFINITY), 3],
    [(c) => c.zScore('z', 'a'), 1],
    [(c) => c.zScore('y', 'b'), Number.POSITIVE_INFINITY],
    [(c) => c.zScore('z', 'none'), null],
    [(c) => c.zmScore('z', ['a', 'none']), [1, null]],
    [(c) => c.zDiff(['z', 'y']), ['a', 'c']],
    [(c) => c.zDiffWithScores(['z', 'y']), [a1, c3]],
    [(c) => c.zDiffStore('d', ['z', 'y']), 2],
    [(c) => c.zInter(['z', 'd']), ['a', 'c']],
    [
      (c) =>
        c.zInterWithScores(
          [
            { key: 'z', weight: 2 },
            { key: 'd', weight: 1 },
          ],
          { AGGREGATE: 'MAX' },
        ),
      [
        { value: 'a', score: 2 },
        { value: 'c', score: 6 },
      ],
    ],
    [(c) => c.zInterCard(['z', 'd'], { LIMIT: 1 }), 1],
    [(c) => c.zInterCard(['z', 'd'], 0), 2],
    [(c) => c.zInterStore('i', ['z', 'd']), 2],
    [(c) => c.zUnion(['z', 'd']), ['a', 'b', 'c']],
    [(c) => c.zUnionWithScores('z'), [a1, b2, c3]],
    [(c) => c.zUnionStore('u', { key: 'z', weight: 10 }, { AGGREGATE: 'SUM' }), 3],
    [(c) => c.zLexCount('z', '-', '+'), 3],
    [(c) => c.zRandMember('none'), null],
    [(c) => c.zRandMember('z'), isString],
    [(c) => c.zRandMemberCount('z', 9), sorted('a', 'b', 'c')],
    [
      (c) => c.zRandMemberCountWithScores('z', 9),
      (reply: { value: string; score: number }[]) =>
        assert.deepEqual(reply.map(({ score }) => score).sort(), [1, 2, 3]),
    ],
    [(c) => c.zRange('z', 0, -1), ['a', 'b', 'c']],
    [(c) => c.zRange('z', 3, '(1', { BY: 'SCORE', REV: true, LIMIT: { offset: 0, count: 1 } }), ['c']],
    [(c) => c.zRangeWithScores('z', 0, 0), [a1]],
    [(c) => c.zRangeByLex('z', '-', '(b'), ['a']],
    [(c) => c.zRangeByScore('z', 2, '+inf', { LIMIT: { offset: 1, count: 5 } }), ['c']],
    [(c) => c.zRangeByScoreWithScores('z', 2, 2), [b2]],
    [(c) => c.zRangeStore('r', 'z', 0, 1), 2],
    [(c) => c.zRank('z', 'b'), 1],
    [(c) => c.zRank('z', 'none'), null],
    [(c) => c.zRevRank('z', 'a'), 2],
    [(c) => c.zScan('z', '0', { MATCH: 'b*' }), { cursor: '0', members: [b2] }],
    [(c) => c.zRem('r', ['a', 'none']), 1],
    [(c) => c.zPopMin('z'), a1],
    [(c) => c.zPopMax('z'), c3],
    [(c) => c.zPopMax('none'), null],
    [(c) => c.zPopMinCount('u', 1), [{ value: 'a', score: 10 }]],
    [(c) => c.zPopMaxCount('u', 1), [{ value: 'c', score: 30 }]],
    [(c) => c.zmPop(['none', 'z'], 'MIN', { COUNT: 5 }), { key: 'z', members: [b2] }],
    [(c) => c.zmPop('none', 'MAX'), null],
    [(c) => c.zAdd('z', [a1, b2, c3]), 3],
    [(c) => c.bzPopMin(['none', 'z'], 1), { key: 'z', value: 'a', score: 1 }],
    [(c) => c.bzPopMax('z', 1), { key: 'z', value: 'c', score: 3 }],
    [(c) => c.bzPopMax('none', 0.01), null],
    [(c) => c.bzmPop(1, 'z', 'MAX'), { key: 'z', members: [b2] }],
    [(c) => c.zAdd('z', [a1, b2, c3]), 3],
    [(c) => c.zRemRangeByRank('z', 0, 0), 1],
    [(c) => c.zRemRangeByScore('z', 2, 2), 1],
    [(c) => c.zRemRangeByLex('z', '-', '+'), 1],
  ],
  newer: Object.fromEntries(
    ['redis-8', 'valkey-8', 'valkey-9'].map((name) => [
      name,
      [
        [(c) => c.zAdd('z', [a1, b2]), 2],
        [(c) => c.zRankWithScore('z', 'b'), { rank: 1, score: 2 }],
        [(c) => c.zRevRankWithScore('z', 'b'), { rank: 0, score: 2 }],
        [(c) => c.zRankWithScore('z', 'none'), null],
      ],
    ]),
  ),
  wire: [
    [sortedSets.zInterStore('d', ['a', 'b']), 'ZINTERSTORE d 2 a b', 'd a b'],
    [
      sortedSets.zUnion(
        [
          { key: 'a', weight: 1 },
          { key: 'b', weight: 2 },
        ],
        { AGGREGATE: 'MIN' },
      ),
      'ZUNION 2 a b WEIGHTS 1 2 AGGREGATE MIN',
      'a b',
    ],
    [sortedSets.bzmPop(1, ['a', 'b'], 'MIN', { COUNT: 2 }), 'BZMPOP 1 2 a b MIN COUNT 2', 'a b'],
    [built(sortedSets, 'zRankWithScore', 'k', 'm'), 'ZRANK k m WITHSCORE', 'k'],
    [built(sortedSets, 'zRevRankWithScore', 'k', 'm'), 'ZREVRANK k m WITHSCORE', 'k'],
    [sortedSets.zAdd('k', a1, { NX: true, GT: true }), 'ZADD k NX GT 1 a', 'k'],
  ],
});

test('a score cannot become an option', () => {
  assert.throws(() => sortedSets.zAdd('k', { score: 'INCR' as never, value: '5' }), {
    code: 'REDKEEP_INVALID_ARGUMENT',
  });
  assert.doesNotThrow(() => sortedSets.zAdd('k', { score: '1.5e3', value: '5' }));
});

test('rank and score are read from both protocols', () => {
  const { read } = sortedSets.zRankWithScore('k', 'm').spec;
  assert.deepEqual(read[2]!([1, '2.5'], undefined, undefined), { rank: 1, score: 2.5 });
  assert.deepEqual(read[3]!([1, 2.5], undefined, undefined), { rank: 1, score: 2.5 });
  assert.equal(read[3]!(null, undefined, undefined), null);
});
