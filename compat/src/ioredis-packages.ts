/**
 * Packages written for ioredis, used as their documentation says. Run by ioredis-packages.test.ts in a folder where the
 * name `ioredis` leads to @redkeep/ioredis, as an npm alias or override makes it.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';
import { createRedisConnection } from '@nestjs-modules/ioredis';
import { startServer, waitFor } from '@redkeep/testing';
import { createAdapter } from '@socket.io/redis-adapter';
import BeeQueue from 'bee-queue';
import Bull from 'bull';
import { FlowProducer, Queue, QueueEvents, Worker } from 'bullmq';
import { RedisStore } from 'connect-redis-8';
import type { SessionData } from 'express-session';
import { RedisPubSub } from 'graphql-redis-subscriptions';
import ioredis, { type Redis as Reference } from 'ioredis';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { Mutex, Semaphore } from 'redis-semaphore';
import { Redis as Own } from 'redkeep/ioredis';

/** Under the types of ioredis itself, which the packages name. */
const Redis = ioredis as unknown as typeof Reference;
type Redis = Reference;

const require = createRequire(import.meta.url);
/** Its types are not found under `exports`. */
const Redlock = require('redlock').default as new (
  clients: unknown[],
  settings?: object,
) => {
  acquire(
    resources: string[],
    duration: number,
  ): Promise<{ release(): Promise<unknown>; extend(ms: number): Promise<unknown> }>;
  using<T>(resources: string[], duration: number, use: () => Promise<T>): Promise<T>;
};

const connection = ({ port }: { port: number }) => ({ host: '127.0.0.1', port, maxRetriesPerRequest: null });

test('the name ioredis leads to Redkeep', () => {
  assert.equal(Redis as unknown, Own);
  for (const name of ['bullmq', 'bull', 'redis-semaphore', 'graphql-redis-subscriptions', '@nestjs-modules/ioredis']) {
    const from = createRequire(require.resolve(name));
    assert.equal(from('ioredis'), Own, name);
  }
});

describe('BullMQ', () => {
  test('works through jobs, delayed and retried ones too, reports events, keeps flows', async () => {
    await using server = await startServer();
    const options = { connection: connection(server) };
    const queue = new Queue('work', options);
    const attempts = new Map<string, number>();
    const worker = new Worker(
      'work',
      async (job) => {
        const tries = (attempts.get(job.id!) ?? 0) + 1;
        attempts.set(job.id!, tries);
        if (job.name === 'flaky' && tries === 1) throw new Error('once');
        await job.updateProgress(50);
        return job.data.n * 2;
      },
      { ...options, concurrency: 5 },
    );
    const events = new QueueEvents('work', options);
    await events.waitUntilReady();
    const jobs = await queue.addBulk(Array.from({ length: 50 }, (_, n) => ({ name: 'double', data: { n } })));
    const results = await Promise.all(jobs.map((job) => job.waitUntilFinished(events)));
    assert.deepEqual(
      results,
      Array.from({ length: 50 }, (_, n) => n * 2),
    );
    const delayed = await queue.add('double', { n: 100 }, { delay: 50 });
    assert.equal(await delayed.waitUntilFinished(events), 200);
    const flaky = await queue.add('flaky', { n: 3 }, { attempts: 2, backoff: 10 });
    assert.equal(await flaky.waitUntilFinished(events), 6);
    const flow = new FlowProducer(options);
    const tree = await flow.add({
      name: 'double',
      queueName: 'work',
      data: { n: 1 },
      children: [{ name: 'double', queueName: 'work', data: { n: 2 } }],
    });
    assert.equal(await tree.job.waitUntilFinished(events), 2);
    const counts = await queue.getJobCounts('completed', 'failed', 'active', 'waiting');
    assert.deepEqual(counts, { completed: 54, failed: 0, active: 0, waiting: 0 });
    assert.equal(Math.max(...attempts.values()), 2);
    await worker.close();
    await events.close();
    await flow.close();
    await queue.close();
  });

  test('takes a client that the application made', async () => {
    await using server = await startServer();
    const client = new Redis(connection(server));
    const queue = new Queue('own', { connection: client });
    const worker = new Worker('own', async () => 'done', { connection: client });
    const [job] = await Promise.all([once(worker, 'completed'), queue.add('job', {})]);
    assert.equal(job[1], 'done');
    await worker.close();
    await queue.close();
    await client.quit();
  });
});

describe('Bull', () => {
  test('works through jobs, delayed ones too', async () => {
    await using server = await startServer();
    const queue = new Bull('work', { redis: { host: '127.0.0.1', port: server.port } });
    void queue.process(3, async (job) => job.data.n + 1);
    const jobs = await queue.addBulk(Array.from({ length: 20 }, (_, n) => ({ data: { n } })));
    assert.deepEqual(
      await Promise.all(jobs.map((job) => job.finished())),
      Array.from({ length: 20 }, (_, n) => n + 1),
    );
    const delayed = await queue.add({ n: 41 }, { delay: 20 });
    assert.equal(await delayed.finished(), 42);
    await queue.close();
  });
});

describe('bee-queue', () => {
  test('works through jobs, delayed and retried ones too, on clients that the application made', async () => {
    await using server = await startServer();
    const client = new Redis(connection(server));
    const queue = new BeeQueue<{ n: number }>('work', {
      redis: client as never,
      activateDelayedJobs: true,
      quitCommandClient: true,
    });
    const results = new Map<string, number>();
    let tries = 0;
    const done = new Promise<void>((resolve) => {
      queue.on('job succeeded', (id: string, result: number) => {
        results.set(id, result);
        if (results.size === 22) resolve();
      });
    });
    queue.process(3, async ({ data }: { data: { n: number } }) => {
      if (data.n === 100 && ++tries === 1) throw new Error('once');
      return data.n * 2;
    });
    const jobs = await Promise.all(Array.from({ length: 20 }, (_, n) => queue.createJob({ n }).save()));
    const delayed = await queue
      .createJob({ n: 50 })
      .delayUntil(Date.now() + 50)
      .save();
    const flaky = await queue.createJob({ n: 100 }).retries(1).save();
    await done;
    assert.deepEqual(
      [...jobs, delayed, flaky].map(({ id }) => results.get(id!)),
      [...Array.from({ length: 20 }, (_, n) => n * 2), 100, 200],
    );
    assert.equal(tries, 2);
    await queue.close();
  });
});

describe('connect-redis 8', () => {
  test('stores, touches, lists and destroys sessions', async () => {
    await using server = await startServer();
    const client = new Redis(connection(server));
    const store = new RedisStore({ client, ttl: 60 });
    const session = { cookie: { originalMaxAge: null }, user: 'ann' } as unknown as SessionData;
    await store.set('one', session);
    await store.touch('one', session);
    assert.deepEqual(await store.get('one'), session);
    assert.equal((await client.ttl('sess:one')) > 0, true);
    assert.deepEqual(await store.ids(), ['one']);
    assert.deepEqual(await store.all(), [{ ...session, id: 'one' }]);
    await store.destroy('one');
    assert.equal(await store.get('one'), null);
    await store.set('two', session);
    await store.clear();
    assert.equal(await store.length(), 0);
    await client.quit();
  });
});

describe('redlock', () => {
  test('locks, extends, releases, and refuses what is locked', async () => {
    await using server = await startServer();
    const client = new Redis(connection(server));
    const redlock = new Redlock([client], { retryCount: 0 });
    const lock = await redlock.acquire(['resource'], 5000);
    await assert.rejects(redlock.acquire(['resource'], 5000));
    const longer = (await lock.extend(5000)) as typeof lock;
    await longer.release();
    assert.equal(await redlock.using(['resource'], 5000, async () => 'inside'), 'inside');
    await client.quit();
  });
});

describe('redis-semaphore', () => {
  test('excludes, and lets in as many as it says', async () => {
    await using server = await startServer();
    const client = new Redis(connection(server));
    const first = new Mutex(client as never, 'key', { acquireTimeout: 1 });
    const second = new Mutex(client as never, 'key', { acquireTimeout: 20, retryInterval: 5 });
    await first.acquire();
    await assert.rejects(second.acquire());
    await first.release();
    const places = [1, 2, 3].map(
      () => new Semaphore(client as never, 'room', 2, { acquireTimeout: 20, retryInterval: 5 }),
    );
    await places[0]!.acquire();
    await places[1]!.acquire();
    await assert.rejects(places[2]!.acquire());
    await Promise.all(places.slice(0, 2).map((place) => place.release()));
    await client.quit();
  });
});

describe('rate-limiter-flexible', () => {
  test('consumes points and rejects when they are used up', async () => {
    await using server = await startServer();
    const client = new Redis(connection(server));
    const limiter = new RateLimiterRedis({ storeClient: client, points: 2, duration: 60 });
    assert.equal((await limiter.consume('user')).remainingPoints, 1);
    assert.equal((await limiter.consume('user')).remainingPoints, 0);
    await assert.rejects(limiter.consume('user'), (refused) => refused instanceof RateLimiterRes);
    assert.equal(await limiter.delete('user'), true);
    await client.quit();
  });
});

describe('graphql-redis-subscriptions', () => {
  test('publishes to subscribers, by channel and by pattern', async () => {
    await using server = await startServer();
    const pubsub = new RedisPubSub({ connection: connection(server) as never });
    const received: unknown[] = [];
    const id = await pubsub.subscribe('news', (message: unknown) => received.push(message));
    await pubsub.subscribe('n*', (message: unknown) => received.push(message), { pattern: true });
    await pubsub.publish('news', { text: 'hello' });
    await waitFor(() => received.length === 2);
    assert.deepEqual(received, [{ text: 'hello' }, { text: 'hello' }]);
    pubsub.unsubscribe(id);
    await pubsub.close();
  });
});

describe('@socket.io/redis-adapter', () => {
  test('carries what one server says to another', async () => {
    await using server = await startServer();
    const clients: Redis[] = [];
    const received: unknown[] = [];
    const adapterOf = () => {
      const publisher = new Redis(connection(server));
      const subscriber = publisher.duplicate();
      clients.push(publisher, subscriber);
      return createAdapter(
        publisher,
        subscriber,
      )({
        name: '/chat',
        sockets: new Map(),
        adapter: undefined,
        server: { encoder: { encode: (packet: unknown) => [packet] }, of: () => undefined },
        _onServerSideEmit: (args: unknown[]) => received.push(args),
      });
    };
    const first = adapterOf();
    const second = adapterOf();
    await waitFor(async () => (await first.serverCount()) === 2);
    first.serverSideEmit(['hello', 1]);
    await waitFor(() => received.length === 1);
    assert.deepEqual(received, [['hello', 1]]);
    first.close();
    second.close();
    await Promise.all(clients.map((client) => client.quit()));
  });
});

describe('@nestjs-modules/ioredis', () => {
  test('makes connections with Redkeep', async () => {
    await using server = await startServer();
    const client = createRedisConnection({ type: 'single', options: connection(server) as never }) as Redis;
    assert.equal(client instanceof Own, true);
    assert.equal(await client.ping(), 'PONG');
    await client.quit();
  });
});
