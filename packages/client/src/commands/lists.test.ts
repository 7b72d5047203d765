import assert from 'node:assert/strict';
import { test } from 'node:test';
import { built, testGroup } from '../testing/protocols.js';
import { Flag } from './command.js';
import * as lists from './lists.js';

testGroup('lists', {
  module: lists,
  cases: [
    [(c) => c.rPush('l', ['a', 'b', 'c']), 3],
    [(c) => c.lPush('l', 'z'), 4],
    [(c) => c.rPushX('none', 'a'), 0],
    [(c) => c.lPushX('none', ['a']), 0],
    [(c) => c.lRange('l', 0, -1), ['z', 'a', 'b', 'c']],
    [(c) => c.lLen('l'), 4],
    [(c) => c.lIndex('l', -1), 'c'],
    [(c) => c.lIndex('l', 9), null],
    [(c) => c.lInsert('l', 'BEFORE', 'a', 'y'), 5],
    [(c) => c.lPos('l', 'a', { RANK: 1, MAXLEN: 0 }), 2],
    [(c) => c.lPos('l', 'none'), null],
    [(c) => c.lPosCount('l', 'a', 0), [2]],
    [(c) => c.lSet('l', 0, 'Z'), 'OK'],
    [(c) => c.lRem('l', 0, 'y'), 1],
    [(c) => c.lMove('l', 'm', 'LEFT', 'RIGHT'), 'Z'],
    [(c) => c.rPopLPush('l', 'm'), 'c'],
    [(c) => c.lPop('m'), 'c'],
    [(c) => c.rPop('m'), 'Z'],
    [(c) => c.rPop('m'), null],
    [(c) => c.lPopCount('none', 2), null],
    [(c) => c.lPopCount('l', 1), ['a']],
    [(c) => c.rPopCount('l', 5), ['b']],
    [(c) => c.rPush('l', ['1', '2', '3', '4', '5', '6']), 6],
    [(c) => c.lTrim('l', 0, 4), 'OK'],
    [(c) => c.lmPop(['none', 'l'], 'LEFT', { COUNT: 2 }), ['l', ['1', '2']]],
    [(c) => c.lmPop('none', 'LEFT'), null],
    [(c) => c.blPop(['none', 'l'], 1), { key: 'l', element: '3' }],
    [(c) => c.brPop('l', 1), { key: 'l', element: '5' }],
    [(c) => c.blPop('none', 0.01), null],
    [(c) => c.blMove('l', 'm', 'LEFT', 'LEFT', 1), '4'],
    [(c) => c.brPopLPush('m', 'l', 1), '4'],
    [(c) => c.blmPop(1, ['none', 'l'], 'RIGHT', { COUNT: 3 }), ['l', ['4']]],
    [(c) => c.blmPop(0.01, 'none', 'RIGHT'), null],
  ],
  wire: [
    [lists.lmPop(['a', 'b'], 'LEFT', { COUNT: 2 }), 'LMPOP 2 a b LEFT COUNT 2', 'a b'],
    [lists.blmPop(1, ['a', 'b'], 'LEFT'), 'BLMPOP 1 2 a b LEFT', 'a b'],
    [lists.blPop(['a', 'b'], 1), 'BLPOP a b 1', 'a b'],
    [lists.blMove('a', 'b', 'LEFT', 'RIGHT', 0), 'BLMOVE a b LEFT RIGHT 0', 'a b'],
    [
      built(lists, 'lMoveM', 'a', 'b', 'LEFT', 'RIGHT', { COUNT: 2, ORDER: 'OBO' }),
      'LMOVEM a b LEFT RIGHT COUNT 2 OBO',
      'a b',
    ],
    [
      built(lists, 'blMoveM', 'a', 'b', 'LEFT', 'LEFT', 3, { EXACTLY: 2, ORDER: 'BULK' }),
      'BLMOVEM a b LEFT LEFT 3 EXACTLY 2 BULK',
      'a b',
    ],
  ],
});

test('what waits runs on a connection of its own', () => {
  for (const command of [
    lists.blPop('a', 0),
    lists.brPop('a', 0),
    lists.blmPop(0, 'a', 'LEFT'),
    lists.blMove('a', 'b', 'LEFT', 'LEFT', 0),
    lists.brPopLPush('a', 'b', 0),
    lists.blMoveM('a', 'b', 'LEFT', 'LEFT', 0),
  ])
    assert.ok(command.spec.flags & Flag.BLOCKING, command.spec.name);
});

test('an unknown side is refused', () => {
  assert.throws(() => lists.lMove('a', 'b', 'UP' as never, 'LEFT'), { code: 'REDKEEP_INVALID_ARGUMENT' });
});
