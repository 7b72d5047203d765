import assert from 'node:assert/strict';
import { test } from 'node:test';
import { built, isNumber, sorted, testGroup } from '../testing/protocols.js';
import { type Command, Flag } from './command.js';
import * as hashes from './hashes.js';

const later = new Date(4_102_444_800_000);
const pairs = (reply: { field: string; value: string }[]) =>
  assert.deepEqual(reply.map(({ field, value }) => `${field}=${value}`).sort(), ['a=1', 'b=2']);

testGroup('hashes', {
  module: hashes,
  cases: [
    [(c) => c.hSet('h', 'a', 1), 1],
    [(c) => c.hSet('h', { a: '1', b: 2 }), 1],
    [(c) => c.hSet('m', new Map([['x', 'y']])), 1],
    [
      (c) =>
        c.hSet('t', [
          ['p', 'q'],
          ['r', 's'],
        ]),
      2,
    ],
    [(c) => c.hSet('t', ['p', 'Q']), 0],
    [(c) => c.hSet('proto', '__proto__', 'data'), 1],
    [
      (c) => c.hGetAll('proto'),
      (reply: object) => {
        assert.equal(Object.getPrototypeOf(reply), null);
        assert.deepEqual(Object.entries(reply), [['__proto__', 'data']]);
      },
    ],
    [(c) => c.hGetAll('h'), { a: '1', b: '2' }],
    [(c) => c.hGetAll('none'), {}],
    [(c) => c.hGet('h', 'a'), '1'],
    [(c) => c.hGet('h', 'z'), null],
    [(c) => c.hmGet('h', ['a', 'z']), ['1', null]],
    [(c) => c.hmGet('h', 'b'), ['2']],
    [(c) => c.hExists('h', 'a'), 1],
    [(c) => c.hKeys('h'), ['a', 'b']],
    [(c) => c.hVals('h'), ['1', '2']],
    [(c) => c.hLen('h'), 2],
    [(c) => c.hStrLen('h', 'a'), 1],
    [(c) => c.hIncrBy('n', 'i', 5), 5],
    [(c) => c.hIncrByFloat('n', 'f', 0.5), '0.5'],
    [(c) => c.hSetNX('h', 'a', '9'), 0],
    [(c) => c.hRandField('m'), 'x'],
    [(c) => c.hRandField('none'), null],
    [(c) => c.hRandFieldCount('m', -2), ['x', 'x']],
    [(c) => c.hRandFieldCountWithValues('h', 9), pairs],
    [
      (c) => c.hScan('h', '0', { MATCH: '*', COUNT: 5 }),
      ({ cursor, entries }: { cursor: string; entries: never }) => {
        assert.equal(cursor, '0');
        pairs(entries);
      },
    ],
    [(c) => c.hDel('h', ['a', 'z']), 1],
    [(c) => c.HGETALL('h'), { b: '2' }],
  ],
  newer: {
    'redis-8': [
      [(c) => c.hSet('h', { a: '1', b: '2', c: '3' }), 3],
      [(c) => c.hExpire('h', ['a', 'z'], 100), [1, -2]],
      [(c) => c.hExpire('h', 'a', 50, 'GT'), [0]],
      [(c) => c.hTTL('h', ['a', 'b']), ([a, b]: number[]) => assert.ok(a! > 0 && b === -1)],
      [(c) => c.hpTTL('h', 'a'), ([a]: number[]) => assert.ok(a! > 1000)],
      [(c) => c.hExpireAt('h', 'a', later), [1]],
      [(c) => c.hExpireTime('h', 'a'), [4_102_444_800]],
      [(c) => c.hpExpireAt('h', 'b', later), [1]],
      [(c) => c.hpExpireTime('h', 'b'), [4_102_444_800_000]],
      [(c) => c.hpExpire('h', 'c', 100_000), [1]],
      [(c) => c.hPersist('h', ['a', 'b', 'c', 'z']), [1, 1, 1, -2]],
      [(c) => c.hGetEx('h', 'a', { expiration: { type: 'EX', value: 100 } }), ['1']],
      [(c) => c.hGetEx('h', ['a', 'z'], { expiration: 'PERSIST' }), ['1', null]],
      [(c) => c.hSetEx('h', { d: 4 }, { expiration: { type: 'PX', value: 100_000 }, mode: 'FNX' }), 1],
      [(c) => c.hSetEx('h', ['d', '5'], { expiration: 'KEEPTTL', mode: 'FXX' }), 1],
      [(c) => c.hTTL('h', 'd'), ([d]: number[]) => assert.ok(d! > 0)],
      [(c) => c.hScanNoValues('h', '0'), ({ fields }: { fields: string[] }) => sorted('a', 'b', 'c', 'd')(fields)],
      [(c) => c.hGetDel('h', ['a', 'z']), ['1', null]],
      [(c) => c.hLen('h'), isNumber],
    ],
    'valkey-9': [
      [(c) => c.hSetEx('h', { a: '1' }, { expiration: { type: 'EX', value: 100 } }), 1],
      [(c) => c.hGetEx('h', 'a', { expiration: { type: 'PERSIST' } }), ['1']],
      [(c) => c.hExpire('h', 'a', 100), [1]],
    ],
  },
  wire: [
    [built(hashes, 'hExpire', 'k', ['a', 'b'], 5, 'NX'), 'HEXPIRE k 5 NX FIELDS 2 a b', 'k'],
    [built(hashes, 'hExpireAt', 'k', 'a', later), 'HEXPIREAT k 4102444800 FIELDS 1 a', 'k'],
    [built(hashes, 'hExpireTime', 'k', 'a'), 'HEXPIRETIME k FIELDS 1 a', 'k'],
    [built(hashes, 'hpExpire', 'k', 'a', 5), 'HPEXPIRE k 5 FIELDS 1 a', 'k'],
    [built(hashes, 'hpExpireAt', 'k', 'a', later, 'LT'), 'HPEXPIREAT k 4102444800000 LT FIELDS 1 a', 'k'],
    [built(hashes, 'hpExpireTime', 'k', 'a'), 'HPEXPIRETIME k FIELDS 1 a', 'k'],
    [built(hashes, 'hTTL', 'k', 'a'), 'HTTL k FIELDS 1 a', 'k'],
    [built(hashes, 'hpTTL', 'k', 'a'), 'HPTTL k FIELDS 1 a', 'k'],
    [built(hashes, 'hPersist', 'k', 'a'), 'HPERSIST k FIELDS 1 a', 'k'],
    [built(hashes, 'hGetDel', 'k', ['a', 'b']), 'HGETDEL k FIELDS 2 a b', 'k'],
    [
      built(hashes, 'hGetEx', 'k', 'a', { expiration: { type: 'PXAT', value: later } }),
      'HGETEX k PXAT 4102444800000 FIELDS 1 a',
      'k',
    ],
    [
      built(hashes, 'hSetEx', 'k', new Map([['a', '1']]), { mode: 'FXX', expiration: 'KEEPTTL' }),
      'HSETEX k FXX KEEPTTL FIELDS 1 a 1',
      'k',
    ],
    [built(hashes, 'hScanNoValues', 'k', '0', { COUNT: 3 }), 'HSCAN k 0 COUNT 3 NOVALUES', 'k'],
    [built(hashes, 'hImportPrepare', 'set', ['a', 'b']), 'HIMPORT PREPARE set a b', ''],
    [built(hashes, 'hImportSet', 'k', 'set', ['1', '2']), 'HIMPORT SET k set 1 2', 'k'],
    [built(hashes, 'hImportDiscard', 'set'), 'HIMPORT DISCARD set', ''],
    [built(hashes, 'hImportDiscardAll'), 'HIMPORT DISCARDALL', ''],
  ],
});

test('an unknown option word is refused before anything is sent', () => {
  const fields = { a: '1' };
  const refused = { name: 'InvalidArgumentError', code: 'REDKEEP_INVALID_ARGUMENT' };
  assert.throws(() => hashes.hSetEx('k', fields, { mode: 'FIELDS' as never }), refused);
  assert.throws(() => hashes.hGetEx('k', 'a', { expiration: 'FIELDS' as never }), refused);
  assert.throws(() => hashes.hExpire('k', 'a', 1, 'FIELDS' as never), refused);
  assert.throws(() => hashes.hSetEx('k', {}), refused);
  assert.throws(() => hashes.hSetEx('k', ['a', '1', 'b']), refused);
});

test('HIMPORT PREPARE changes its connection, reads may be repeated', () => {
  const has = (command: Command, flag: number) => (command.spec.flags & flag) !== 0;
  assert.ok(has(hashes.hImportPrepare('s', 'a'), Flag.CONNECTION));
  assert.ok(has(hashes.hGetAll('k'), Flag.READONLY));
  assert.ok(has(hashes.hSet('k', 'a', 'b'), Flag.WRITE));
});
