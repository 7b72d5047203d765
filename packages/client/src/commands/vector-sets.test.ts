import assert from 'node:assert/strict';
import { test } from 'node:test';
import { built, isNumber, isString, plain, sorted, testGroup } from '../testing/protocols.js';
import type { Command } from './command.js';
import * as vectors from './vector-sets.js';

const near = (expected: number[]) => (reply: number[]) => {
  assert.equal(reply.length, expected.length);
  for (const [i, value] of expected.entries()) assert.ok(Math.abs(reply[i]! - value) < 0.01, String(reply));
};

testGroup('vector sets', {
  module: vectors,
  cases: [],
  newer: {
    'redis-8': [
      [(c) => c.vAdd('v', [1, 0, 0], 'x', { QUANT: 'NOQUANT', SETATTR: { age: 3 }, EF: 100, M: 8, CAS: true }), true],
      [(c) => c.vAdd('v', [1, 0, 0], 'x', { QUANT: 'NOQUANT', M: 8 }), false],
      [(c) => c.vAdd('v', [0, 1, 0], 'y', { QUANT: 'NOQUANT', M: 8 }), true],
      [(c) => c.vAdd('q', [1, 2], 'z', { QUANT: 'Q8' }), true],
      [(c) => c.vCard('v'), 2],
      [(c) => c.vDim('v'), 3],
      [(c) => c.vEmb('v', 'x'), near([1, 0, 0])],
      [(c) => c.vEmb('v', 'none'), null],
      [
        (c) => c.vEmbRaw('v', 'x'),
        (reply: { quantization: string; l2Norm: number }) =>
          assert.deepEqual([reply.quantization, reply.l2Norm, 'quantizationRange' in reply], ['f32', 1, false]),
      ],
      [
        (c) => c.vEmbRaw('q', 'z'),
        (reply: { quantization: string; quantizationRange: number }) => {
          assert.equal(reply.quantization, 'int8');
          isNumber(reply.quantizationRange);
        },
      ],
      [(c) => c.vGetAttr('v', 'x'), { age: 3 }],
      [(c) => c.vGetAttr('v', 'y'), null],
      [(c) => c.vSetAttr('v', 'y', { age: 4 }), true],
      [(c) => c.vSetAttr('v', 'none', '{}'), false],
      [
        (c) => c.vInfo('v'),
        (reply: Record<string, unknown>) =>
          assert.deepEqual([reply['quant-type'], reply['vector-dim'], reply['size']], ['f32', 3, 2]),
      ],
      [(c) => c.vLinks('v', 'x'), (reply: string[][]) => assert.deepEqual(reply.at(-1), ['y'])],
      [(c) => c.vLinksWithScores('v', 'x'), (reply: Record<string, number>[]) => isNumber(reply.at(-1)!['y'])],
      [(c) => c.vIsMember('v', 'x'), true],
      [(c) => c.vIsMember('v', 'none'), false],
      [(c) => c.vRandMember('v'), isString],
      [(c) => c.vRandMember('v', 2), sorted('x', 'y')],
      [(c) => c.vSim('v', [1, 0.1, 0], { COUNT: 1, EF: 50, TRUTH: true, NOTHREAD: true }), ['x']],
      [(c) => c.vSim('v', 'x', { FILTER: '.age > 3', 'FILTER-EF': 10 }), ['y']],
      [
        (c) => c.vSimWithScores('v', 'x'),
        (reply: Record<string, number>) => {
          assert.equal(Object.getPrototypeOf(reply), null);
          assert.ok(Math.abs(reply['x']! - 1) < 0.001 && reply['y']! < 1);
        },
      ],
      [(c) => c.vRem('v', 'x'), true],
      [(c) => c.vRem('v', 'x'), false],
    ],
  },
  wire: [
    [built(vectors, 'vAdd', 'k', [1, 2], 'e', { REDUCE: 1, QUANT: 'BIN' }), 'VADD k REDUCE 1 VALUES 2 1 2 e BIN', 'k'],
    [built(vectors, 'vCard', 'k'), 'VCARD k', 'k'],
    [built(vectors, 'vDim', 'k'), 'VDIM k', 'k'],
    [built(vectors, 'vEmb', 'k', 'e'), 'VEMB k e', 'k'],
    [built(vectors, 'vEmbRaw', 'k', 'e'), 'VEMB k e RAW', 'k'],
    [built(vectors, 'vGetAttr', 'k', 'e'), 'VGETATTR k e', 'k'],
    [built(vectors, 'vInfo', 'k'), 'VINFO k', 'k'],
    [built(vectors, 'vIsMember', 'k', 'e'), 'VISMEMBER k e', 'k'],
    [built(vectors, 'vLinks', 'k', 'e'), 'VLINKS k e', 'k'],
    [built(vectors, 'vLinksWithScores', 'k', 'e'), 'VLINKS k e WITHSCORES', 'k'],
    [built(vectors, 'vRandMember', 'k', 2), 'VRANDMEMBER k 2', 'k'],
    [built(vectors, 'vRange', 'k', '-', '[b', 5), 'VRANGE k - [b 5', 'k'],
    [built(vectors, 'vRem', 'k', 'e'), 'VREM k e', 'k'],
    [built(vectors, 'vSetAttr', 'k', 'e', { a: 1 }), 'VSETATTR k e {"a":1}', 'k'],
    [built(vectors, 'vSim', 'k', [1, 2], { COUNT: 3, EPSILON: 0.5 }), 'VSIM k VALUES 2 1 2 COUNT 3 EPSILON 0.5', 'k'],
    [built(vectors, 'vSimWithScores', 'k', 'e'), 'VSIM k ELE e WITHSCORES', 'k'],
  ],
});

test('replies of a vector server take the documented shapes', () => {
  const read = (command: Command, resp: 2 | 3, reply: unknown) =>
    plain(command.spec.read[resp] ? command.spec.read[resp](reply, undefined, undefined) : reply);
  assert.deepEqual(read(vectors.vSimWithScores('k', 'e'), 2, ['a', '1', 'b', '0.5']), { a: 1, b: 0.5 });
  assert.deepEqual(
    read(vectors.vLinksWithScores('k', 'e'), 2, [
      ['a', '1'],
      ['b', '0.5'],
    ]),
    [{ a: 1 }, { b: 0.5 }],
  );
  assert.deepEqual(read(vectors.vEmb('k', 'e'), 2, ['1', '-inf']), [1, Number.NEGATIVE_INFINITY]);
  assert.deepEqual(read(vectors.vEmbRaw('k', 'e'), 3, ['int8', 'raw', 1.5, 0.5]), {
    quantization: 'int8',
    raw: 'raw',
    l2Norm: 1.5,
    quantizationRange: 0.5,
  });
  assert.deepEqual(read(vectors.vGetAttr('k', 'e'), 3, '{"a":[1]}'), { a: [1] });
  assert.equal(read(vectors.vRem('k', 'e'), 2, 1), true);
  assert.deepEqual(read(vectors.vInfo('k'), 2, ['size', 2]), { size: 2 });
});
