import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testGroup } from '../testing/protocols.js';
import * as bitmaps from './bitmaps.js';
import * as hyperloglog from './hyperloglog.js';

testGroup('bitmaps', {
  module: bitmaps,
  cases: [
    [(c) => c.setBit('b', 7, 1), 0],
    [(c) => c.getBit('b', 7), 1],
    [(c) => c.getBit('b', 99), 0],
    [(c) => c.bitCount('b'), 1],
    [(c) => c.bitCount('b', { start: 0, end: 3, mode: 'BIT' }), 0],
    [(c) => c.bitPos('b', 1), 7],
    [(c) => c.bitPos('b', 1, 0, 3, 'BIT'), -1],
    [
      (c) =>
        c.bitField('f', [
          { operation: 'SET', encoding: 'u8', offset: '#0', value: 250 },
          { operation: 'OVERFLOW', behavior: 'FAIL' },
          { operation: 'INCRBY', encoding: 'u8', offset: 0, increment: 10 },
          { operation: 'OVERFLOW', behavior: 'SAT' },
          { operation: 'INCRBY', encoding: 'u8', offset: 0, increment: 10 },
          { operation: 'GET', encoding: 'u8', offset: 0 },
        ]),
      [0, null, 255, 255],
    ],
    [(c) => c.bitFieldRo('f', [{ encoding: 'u4', offset: 0 }]), [15]],
    [(c) => c.bitOp('NOT', 'd', 'f'), 1],
    [(c) => c.bitOp('AND', 'd', ['b', 'f']), 1],
  ],
  wire: [
    [bitmaps.bitOp('DIFF1', 'd', ['a', 'b']), 'BITOP DIFF1 d a b', 'd a b'],
    [bitmaps.bitFieldRo('k', [{ encoding: 'i8', offset: 0 }]), 'BITFIELD_RO k GET i8 0', 'k'],
  ],
});

testGroup('hyperloglog', {
  module: hyperloglog,
  cases: [
    [(c) => c.pfAdd('p', ['a', 'b']), 1],
    [(c) => c.pfAdd('p', 'a'), 0],
    [(c) => c.pfAdd('q'), 1],
    [(c) => c.pfCount('p'), 2],
    [(c) => c.pfMerge('d', ['p', 'q']), 'OK'],
    [(c) => c.pfMerge('e'), 'OK'],
    [(c) => c.pfCount(['d', 'q']), 2],
  ],
  wire: [[hyperloglog.pfMerge('d', ['a', 'b']), 'PFMERGE d a b', 'd a b']],
});

test('an unknown operation is refused', () => {
  const refused = { code: 'REDKEEP_INVALID_ARGUMENT' };
  assert.throws(() => bitmaps.bitOp('NAND' as never, 'd', 'k'), refused);
  assert.throws(() => bitmaps.bitField('k', [{ operation: 'OVERFLOW', behavior: 'SET' }]), refused);
});
