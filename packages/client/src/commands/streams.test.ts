import assert from 'node:assert/strict';
import { test } from 'node:test';
import { built, isNumber, testGroup } from '../testing/protocols.js';
import { Flag } from './command.js';
import * as groups from './stream-groups.js';
import * as pending from './stream-pending.js';
import * as reading from './stream-reading.js';
import * as streams from './streams.js';

const one = { id: '1-0', message: { f: 'v' } };
const two = { id: '2-0', message: { g: 'w' } };

testGroup('streams', {
  module: { ...streams, ...groups, ...pending, ...reading },
  cases: [
    [(c) => c.xAdd('x', '1-0', { f: 'v' }), '1-0'],
    [
      (c) =>
        c.xAdd(
          'x',
          '2-0',
          { g: 'w' },
          { TRIM: { strategy: 'MAXLEN', strategyModifier: '~', threshold: 1000, limit: 10 } },
        ),
      '2-0',
    ],
    [(c) => c.xAddNoMkStream('none', '*', { f: 'v' }), null],
    [(c) => c.xLen('x'), 2],
    [(c) => c.xRange('x', '-', '+'), [one, two]],
    [(c) => c.xRange('x', '-', '+', { COUNT: 1 }), [one]],
    [(c) => c.xRevRange('x', '+', '-'), [two, one]],
    [(c) => c.xRead({ key: 'x', id: '1-0' }), [{ name: 'x', messages: [two] }]],
    [
      (c) =>
        c.xRead(
          [
            { key: 'x', id: '0' },
            { key: 'none', id: '0' },
          ],
          { COUNT: 1, BLOCK: 10 },
        ),
      [{ name: 'x', messages: [one] }],
    ],
    [(c) => c.xRead({ key: 'x', id: '$' }, { BLOCK: 5 }), null],
    [(c) => c.xGroupCreate('x', 'streams', '0', { MKSTREAM: true, ENTRIESREAD: 0 }), 'OK'],
    [(c) => c.xGroupCreateConsumer('x', 'streams', 'me'), 1],
    [(c) => c.xReadGroup('streams', 'me', { key: 'x', id: '>' }), [{ name: 'x', messages: [one, two] }]],
    [(c) => c.xReadGroup('streams', 'me', { key: 'x', id: '>' }, { COUNT: 1, BLOCK: 5, NOACK: true }), null],
    [
      (c) => c.xPending('x', 'streams'),
      { pending: 2, firstId: '1-0', lastId: '2-0', consumers: [{ name: 'me', deliveriesCounter: 2 }] },
    ],
    [
      (c) => c.xPendingRange('x', 'streams', '-', '+', 1, { IDLE: 0, consumer: 'me' }),
      ([p]: { id: string; deliveriesCounter: number }[]) => assert.deepEqual([p!.id, p!.deliveriesCounter], ['1-0', 1]),
    ],
    [(c) => c.xClaim('x', 'streams', 'you', 0, ['1-0'], { IDLE: 5, RETRYCOUNT: 3, FORCE: true }), [one]],
    [(c) => c.xClaimJustId('x', 'streams', 'you', 0, '2-0', { TIME: new Date() }), ['2-0']],
    [
      (c) => c.xAutoClaim('x', 'streams', 'me', 0, '0', { COUNT: 1 }),
      { nextId: '2-0', messages: [one], deletedMessages: [] },
    ],
    [
      (c) => c.xAutoClaimJustId('x', 'streams', 'me', 0, '0'),
      { nextId: '0-0', messages: ['1-0', '2-0'], deletedMessages: [] },
    ],
    [
      (c) => c.xInfoConsumers('x', 'streams'),
      (reply: { name: string; pending: number }[]) =>
        assert.deepEqual(
          reply.map(({ name, pending }) => `${name}:${pending}`),
          ['me:2', 'you:0'],
        ),
    ],
    [
      (c) => c.xInfoGroups('x'),
      ([g]: Record<string, unknown>[]) =>
        assert.deepEqual(
          [g!['name'], g!['last-delivered-id'], g!['entries-read'], g!['lag']],
          ['streams', '2-0', 2, 0],
        ),
    ],
    [
      (c) => c.xInfoStream('x'),
      (reply: Record<string, { id: string; message: object }>) => {
        assert.equal(reply['length'], 2);
        assert.deepEqual([reply['first-entry']!.id, { ...reply['first-entry']!.message }], ['1-0', { f: 'v' }]);
        assert.equal(reply['last-entry']!.id, '2-0');
      },
    ],
    [(c) => c.xAck('x', 'streams', ['1-0', '9-9']), 1],
    [(c) => c.xGroupSetId('x', 'streams', '$', { ENTRIESREAD: 2 }), 'OK'],
    [(c) => c.xGroupDelConsumer('x', 'streams', 'me'), 1],
    [(c) => c.xGroupDestroy('x', 'streams'), 1],
    [(c) => c.xDel('x', ['1-0', '9-9']), 1],
    [(c) => c.xSetId('x', '5-0', { ENTRIESADDED: 5, MAXDELETEDID: '3-0' }), 'OK'],
    [(c) => c.xTrim('x', 'MAXLEN', 0, { strategyModifier: '=' }), 1],
    [(c) => c.xInfoStream('x'), (reply: Record<string, unknown>) => assert.equal(reply['first-entry'], null)],
    [(c) => c.xTrim('x', 'MINID', '9-0'), isNumber],
  ],
  wire: [
    [
      reading.xReadGroup(
        'STREAMS',
        'STREAMS',
        [
          { key: 'a', id: '1' },
          { key: 'b', id: '2' },
        ],
        { MAXCOUNT: 3, MAXSIZE: 4, CLAIM: 5 },
      ),
      'XREADGROUP GROUP STREAMS STREAMS MAXCOUNT 3 MAXSIZE 4 CLAIM 5 STREAMS a b 1 2',
      'a b',
    ],
    [
      reading.xRead(
        [
          { key: 'a', id: '1' },
          { key: 'STREAMS', id: '$' },
        ],
        { COUNT: 2, BLOCK: 0 },
      ),
      'XREAD COUNT 2 BLOCK 0 STREAMS a STREAMS 1 $',
      'a STREAMS',
    ],
    [
      streams.xAdd('k', '*', { f: 'v' }, { policy: 'ACKED', IDMP: { pid: 'p', iid: 'i' } }),
      'XADD k ACKED IDMP p i * f v',
      'k',
    ],
    [streams.xAdd('k', '*', { f: 'v' }, { IDMPAUTO: { pid: 'p' } }), 'XADD k IDMPAUTO p * f v', 'k'],
    [groups.xGroupCreate('k', 'g', '$'), 'XGROUP CREATE k g $', 'k'],
    [groups.xInfoStream('k'), 'XINFO STREAM k', 'k'],
    [built(pending, 'xAckDel', 'k', 'g', ['1-0', '2-0'], 'DELREF'), 'XACKDEL k g DELREF IDS 2 1-0 2-0', 'k'],
    [built(streams, 'xDelEx', 'k', '1-0', 'KEEPREF'), 'XDELEX k KEEPREF IDS 1 1-0', 'k'],
    [
      built(streams, 'xCfgSet', 'k', { IDMP_DURATION: 5, IDMP_MAXSIZE: 6 }),
      'XCFGSET k IDMP-DURATION 5 IDMP-MAXSIZE 6',
      'k',
    ],
    [
      built(pending, 'xNack', 'k', 'g', 'FAIL', '1-0', { RETRYCOUNT: 2, FORCE: true }),
      'XNACK k g FAIL IDS 1 1-0 RETRYCOUNT 2 FORCE',
      'k',
    ],
  ],
});

test('XREAD and XREADGROUP run apart only when they wait', () => {
  const from = { key: 'k', id: '0' };
  const blocks = (command: { spec: { flags: number } }) => (command.spec.flags & Flag.BLOCKING) !== 0;
  assert.deepEqual(
    [
      reading.xRead(from),
      reading.xRead(from, { BLOCK: 0 }),
      reading.xReadGroup('g', 'c', from),
      reading.xReadGroup('g', 'c', from, { BLOCK: 1 }),
    ].map(blocks),
    [false, true, false, true],
  );
});

test('an id cannot become an option', () => {
  const refused = { code: 'REDKEEP_INVALID_ARGUMENT' };
  assert.throws(() => streams.xAdd('k', 'NOMKSTREAM', { f: 'v' }), refused);
  assert.throws(() => pending.xClaim('k', 'g', 'c', 0, ['1-0', 'JUSTID']), refused);
  assert.throws(() => streams.xAdd('k', '*', {}, { TRIM: { strategy: 'LIMIT' as never, threshold: 1 } }), refused);
});
