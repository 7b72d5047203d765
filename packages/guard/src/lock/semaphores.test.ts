import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { waitFor } from '@redkeep/testing';
import { refused, useServer } from '../testing/support.js';
import { LeaderElection } from './leader-election.js';
import { Locks } from './locks.js';
import { Semaphores } from './semaphores.js';

const redis = useServer();
const open = () => new Semaphores({ client: redis.client });

describe('semaphores', () => {
  test('let so many in and no more, and the next when one leaves', async () => {
    const permits = await Promise.all([1, 2, 3].map(() => open().acquire('a', { places: 3 })));
    await refused(() => open().acquire('a', { places: 3 }), 'REDKEEP_LOCK_TIMEOUT');
    assert.equal(await open().count('a'), 3);
    const waiting = open().acquire('a', { places: 3, waitMs: 20_000 });
    assert.equal(await permits[0]!.release(), true);
    assert.equal(await permits[0]!.release(), false);
    const next = await waiting;
    for (const permit of [next, permits[1]!, permits[2]!]) assert.equal(await permit.release(), true);
    assert.equal(await open().count('a'), 0);
  });

  test('many at a time never exceed the places', async () => {
    let inside = 0;
    let most = 0;
    const work = async () => {
      const permit = await open().acquire('busy', { places: 4, waitMs: 60_000 });
      most = Math.max(most, ++inside);
      await new Promise(setImmediate);
      inside -= 1;
      await permit.release();
    };
    await Promise.all(Array.from({ length: 24 }, work));
    assert.ok(most <= 4, String(most));
  });

  test('free the place of a holder that is gone, and abort the signal of one that lost it', async () => {
    const gone = await open().acquire('b', { places: 1, ttlMs: 300 });
    const lost = once(gone.signal, 'abort');
    await redis.server.command('DEL', 'sem:{b}');
    const next = await open().acquire('b', { places: 1, ttlMs: 60_000 });
    await lost;
    assert.deepEqual([gone.isHeld, await gone.release(), next.isHeld], [false, false, true]);
    await next.release();
    for (const places of [0, 1.5, 20_000])
      await refused(() => open().acquire('c', { places }), 'REDKEEP_GUARD_ARGUMENT');
  });

  test('abort the signal of their holder before the place can pass on, also while a renewal waits for Redis', async () => {
    const ttlMs = 1000;
    const asked = performance.now();
    const permit = await open().acquire('silent', { places: 1, ttlMs });
    redis.server.pause();
    let heldWhenRedisForgot: boolean | undefined;
    try {
      const forgets = new Promise((resolve) => setTimeout(resolve, ttlMs)).then(() => {
        heldWhenRedisForgot = !permit.signal.aborted;
      });
      await once(permit.signal, 'abort');
      await forgets;
    } finally {
      redis.server.resume();
    }
    assert.ok(performance.now() - asked >= ttlMs);
    assert.equal(heldWhenRedisForgot, false);
  });

  test('a process that was blocked past the life holds nothing, whatever it had', async () => {
    const permit = await open().acquire('blocked', { places: 1, ttlMs: 100 });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 120);
    assert.equal(permit.isHeld, false);
    assert.equal(permit.signal.aborted, true);
  });
});

test('one leader at a time: the next is elected when it resigns, fails or the campaign ends', async () => {
  const stopping = new AbortController();
  const errors: unknown[] = [];
  let leading = 0;
  let together = 0;
  const tokens: number[] = [];
  const elections = [1, 2, 3].map(
    () =>
      new LeaderElection({
        locks: new Locks({ client: redis.client }),
        name: 'scheduler',
        onError: (error) => errors.push(error),
      }),
  );
  const campaigns = elections.map((election) =>
    election.campaign(
      async (lock) => {
        together = Math.max(together, ++leading);
        assert.equal(election.isLeader, true);
        tokens.push(lock.token);
        await new Promise(setImmediate);
        leading -= 1;
        if (tokens.length === 2) throw new Error('failed as a leader');
        if (tokens.length > 5) stopping.abort();
      },
      { signal: stopping.signal },
    ),
  );
  await Promise.all(campaigns);
  assert.equal(together, 1);
  assert.deepEqual(
    tokens,
    [...tokens].sort((a, b) => a - b),
  );
  assert.match(String(errors[0]), /failed as a leader/);
  await waitFor(() => elections.every(({ isLeader }) => !isLeader));
});
