import assert from 'node:assert/strict';
import { test } from 'node:test';
import { built, testGroup } from '../testing/protocols.js';
import * as strings from './strings.js';

const later = new Date(4_102_444_800_000);

testGroup('strings', {
  module: strings,
  cases: [
    [(c) => c.set('k', 'v', { expiration: { type: 'EX', value: 100 }, condition: 'NX' }), 'OK'],
    [(c) => c.set('k', 'w', { NX: true }), null],
    [(c) => c.set('k', 'w', { GET: true, KEEPTTL: true }), 'v'],
    [(c) => c.set('k', 'w', { expiration: { type: 'PXAT', value: later } }), 'OK'],
    [(c) => c.get('k'), 'w'],
    [(c) => c.get('none'), null],
    [(c) => c.append('k', 'x'), 2],
    [(c) => c.strLen('k'), 2],
    [(c) => c.getRange('k', 0, 0), 'w'],
    [(c) => c.setRange('k', 1, 'yz'), 3],
    [(c) => c.getEx('k', { type: 'EX', value: 100 }), 'wyz'],
    [(c) => c.getEx('k', { PXAT: later }), 'wyz'],
    [(c) => c.pExpireTime('k'), 4_102_444_800_000],
    [(c) => c.getEx('k', { type: 'EXAT', value: later }), 'wyz'],
    [(c) => c.getEx('k', { PERSIST: true }), 'wyz'],
    [(c) => c.ttl('k'), -1],
    [(c) => c.getSet('k', 'n'), 'wyz'],
    [(c) => c.getDel('k'), 'n'],
    [(c) => c.incr('i'), 1],
    [(c) => c.incrBy('i', 9007199254740991n), 9007199254740992],
    [(c) => c.decrBy('i', '9007199254740991'), 1],
    [(c) => c.decr('i'), 0],
    [(c) => c.incrByFloat('i', 0.5), '0.5'],
    [(c) => c.mSet({ a: '1', b: '2' }), 'OK'],
    [(c) => c.mSet([['a', '1']]), 'OK'],
    [(c) => c.mSetNX(['a', '3', 'c', '3']), 0],
    [(c) => c.mGet(['a', 'none', 'b']), ['1', null, '2']],
    [(c) => c.setEx('e', 100, 'v'), 'OK'],
    [(c) => c.pSetEx('e', 100_000, 'v'), 'OK'],
    [(c) => c.setNX('e', 'w'), 0],
    [(c) => c.mSet({ one: 'ohmytext', two: 'mynewtext' }), 'OK'],
    [(c) => c.lcs('one', 'two'), 'mytext'],
    [(c) => c.lcsLen('one', 'two'), 6],
    [
      (c) => c.lcsIdx('one', 'two', { MINMATCHLEN: 3 }),
      {
        matches: [
          [
            [4, 7],
            [5, 8],
          ],
        ],
        len: 6,
      },
    ],
    [
      (c) => c.lcsIdxWithMatchLen('one', 'two'),
      {
        matches: [
          [[4, 7], [5, 8], 4],
          [[2, 3], [0, 1], 2],
        ],
        len: 6,
      },
    ],
  ],
  newer: {
    'valkey-9': [[(c) => c.set('k', 'v', { condition: 'IFEQ', matchValue: 'other' }), null]],
  },
  wire: [
    [
      built(
        strings,
        'mSetEx',
        [
          ['a', '1'],
          ['b', '2'],
        ],
        { expiration: { type: 'EXAT', value: later }, mode: 'NX' },
      ),
      'MSETEX 2 a 1 b 2 NX EXAT 4102444800',
      'a b',
    ],
    [strings.mSetEx({ a: '1' }, { expiration: { type: 'KEEPTTL' } }), 'MSETEX 1 a 1 KEEPTTL', 'a'],
    [built(strings, 'delEx', 'k', { condition: 'IFEQ', matchValue: 'v' }), 'DELEX k IFEQ v', 'k'],
    [strings.delEx('k'), 'DELEX k', 'k'],
    [built(strings, 'delIfEq', 'k', 'v'), 'DELIFEQ k v', 'k'],
    [built(strings, 'digest', 'k'), 'DIGEST k', 'k'],
    [
      built(strings, 'increx', 'k', {
        by: 2,
        lowerBound: 0,
        upperBound: 10,
        saturate: true,
        expiration: { type: 'EX', value: 5, ENX: true },
      }),
      'INCREX k BYINT 2 LBOUND 0 UBOUND 10 SATURATE EX 5 ENX',
      'k',
    ],
    [
      built(strings, 'incrExByFloat', 'k', 0.5, { expiration: { type: 'PERSIST' } }),
      'INCREX k BYFLOAT 0.5 PERSIST',
      'k',
    ],
    [
      strings.mSet([
        ['a', '1'],
        ['b', '2'],
      ]),
      'MSET a 1 b 2',
      'a b',
    ],
    [strings.lcsIdxWithMatchLen('a', 'b'), 'LCS a b IDX WITHMATCHLEN', 'a b'],
  ],
});

test('an unknown option word is refused', () => {
  const refused = { code: 'REDKEEP_INVALID_ARGUMENT' };
  assert.throws(() => strings.set('k', 'v', { condition: 'GET' as never }), refused);
  assert.throws(() => strings.set('k', 'v', { expiration: 'PERSIST' as never }), refused);
  assert.throws(() => strings.mSetEx(['a'], {}), refused);
  assert.throws(() => strings.delEx('k', { condition: 'IF' as never, matchValue: 'v' }), refused);
});
