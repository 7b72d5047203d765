import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { createClient } from 'redkeep';
import { refused, useServer } from '../support.test.util.js';
import { Locks } from './locks.js';

const redis = useServer();
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
  });
});
