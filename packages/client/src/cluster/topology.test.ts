import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRedirect, parseSlots } from './topology.js';

test('ranges of one master become one shard, in the order of slots', () => {
  const a = ['10.0.0.1', 7000, 'a', []];
  const b = ['10.0.0.2', 7000, 'b', []];
  const shards = parseSlots(
    [
      [200, 16_383, a, b],
      [100, 199, b],
      [0, 99, a, b],
    ],
    'seed',
  );
  assert.deepEqual(
    shards.map((shard) => [shard.master.id, shard.ranges, shard.replicas.map((r) => r.id)]),
    [
      [
        'a',
        [
          [0, 99],
          [200, 16_383],
        ],
        ['b'],
      ],
      ['b', [[100, 199]], []],
    ],
  );
});

test('an empty or null host is the host that answered', () => {
  for (const host of ['', null])
    assert.equal(parseSlots([[0, 1, [host, 7000, 'a', []]]], 'seed.internal')[0]!.master.host, 'seed.internal');
});

test('an unknown host is taken from the metadata, or the node is left out', () => {
  assert.equal(parseSlots([[0, 1, ['?', 7000, 'a', ['ip', '10.0.0.1']]]], 'seed')[0]!.master.host, '10.0.0.1');
  assert.equal(parseSlots([[0, 1, ['?', 7000, 'a', { ip: '10.0.0.1' }]]], 'seed')[0]!.master.host, '10.0.0.1');
  assert.deepEqual(parseSlots([[0, 1, ['?', 7000, 'a', []]]], 'seed'), []);
});

test('names in the metadata are names of the node', () => {
  const [shard] = parseSlots([[0, 1, ['10.0.0.1', 7000, 'a', ['hostname', 'a.internal']]]], 'seed');
  assert.deepEqual(shard!.master.aliases, ['a.internal']);
});

test('redirects are read strictly', () => {
  assert.deepEqual(parseRedirect('MOVED 3999 127.0.0.1:6381'), {
    kind: 'MOVED',
    slot: 3999,
    host: '127.0.0.1',
    port: 6381,
  });
  assert.equal(parseRedirect('ASK 1 ::1:6381')!.host, '::1');
  assert.equal(parseRedirect('MOVED 1 :6379')!.host, '');
  for (const text of ['MOVED 1 host', 'MOVED 16384 a:1', 'MOVED x a:1', 'MOVED 1 a:0', 'ERR MOVED 1 a:1'])
    assert.equal(parseRedirect(text), undefined, text);
});
