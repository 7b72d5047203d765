import assert from 'node:assert/strict';
import { test } from 'node:test';
import { built, keysOf, plain, testGroup, wireOf } from '../testing/protocols.js';
import * as arrays from './arrays.js';

testGroup('arrays', {
  module: arrays,
  cases: [],
  wire: [
    [built(arrays, 'arCount', 'k'), 'ARCOUNT k', 'k'],
    [built(arrays, 'arDel', 'k', [1, '18446744073709551615']), 'ARDEL k 1 18446744073709551615', 'k'],
    [
      built(arrays, 'arDelRange', 'k', [
        [0, 1],
        ['5', 9n],
      ]),
      'ARDELRANGE k 0 1 5 9',
      'k',
    ],
    [built(arrays, 'arGet', 'k', 0), 'ARGET k 0', 'k'],
    [built(arrays, 'arGetRange', 'k', 0, 5), 'ARGETRANGE k 0 5', 'k'],
    [
      built(
        arrays,
        'arGrep',
        'k',
        '-',
        '+',
        [
          ['EXACT', 'a'],
          ['GLOB', 'b*'],
        ],
        { COMBINATOR: 'AND', LIMIT: 5, NOCASE: true },
      ),
      'ARGREP k - + EXACT a GLOB b* AND LIMIT 5 NOCASE',
      'k',
    ],
    [built(arrays, 'arGrepWithValues', 'k', 0, 9, [['MATCH', 'a']]), 'ARGREP k 0 9 MATCH a WITHVALUES', 'k'],
    [built(arrays, 'arInfo', 'k', { FULL: true }), 'ARINFO k FULL', 'k'],
    [built(arrays, 'arInsert', 'k', ['a', 'b']), 'ARINSERT k a b', 'k'],
    [built(arrays, 'arLastItems', 'k', 3, { REV: true }), 'ARLASTITEMS k 3 REV', 'k'],
    [built(arrays, 'arLen', 'k'), 'ARLEN k', 'k'],
    [built(arrays, 'arMGet', 'k', [0, 5]), 'ARMGET k 0 5', 'k'],
    [
      built(
        arrays,
        'arMSet',
        'k',
        new Map([
          [0, 'a'],
          [9, 'b'],
        ]),
      ),
      'ARMSET k 0 a 9 b',
      'k',
    ],
    [built(arrays, 'arNext', 'k'), 'ARNEXT k', 'k'],
    [built(arrays, 'arOp', 'k', 0, 9, 'MATCH', 5), 'AROP k 0 9 MATCH 5', 'k'],
    [built(arrays, 'arRing', 'k', 100, 'a'), 'ARRING k 100 a', 'k'],
    [built(arrays, 'arScan', 'k', 0, 9, { LIMIT: 2 }), 'ARSCAN k 0 9 LIMIT 2', 'k'],
    [built(arrays, 'arSeek', 'k', 5), 'ARSEEK k 5', 'k'],
    [built(arrays, 'arSet', 'k', 5, ['a', 'b']), 'ARSET k 5 a b', 'k'],
  ],
});

test('entries may be an object or pairs', () => {
  for (const entries of [
    { 0: 'a', 9: 'b' },
    [
      [0, 'a'],
      [9, 'b'],
    ] as const,
  ]) {
    const command = arrays.arMSet('k', entries);
    assert.equal(wireOf(command), 'ARMSET k 0 a 9 b');
    assert.deepEqual(keysOf(command), ['k']);
  }
});

test('replies of an array server take the documented shapes', () => {
  const { read: scan } = arrays.arScan('k', 0, 9).spec;
  for (const RESP of [2, 3] as const)
    assert.deepEqual(
      scan[RESP]!(
        [
          [0, 'a'],
          [5, 'b'],
        ],
        undefined,
        undefined,
      ),
      [
        { index: 0, value: 'a' },
        { index: 5, value: 'b' },
      ],
    );
  const { read: info } = arrays.arInfo('k').spec;
  assert.deepEqual(plain(info[2]!(['len', 5, 'count', 2], undefined, undefined)), { len: 5, count: 2 });
  const fields = { len: 5, count: 2 };
  assert.equal(info[3]!(fields, undefined, undefined), fields);
});

test('an unknown operation or predicate is refused', () => {
  const refused = { code: 'REDKEEP_INVALID_ARGUMENT' };
  assert.throws(() => arrays.arOp('k', 0, 1, 'WITHVALUES' as never), refused);
  assert.throws(() => arrays.arGrep('k', 0, 1, [['LIMIT' as never, '1']]), refused);
});
