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

  test('an answer that comes when the lock has run out is no lock', async () => {
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

  test('are renewed while held, and tell their holder before they can pass to another', async () => {
    const held = await locks().acquire('d', { ttlMs: 300 });
    const contender = locks().acquire('d', { waitMs: 500 });
    await refused(() => contender, 'REDKEEP_LOCK_TIMEOUT');
    assert.equal(held.signal.aborted, false);
    const lost = once(held.signal, 'abort');
    await redis.server.command('SET', 'lock:{d}', 'taken over');
    await lost;
    assert.equal(held.signal.reason.code, 'REDKEEP_LOCK_LOST');
  });

  test('a holder that lost its lock while Redis was away is told in time', async () => {
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
      await refused(() => locks().acquire('i', { ttlMs }), 'REDKEEP_GUARD_OPTION');
    for (const name of ['', 'a}b']) await refused(() => locks().acquire(name), 'REDKEEP_GUARD_OPTION');
    const held = await locks().acquire('i');
    for (const key of ['', 'a}', 'a{}b']) await refused(() => held.guardedSet(key, 'x', 1000), 'REDKEEP_GUARD_OPTION');
    await held.release();
  });
});
