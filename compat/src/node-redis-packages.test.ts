/** Packages written for node-redis, used as their documentation says, with a Redkeep client. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import KeyvRedis from '@keyv/redis';
import { connectWith, startServer, waitFor } from '@redkeep/testing';
import { createAdapter } from '@socket.io/redis-adapter';
import { createCache } from 'cache-manager';
import { RedisStore } from 'connect-redis';
import type { SessionData } from 'express-session';
import { Keyv } from 'keyv';
import { RedisStore as RateLimitStore } from 'rate-limit-redis';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { type ClientOptions, createClient, type RedisClient } from 'redkeep';
import { createLock, createRedlock, NodeRedisAdapter } from 'redlock-universal';

const connect = connectWith<ClientOptions, RedisClient>(createClient);
/** Where a package's types name node-redis's own class. */
const asNodeRedis = (client: RedisClient) => client as never;

describe('connect-redis', () => {
  test('stores, touches, lists and destroys sessions', async () => {
    await using server = await startServer();
    await using client = await connect(server);
    const store = new RedisStore({ client: asNodeRedis(client), prefix: 'sess:', ttl: 60 });
    const session = { cookie: { originalMaxAge: null }, user: 'ann' } as unknown as SessionData;
    await store.set('one', session);
    await store.touch('one', session);
    assert.deepEqual(await store.get('one'), session);
    assert.equal((await client.ttl('sess:one')) > 0, true);
    assert.deepEqual(await store.ids(), ['one']);
    assert.equal(await store.length(), 1);
    assert.deepEqual(await store.all(), [{ ...session, id: 'one' }]);
    await store.destroy('one');
    assert.equal(await store.get('one'), null);
    await store.set('two', session);
    await store.clear();
    assert.equal(await store.length(), 0);
  });
});

describe('rate-limit-redis', () => {
  test('counts hits within a window and forgets them', async () => {
    await using server = await startServer();
    await using client = await connect(server);
    const store = new RateLimitStore({ sendCommand: (...args: string[]) => client.sendCommand(args) as never });
    store.init({ windowMs: 60_000 } as never);
    assert.equal((await store.increment('ip')).totalHits, 1);
    const second = await store.increment('ip');
    assert.equal(second.totalHits, 2);
    assert.equal(second.resetTime!.getTime() > Date.now(), true);
    await store.decrement('ip');
    assert.equal((await store.get('ip'))!.totalHits, 1);
    await store.resetKey('ip');
    assert.equal((await store.increment('ip')).totalHits, 1);
  });
});

describe('rate-limiter-flexible', () => {
  test('consumes points and rejects when they are used up', async () => {
    await using server = await startServer();
    await using client = await connect(server);
    const limiter = new RateLimiterRedis({ storeClient: client, useRedisPackage: true, points: 2, duration: 60 });
    assert.equal((await limiter.consume('user')).remainingPoints, 1);
    assert.equal((await limiter.consume('user')).remainingPoints, 0);
    await assert.rejects(limiter.consume('user'), (refused) => {
      return refused instanceof RateLimiterRes && refused.consumedPoints === 3;
    });
    assert.equal((await limiter.get('user'))!.consumedPoints, 3);
    await limiter.set('user', 1, 60);
    assert.equal((await limiter.get('user'))!.consumedPoints, 1);
    assert.equal(await limiter.delete('user'), true);
  });
});

describe('@keyv/redis and cache-manager', () => {
  test('Keyv sets, gets several, expires, iterates and clears a namespace', async () => {
    await using server = await startServer();
    await using client = await connect(server);
    const keyv = new Keyv({ store: new KeyvRedis(asNodeRedis(client)), namespace: 'app', useKeyPrefix: false });
    await keyv.set('a', { n: 1 });
    await keyv.set('b', 'two', 60_000);
    assert.deepEqual(await keyv.get('a'), { n: 1 });
    assert.deepEqual(await keyv.getMany(['a', 'none', 'b']), [{ n: 1 }, undefined, 'two']);
    assert.equal(await keyv.has('b'), true);
    const names: string[] = [];
    for await (const [name] of keyv.iterator!('app') as AsyncIterable<[string, unknown]>) names.push(name);
    assert.deepEqual(names.sort(), ['a', 'b']);
    assert.equal(await keyv.delete('a'), true);
    await keyv.clear();
    assert.equal(await keyv.get('b'), undefined);
  });

  test('cache-manager wraps a function through it', async () => {
    await using server = await startServer();
    await using client = await connect(server);
    const cache = createCache({ stores: [new Keyv({ store: new KeyvRedis(asNodeRedis(client)) })] });
    let calls = 0;
    const load = async () => `value ${++calls}`;
    assert.equal(await cache.wrap('key', load, 60_000), 'value 1');
    assert.equal(await cache.wrap('key', load, 60_000), 'value 1');
    await cache.mset([
      { key: 'x', value: 1 },
      { key: 'y', value: 2 },
    ]);
    assert.deepEqual(await cache.mget(['x', 'y']), [1, 2]);
    await cache.del('key');
    assert.equal(await cache.wrap('key', load), 'value 2');
  });
});

describe('@socket.io/redis-adapter', () => {
  test('broadcasts between two servers and counts them', async () => {
    await using server = await startServer();
    await using publisher = await connect(server);
    await using firstSubscriber = await connect(server);
    await using secondSubscriber = await connect(server);
    const received: unknown[] = [];
    const namespace = () => ({
      name: '/chat',
      sockets: new Map(),
      adapter: undefined,
      server: { encoder: { encode: (packet: unknown) => [packet] }, of: () => undefined },
      _onServerSideEmit: (args: unknown[]) => received.push(args),
    });
    const first = createAdapter(publisher, firstSubscriber)(namespace());
    const second = createAdapter(publisher, secondSubscriber)(namespace());
    await waitFor(async () => (await first.serverCount()) === 2);
    first.serverSideEmit(['hello', 1]);
    await waitFor(() => received.length === 1);
    assert.deepEqual(received, [['hello', 1]]);
    first.close();
    second.close();
  });
});

describe('redlock-universal', () => {
  // Its manifest asks for Node 22; what is used here runs on 20 too.
  test('one server: a lock is held by one, extended and given back', async () => {
    await using server = await startServer();
    await using client = await connect(server);
    const adapter = new NodeRedisAdapter(asNodeRedis(client));
    const options = { adapter, key: 'job', ttl: 30_000, retryAttempts: 0, retryDelay: 1 };
    const held = await createLock(options).acquire();
    await assert.rejects(createLock(options).acquire());
    assert.equal(await createLock(options).extend(held, 60_000), true);
    assert.ok((await client.pTTL('job')) > 30_000);
    assert.equal(await createLock(options).release(held), true);
    assert.equal(await client.exists('job'), 0);
    assert.equal(await createLock(options).using(async () => 'done'), 'done');
  });

  test('three servers: the majority decides', async () => {
    await using first = await startServer();
    await using second = await startServer();
    await using third = await startServer();
    await using a = await connect(first);
    await using b = await connect(second);
    await using c = await connect(third);
    const adapters = [a, b, c].map((client) => new NodeRedisAdapter(asNodeRedis(client)));
    const options = { adapters, key: 'job', ttl: 30_000, retryAttempts: 0, retryDelay: 1 };
    const held = await createRedlock(options).acquire();
    await assert.rejects(createRedlock(options).acquire());
    assert.equal(await createRedlock(options).release(held), true);
    await a.set('job', 'theirs');
    const again = await createRedlock(options).acquire();
    assert.equal(await a.get('job'), 'theirs');
    assert.equal(await createRedlock(options).release(again), true);
  });
});
