import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { waitFor } from '@redkeep/testing';
import { createClient } from 'redkeep';
import { refused, useServer } from '../testing/support.js';
import { Locks } from './locks.js';

const redis = useServer();
const blocked = async () =>
  Number(/calls=(\d+)/.exec((await redis.server.info('commandstats'))['cmdstat_blpop'] ?? '')?.[1] ?? 0);
const locks = () => new Locks({ client: redis.client });

describe('locks', () => {
  test('exclude, and their tokens grow, also when the counter was lost', async () => {
    const first = await locks().acquire('a');
    await refused(() => locks().acquire('a'), 'REDKEEP_LOCK_TIMEOUT');
    assert.equal(await first.release(), true);
    assert.equal(await first.release(), false);
    await redis.server.command('DEL', 'lock:{a}:fence');
    const second = await locks().acquire('a');
    assert.ok(second.token > first.token);
    await second.release();
  });

  test('wake one who waits when they are released', async () => {
    const held = await locks().acquire('b', { ttlMs: 600_000 });
    const waiting = locks().acquire('b', { waitMs: 60_000 });
    await held.release();
    await (await waiting).release();
  });

  test('wake one who has waited longer than any answer of Redis may take', async () => {
    const held = await locks().acquire('long', { ttlMs: 600_000 });
    const before = await blocked();
    const waiting = new Locks({ client: redis.client, timeoutMs: 100 }).acquire('long', { waitMs: 60_000 });
    await waitFor(async () => (await blocked()) >= before + 4);
    await held.release();
    await (await waiting).release();
  });

  test('an answer that comes when the lock has expired is not a lock', async () => {
    redis.server.pause();
    const late = locks().acquire('late', { ttlMs: 100 });
    const askedAt = performance.now();
    await waitFor(() => performance.now() > askedAt + 100);
    redis.server.resume();
    await refused(() => late, 'REDKEEP_LOCK_TIMEOUT');
    await (await locks().acquire('late')).release();
  });

  test('pass on when their holder is gone', async () => {
    const gone = await locks().acquire('c', { ttlMs: 100, renew: false });
    const next = await locks().acquire('c', { waitMs: 20_000 });
    assert.ok(next.token > gone.token);
    assert.equal(await gone.release(), false);
    assert.equal(gone.signal.aborted, true);
    await next.release();
  });

  test('are renewed while held, and abort their signal before they can pass to another', async () => {
    const held = await locks().acquire('d', { ttlMs: 300 });
    const contender = locks().acquire('d', { waitMs: 500 });
    await refused(() => contender, 'REDKEEP_LOCK_TIMEOUT');
    assert.equal(held.signal.aborted, false);
    const lost = once(held.signal, 'abort');
    await redis.server.command('SET', 'lock:{d}', 'taken over');
    await lost;
    assert.equal(held.signal.reason.code, 'REDKEEP_LOCK_LOST');
  });

  test('the signal of a lock that was lost while Redis was away aborts in time', async () => {
    const client = createClient({ url: redis.server.url });
    client.on('error', () => undefined);
    await client.connect();
    const held = await new Locks({ client, timeoutMs: 50 }).acquire('e', { ttlMs: 400 });
    redis.server.pause();
    try {
      if (!held.signal.aborted) await once(held.signal, 'abort');
      assert.equal(held.signal.reason.code, 'REDKEEP_LOCK_LOST');
      await refused(() => new Locks({ client, timeoutMs: 50 }).acquire('f'), 'REDKEEP_STORE_UNAVAILABLE');
    } finally {
      redis.server.resume();
      client.destroy();
    }
  });

  test('guardedSet refuses a former holder that wakes up late', async () => {
    const slow = await locks().acquire('g', { ttlMs: 100, renew: false });
    const next = await locks().acquire('g', { waitMs: 20_000 });
    await next.guardedSet('resource', 'new', 60_000);
    await refused(() => slow.guardedSet('resource', 'old', 60_000), 'REDKEEP_LOCK_FENCED');
    assert.equal(await redis.client.get('resource'), 'new');
    await next.guardedSet('resource', 'newer', 60_000);
    await next.release();
  });

  test('using releases after the work and after a failure, and reports a lock that was lost', async () => {
    assert.equal(await locks().using('h', {}, async () => 'done'), 'done');
    await assert.rejects(
      locks().using('h', {}, () => Promise.reject(new Error('work failed'))),
      /work failed/,
    );
    const lost = locks().using('h', { ttlMs: 300 }, async (lock) => {
      await redis.server.command('DEL', 'lock:{h}');
      await once(lock.signal, 'abort');
    });
    await refused(() => lost, 'REDKEEP_LOCK_LOST');
  });

  test('refuse a life that is too short, too long or none', async () => {
    for (const ttlMs of [0, 99, 600_001, Number.NaN])
      await refused(() => locks().acquire('i', { ttlMs }), 'REDKEEP_GUARD_ARGUMENT');
    for (const name of ['', 'a}b']) await refused(() => locks().acquire(name), 'REDKEEP_GUARD_ARGUMENT');
    const held = await locks().acquire('i');
    for (const key of ['', 'a}', 'a{}b'])
      await refused(() => held.guardedSet(key, 'x', 1000), 'REDKEEP_GUARD_ARGUMENT');
    await held.release();
  });
});

describe('what a holder learns when its process was blocked', () => {
  const standStill = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

  test('isHeld is false at once, and using rejects', async () => {
    const held = await locks().acquire('still', { ttlMs: 100 });
    standStill(120);
    assert.equal(held.isHeld, false);
    assert.equal(held.signal.aborted, true);
    await held.release();
    const worked = locks().using('still', { ttlMs: 100 }, async () => {
      standStill(120);
      return 'done';
    });
    await refused(() => worked, 'REDKEEP_LOCK_LOST');
  });

  test('using rejects when the lock is another holder’s in the end, and reports a release that failed', async () => {
    const taken = locks().using('taken', { ttlMs: 60_000 }, () => redis.server.command('SET', 'lock:{taken}', 'other'));
    await refused(() => taken, 'REDKEEP_LOCK_LOST');
    const client = await createClient({ url: redis.server.url }).connect();
    client.on('error', () => undefined);
    const errors: unknown[] = [];
    const own = new Locks({ client, timeoutMs: 200, onError: (error) => errors.push(error) });
    assert.equal(await own.using('broken', { ttlMs: 60_000, renew: false }, async () => client.destroy()), undefined);
    assert.equal((errors[0] as { code?: string }).code, 'REDKEEP_STORE_UNAVAILABLE');
  });
});

test('a hundred waiters of one process take one connection, and are served in order', async () => {
  const own = locks();
  const held = await own.acquire('many', { ttlMs: 60_000 });
  const order: number[] = [];
  const waiting = Array.from({ length: 100 }, async (_, i) => {
    const lock = await own.acquire('many', { waitMs: 60_000 });
    order.push(i);
    await lock.release();
  });
  const blockedClients = async () => Number((await redis.server.info('clients'))['blocked_clients']);
  await waitFor(async () => (await blockedClients()) === 1);
  await held.release();
  await Promise.all(waiting);
  assert.deepEqual(
    order,
    [...order].sort((a, b) => a - b),
  );
});

test('waiters for many names take eight connections at most', async () => {
  const own = locks();
  const names = Array.from({ length: 40 }, (_, i) => `name-${i}`);
  const held = await Promise.all(names.map((name) => own.acquire(name, { ttlMs: 60_000 })));
  const waiting = names.map((name) => own.acquire(name, { waitMs: 60_000 }));
  await waitFor(async () => Number((await redis.server.info('clients'))['blocked_clients']) === 8);
  await Promise.all(held.map((lock) => lock.release()));
  for (const lock of await Promise.all(waiting)) await lock.release();
  assert.ok(Number((await redis.server.info('clients'))['blocked_clients']) <= 8);
});

test('a waiter gives up in time and when aborted, and the next is served', async () => {
  const own = locks();
  const held = await own.acquire('line', { ttlMs: 60_000 });
  const controller = new AbortController();
  const [first, second, third] = [
    own.acquire('line', { waitMs: 60_000, signal: controller.signal }),
    own.acquire('line', { waitMs: 50 }),
    own.acquire('line', { waitMs: 60_000 }),
  ];
  await refused(() => second!, 'REDKEEP_LOCK_TIMEOUT');
  controller.abort(new Error('aborted by the test'));
  await assert.rejects(first!, /aborted by the test/);
  await held.release();
  await (await third!).release();
});

test('a token grows beyond all that this process has seen, also when counter and clock are lost', async () => {
  const own = locks();
  const first = await own.acquire('ahead');
  await first.release();
  await redis.server.command('SET', 'lock:{ahead}:fence', String(first.token + 60e6 * 60));
  const second = await own.acquire('ahead');
  await second.release();
  // A failover to a server that has no counter and whose clock is an hour behind the tokens.
  await redis.server.command('DEL', 'lock:{ahead}:fence');
  const third = await own.acquire('ahead');
  assert.ok(third.token > second.token);
  await third.release();
});
