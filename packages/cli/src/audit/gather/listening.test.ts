import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findEngine, startServer } from '@redkeep/testing';
import { listeningOf, parseListening } from './listening.js';

test('sees where a server really listens', async () => {
  await using local = await startServer({ engine: findEngine() });
  const here = await listeningOf(local.pid!);
  assert.ok(here.some(({ address, port }) => address === '127.0.0.1' && port === local.port));
  assert.ok(here.every(({ address }) => address === '127.0.0.1' || address === '::1'));
  await using open = await startServer({ engine: findEngine(), config: { bind: '*' } });
  assert.ok((await listeningOf(open.pid!)).some(({ address, port }) => address === '0.0.0.0' && port === open.port));
});

test('reads the tables of the kernel', () => {
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    '   0: 0100007F:18EB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1',
    '   1: 0100007F:18EB 0100007F:E000 01 00000000:00000000 00:00000000 00000000     0        0 12 1',
    '   2: 00000000000000000000000000000000:18EB 0:0 0A 0:0 00:0 0     0        0 13 1',
    '   3: B80D01200000000067452301EFCDAB89:18EB 0:0 0A 0:0 00:0 0     0        0 14 1',
  ].join('\n');
  assert.deepEqual(
    [...parseListening(table)],
    [
      ['11', { address: '127.0.0.1', port: 6379 }],
      ['13', { address: '::', port: 6379 }],
      ['14', { address: '2001:db8:0:0:123:4567:89ab:cdef', port: 6379 }],
    ],
  );
});
