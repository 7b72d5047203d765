import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connectWith, type Reachable, startScriptedServer, startServer, waitFor } from '@redkeep/testing';
import { createClient, type RedisClient } from '../client/client.js';
import { InvalidOptionError } from '../errors.js';
import type { ClientOptions } from '../options/options.js';
import { BasicClientSideCache } from './client-side-cache.js';

const open = connectWith<ClientOptions, RedisClient>(createClient);
const connect = (server: Reachable, options: ClientOptions = {}): Promise<RedisClient> =>
  open(server, { socket: { reconnectStrategy: () => 1 }, ...options });

describe('client-side cache', () => {
  test('a read is answered once by the server, until another client changes the key', async () => {
    await using server = await startServer();
    const cache = new BasicClientSideCache();
    await using client = await connect(server, { clientSideCache: cache });
    await using other = await connect(server);
    await other.set('key', 'one');
    assert.equal(await client.get('key'), 'one');
    assert.equal(await client.get('key'), 'one');
    assert.deepEqual([cache.stats().hitCount, cache.stats().missCount], [1, 1]);
    const invalidated = new Promise<unknown>((resolve) => cache.once('invalidate', resolve));
    await other.set('key', 'two');
    assert.equal(await invalidated, 'key');
    assert.equal(await client.get('key'), 'two');
    await client.set('key', 'three');
    assert.equal(await client.get('key'), 'three');
  });

  test('callers of one moment share one load, and each gets a copy of its own', async () => {
    let asked = 0;
    await using server = await startScriptedServer({
      onCommand: () => {
        asked++;
        return '*2\r\n$1\r\na\r\n$1\r\nb\r\n';
      },
    });
    const client: RedisClient = createClient({ url: server.url, clientSideCache: { ttl: 60_000 } });
    await client.connect();
    const [first, second] = await Promise.all([client.mGet(['x', 'y']), client.mGet(['x', 'y'])]);
    first[0] = 'changed';
    assert.deepEqual(second, ['a', 'b']);
    assert.deepEqual(await client.mGet(['x', 'y']), ['a', 'b']);
    assert.equal(asked, 1);
    client.destroy();
  });

  test('a value that was invalidated while it was loading is not kept', async () => {
    await using server = await startScriptedServer({
      onCommand: (command) =>
        command[0] === 'GET' ? '>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n$3\r\nold\r\n' : undefined,
    });
    const cache = new BasicClientSideCache();
    const client: RedisClient = createClient({ url: server.url, clientSideCache: cache });
    await client.connect();
    assert.equal(await client.get('k'), 'old');
    assert.equal(cache.size(), 0);
    client.destroy();
  });

  test('a lost connection empties it', async () => {
    await using server = await startServer();
    const cache = new BasicClientSideCache();
    await using client = await connect(server, { clientSideCache: cache });
    await using other = await connect(server);
    await client.get('key');
    assert.equal(cache.size(), 1);
    const lost = new Promise((resolve) => client.once('error', resolve));
    await other.sendCommand(['CLIENT', 'KILL', 'ID', String(await client.clientId())]);
    await lost;
    assert.equal(cache.size(), 0);
  });

  test('forgets what was used least recently, and what is older than its time', async () => {
    await using server = await startServer();
    const cache = new BasicClientSideCache({ maxEntries: 2 });
    await using client = await connect(server, { clientSideCache: cache });
    for (const key of ['a', 'b', 'a', 'c']) await client.get(key);
    await client.get('a');
    assert.equal(cache.stats().evictionCount, 1);
    assert.deepEqual([cache.stats().hitCount, cache.stats().missCount], [2, 3]);
    await client.withCommandOptions({ cache: { ttlMs: 1 } }).get('short');
    await waitFor(async () => {
      const before = cache.stats().missCount;
      await client.get('short');
      return cache.stats().missCount > before;
    });
  });

  test('with byCall only the reads that ask for it are kept, and the server tracks no others', async () => {
    await using server = await startServer();
    const client = await connect(server, { clientSideCache: { byCall: true } });
    await using other = await connect(server);
    await other.set('key', 'one');
    await client.get('other');
    assert.equal(client.clientSideCache!.size(), 0);
    const cached = client.withCommandOptions({ cache: { ttlMs: 60_000 } });
    assert.equal(await cached.get('key'), 'one');
    assert.equal(client.clientSideCache!.size(), 1);
    assert.match(await other.sendCommand<string>(['INFO', 'stats']), /tracking_total_keys:1\r/);
    const invalidated = new Promise((resolve) => client.clientSideCache!.once('invalidate', resolve));
    await other.set('key', 'two');
    await invalidated;
    assert.equal(await cached.get('key'), 'two');
    await client.close();
  });

  test('emitInvalidate reports changed keys without keeping anything', async () => {
    await using server = await startServer();
    await using client = await connect(server, { emitInvalidate: true });
    await using other = await connect(server);
    await client.get('key');
    const invalidated = new Promise<unknown>((resolve) => client.once('invalidate', resolve));
    await other.set('key', 'value');
    assert.equal(await invalidated, 'key');
  });

  test('is refused over RESP2, which has no pushes', () => {
    assert.throws(() => createClient({ RESP: 2, clientSideCache: {} }), InvalidOptionError);
    assert.throws(() => createClient({ RESP: 2, emitInvalidate: true }), InvalidOptionError);
  });
});
