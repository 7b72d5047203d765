import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startServer } from '@redkeep/testing';
import { createClient, type RedisClient } from '../client/client.js';
import { RESP_TYPES } from '../protocol/types.js';
import type { ConsumedEntry } from './consumer-group.js';

async function connect(port: number): Promise<RedisClient> {
  const client: RedisClient = createClient({ url: `redis://127.0.0.1:${port}` });
  client.on('error', () => {});
  return client.connect();
}

describe('getStream', () => {
  test('gives the value in pieces, and null for no key', async () => {
    await using server = await startServer();
    await using client = await connect(server.port);
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
    await using client = await connect(server.port);
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
    await using client = await connect(server.port);
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
    await using client = await connect(server.port);
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
    await using client = await connect(server.port);
    const controller = new AbortController();
    const iterator = client.consumeGroup('jobs', { group: 'g', signal: controller.signal, blockMs: 60_000 });
    const next = iterator.next();
    while (!/cmd=xreadgroup/.test(await client.sendCommand<string>(['CLIENT', 'LIST'])));
    controller.abort();
    assert.deepEqual(await next, { value: undefined, done: true });
  });
});
