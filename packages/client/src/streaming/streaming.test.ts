import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connectWith, findEngines, startServer, waitFor } from '@redkeep/testing';
import { createClient, type RedisClient } from '../client/client.js';
import type { ClientOptions } from '../options/options.js';
import { RESP_TYPES } from '../protocol/types.js';
import type { ConsumedEntry } from './consumer-group.js';

const connect = connectWith<ClientOptions, RedisClient>(createClient);

describe('getStream', () => {
  test('gives the value in pieces, and null for no key', async () => {
    await using server = await startServer();
    await using client = await connect(server);
    const value = Buffer.alloc(1_000_003, 'abc');
    await client.set('key', value);
    const pieces: Buffer[] = [];
    for await (const piece of (await client.getStream('key', { chunkBytes: 100_000 }))!) pieces.push(piece as Buffer);
    assert.equal(Buffer.concat(pieces).equals(value), true);
    assert.equal(
      pieces.every((piece) => piece.length <= 100_000),
      true,
    );
    assert.equal(await client.getStream('nothing'), null);
    await client.set('empty', '');
    assert.notEqual(await client.getStream('empty'), null);
  });

  test('fails when the value changes its length meanwhile', async () => {
    await using server = await startServer();
    await using client = await connect(server);
    await client.set('key', Buffer.alloc(100));
    const stream = (await client.getStream('key', { chunkBytes: 10 }))!;
    await client.set('key', 'short');
    await assert.rejects(
      async () => {
        for await (const _ of stream);
      },
      { code: 'REDKEEP_VALUE_CHANGED' },
    );
  });
});

describe('long values as text', () => {
  test('are the same text as when decoded at once, whatever their characters', async () => {
    await using server = await startServer();
    await using client = await connect(server);
    for (const sample of ['ascii ', 'é€😀', '\u00e9']) {
      const text = sample.repeat(Math.ceil((3 * 1024 * 1024) / Buffer.byteLength(sample))) + 'x';
      await client.set('key', text);
      assert.equal((await client.get('key')) === text, true);
      const bytes = (await client
        .withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
        .get('key')) as unknown as Buffer;
      assert.equal(bytes.equals(Buffer.from(text)), true);
    }
    assert.deepEqual(await client.mGet(['key', 'none']).then(([first, second]) => [first?.length, second]), [
      (await client.get('key'))!.length,
      null,
    ]);
  });
});

describe('consumeGroup', () => {
  test('delivers new entries, and again what was not acknowledged', async () => {
    await using server = await startServer();
    await using client = await connect(server);
    const work = (signal: AbortSignal, consumer: string, claimIdleMs = 0) =>
      client.consumeGroup('jobs', { group: 'g', consumer, from: '0', signal, claimIdleMs, blockMs: 1000 });
    await client.xAdd('jobs', '*', { n: '1' });
    await client.xAdd('jobs', '*', { n: '2' });
    const first = new AbortController();
    const seen: ConsumedEntry[] = [];
    for await (const entry of work(first.signal, 'a')) {
      seen.push(entry);
      if (entry.message.n === '1') await entry.ack();
      else break;
    }
    assert.deepEqual(
      seen.map(({ message, redelivered }) => [{ ...message }, redelivered]),
      [
        [{ n: '1' }, false],
        [{ n: '2' }, false],
      ],
    );
    for await (const entry of work(first.signal, 'a')) {
      assert.deepEqual([{ ...entry.message }, entry.redelivered], [{ n: '2' }, true]);
      break;
    }
    for await (const entry of work(first.signal, 'b', 1)) {
      assert.deepEqual([{ ...entry.message }, entry.redelivered], [{ n: '2' }, true]);
      await entry.ack();
      break;
    }
    assert.equal((await client.xPending('jobs', 'g')).pending, 0);
  });

  test('an abort ends it while it waits', async () => {
    await using server = await startServer();
    await using client = await connect(server);
    const controller = new AbortController();
    const iterator = client.consumeGroup('jobs', { group: 'g', signal: controller.signal, blockMs: 60_000 });
    const next = iterator.next();
    while (!/cmd=xreadgroup/.test(await client.sendCommand<string>(['CLIENT', 'LIST'])));
    controller.abort();
    assert.deepEqual(await next, { value: undefined, done: true });
  });

  for (const engine of findEngines())
    test(`entries that were deleted while they were pending are passed over, ${engine.name}`, async () => {
      await using server = await startServer({ engine });
      await using client = await connect(server);
      await client.xGroupCreate('jobs', 'g', '0', { MKSTREAM: true });
      const ids: string[] = [];
      for (const n of ['1', '2', '3', '4']) ids.push(await client.xAdd('jobs', '*', { n }));
      await client.xReadGroup('g', 'a', { key: 'jobs', id: '>' });
      await client.xDel('jobs', [ids[0]!, ids[2]!]);
      const [stream] = (await client.xReadGroup('g', 'a', { key: 'jobs', id: '0' }))!;
      assert.deepEqual(
        stream!.messages.map(({ id, message }) => [id, message && { ...message }]),
        [
          [ids[0], null],
          [ids[1], { n: '2' }],
          [ids[2], null],
          [ids[3], { n: '4' }],
        ],
      );
      // The consumer itself, then another that takes over.
      for (const [consumer, claimIdleMs] of [
        ['a', 0],
        ['b', 50],
      ] as const) {
        // Only what has been idle for so long can be taken over.
        const idle = () => client.xPendingRange('jobs', 'g', '-', '+', 9, { IDLE: claimIdleMs });
        await waitFor(async () => (await idle()).length === ids.length);
        const seen: string[] = [];
        for await (const { message } of client.consumeGroup('jobs', { group: 'g', consumer, claimIdleMs, count: 1 })) {
          seen.push(message.n!);
          if (seen.length === 2) break;
        }
        assert.deepEqual(seen, ['2', '4'], consumer);
      }
      const claimed = await client.xClaim('jobs', 'g', 'c', 0, ids);
      assert.deepEqual(
        claimed.flatMap((entry) => (entry?.message ? [entry.message.n] : [])),
        ['2', '4'],
      );
    });
});
