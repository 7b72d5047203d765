import assert from 'node:assert/strict';
import { test } from 'node:test';
import { built, isNumber, isString, sorted, testGroup } from '../testing/protocols.js';
import { Flag } from './command.js';
import * as keys from './keys.js';

const later = new Date(4_102_444_800_000);

testGroup('keys', {
  module: keys,
  cases: [
    [(c) => c.mSet({ a: '1', b: '2' }), 'OK'],
    [(c) => c.copy('a', 'c', { REPLACE: true }), 1],
    [(c) => c.copy('a', 'c', { DB: 1 }), 1],
    [(c) => c.exists(['a', 'b', 'none']), 2],
    [(c) => c.expire('a', 100), 1],
    [(c) => c.expire('a', 50, 'GT'), 0],
    [(c) => c.ttl('a'), isNumber],
    [(c) => c.pTTL('none'), -2],
    [(c) => c.pExpire('a', 100_000), 1],
    [(c) => c.expireAt('a', later), 1],
    [(c) => c.expireTime('a'), 4_102_444_800],
    [(c) => c.pExpireAt('a', later, 'XX'), 1],
    [(c) => c.pExpireTime('a'), 4_102_444_800_000],
    [(c) => c.persist('a'), 1],
    [(c) => c.objectEncoding('a'), 'int'],
    [(c) => c.objectIdleTime('a'), isNumber],
    [(c) => c.objectRefCount('a'), isNumber],
    [(c) => c.randomKey(), isString],
    [
      (c) => c.scan('0', { MATCH: '*', COUNT: 100, TYPE: 'string' }),
      ({ keys: found }: { keys: string[] }) => sorted('a', 'b', 'c')(found),
    ],
    [(c) => c.rename('c', 'd'), 'OK'],
    [(c) => c.renameNX('d', 'a'), 0],
    [(c) => c.move('d', 1), 1],
    [(c) => c.touch(['a', 'none']), 1],
    [(c) => c.type('a'), 'string'],
    [(c) => c.dump('none'), null],
    [(c) => c.rPush('l', ['3', '1', '2']), 3],
    [(c) => c.sort('l', { DIRECTION: 'DESC', LIMIT: { offset: 0, count: 2 } }), ['3', '2']],
    [(c) => c.sortRo('l', { ALPHA: true, GET: ['#', 'w_*'] }), ['1', null, '2', null, '3', null]],
    [(c) => c.sortStore('l', 'm', { BY: 'nosort' }), 3],
    [(c) => c.wait(0, 10), 0],
    [(c) => c.del(['a', 'none']), 1],
    [(c) => c.unlink('b'), 1],
  ],
  wire: [
    [built(keys, 'keys', 'k*'), 'KEYS k*', ''],
    [built(keys, 'objectFreq', 'k'), 'OBJECT FREQ k', 'k'],
    [
      built(keys, 'restore', 'k', 5, 'v', { REPLACE: true, ABSTTL: true, IDLETIME: 1, FREQ: 2 }),
      'RESTORE k 5 v REPLACE ABSTTL IDLETIME 1 FREQ 2',
      'k',
    ],
    [
      built(keys, 'migrate', 'h', 6379, ['a', 'b'], 0, 100, { COPY: true, REPLACE: true, AUTH: { password: 'p' } }),
      'MIGRATE h 6379  0 100 COPY REPLACE AUTH p KEYS a b',
      'a b',
    ],
    [keys.migrate('h', 6379, 'a', 0, 100), 'MIGRATE h 6379 a 0 100', 'a'],
    [built(keys, 'waitAof', 1, 2, 100), 'WAITAOF 1 2 100', ''],
  ],
});

test('WAIT and WAITAOF stay on the connection whose writes they wait for', () => {
  for (const { spec } of [keys.wait(1, 5), keys.waitAof(1, 1, 5)])
    assert.equal(spec.flags & Flag.BLOCKING, 0, spec.name);
});

test('what can harm many keys at once is dangerous', () => {
  for (const { spec } of [keys.keys('*'), keys.migrate('h', 1, 'k', 0, 1)])
    assert.ok(spec.flags & Flag.DANGEROUS, spec.name);
});
