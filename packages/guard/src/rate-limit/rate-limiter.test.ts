import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { waitFor } from '@redkeep/testing';
import { createClient } from 'redkeep';
import { refused, useServer } from '../testing/support.js';
import { rateLimitHeaders } from './headers.js';
import type { Limit } from './limit.js';
import { LocalLimiter } from './local-limiter.js';
import { RateLimiter, type RateLimiterOptions } from './rate-limiter.js';

const redis = useServer();
const hour = 3_600_000;

function limiter(limits: Limit[], options: Partial<RateLimiterOptions> = {}): RateLimiter {
  return new RateLimiter({ client: redis.client, limits, timeoutMs: 2000, ...options });
}

describe('GCRA', () => {
  test('lets a burst pass and not one more, with the time until the next', async () => {
    const l = limiter([{ name: 'burst', limit: 5, periodMs: hour }]);
    for (const remaining of [4, 3, 2, 1, 0]) {
      const decision = await l.check('a');
      assert.deepEqual([decision.allowed, decision.remaining], [true, remaining]);
    }
    const refusal = await l.check('a');
    assert.deepEqual([refusal.allowed, refusal.remaining, refusal.source], [false, 0, 'redis']);
    assert.ok(refusal.retryAfterMs > hour / 5 - 60_000 && refusal.retryAfterMs <= hour / 5);
    assert.equal((await l.check('b')).allowed, true);
  });

  test('parallel checks from many callers allow exactly the limit', async () => {
    const l = limiter([{ name: 'parallel', limit: 10, periodMs: hour }]);
    const other = limiter([{ name: 'parallel', limit: 10, periodMs: hour }]);
    const decisions = await Promise.all(Array.from({ length: 50 }, (_, i) => (i % 2 ? l : other).check('p')));
    assert.equal(decisions.filter(({ allowed }) => allowed).length, 10);
  });

  test('opens again as time passes on the server', async () => {
    const l = limiter([{ name: 'refill', limit: 1, periodMs: 30 }]);
    assert.equal((await l.check('r')).allowed, true);
    const until = performance.now() + 10_000;
    while (!(await l.check('r')).allowed) assert.ok(performance.now() < until);
  });

  test('costs, peeks, penalties, rewards, blocks and resets', async () => {
    const l = limiter([{ name: 'units', limit: 10, periodMs: hour }]);
    assert.equal((await l.check('u', 4)).remaining, 6);
    assert.equal((await l.peek('u')).remaining, 6);
    assert.equal((await l.check('u', 7)).allowed, false);
    assert.equal((await l.check('u', 11)).retryAfterMs, Number.POSITIVE_INFINITY);
    await l.penalize('u', 5);
    assert.equal((await l.peek('u')).remaining, 1);
    await l.reward('u', 3);
    assert.equal((await l.peek('u')).remaining, 4);
    await l.block('u', hour);
    const blocked = await l.check('u');
    assert.deepEqual([blocked.allowed, blocked.blocked], [false, true]);
    assert.ok(blocked.retryAfterMs > hour - 60_000);
    await l.unblock('u');
    await l.reset('u');
    assert.equal((await l.peek('u')).remaining, 10);
  });
});

describe('a block', () => {
  const kinds: [string, Limit[]][] = [
    ['GCRA', [{ name: 'block-g', limit: 10, periodMs: hour }]],
    ['a sliding window', [{ name: 'block-w', limit: 10, periodMs: hour, algorithm: 'sliding-window' }]],
    [
      'several limits',
      [
        { name: 'block-a', limit: 10, periodMs: hour },
        { name: 'block-b', limit: 10, periodMs: hour, algorithm: 'sliding-window' },
      ],
    ],
  ];
  for (const [kind, limits] of kinds) {
    test(`with ${kind} holds, survives charges, runs out, and leaves what was used`, async () => {
      const l = limiter(limits);
      assert.equal((await l.check('b', 4)).remaining, 6);
      await l.block('b', hour);
      for (const decision of [await l.check('b'), await l.peek('b')]) {
        assert.deepEqual([decision.allowed, decision.blocked, decision.remaining], [false, true, 6]);
        assert.ok(decision.retryAfterMs > hour - 60_000 && decision.retryAfterMs <= hour);
      }
      await l.penalize('b', 2);
      assert.equal((await l.check('b')).blocked, true, 'a charge ended the block');
      await l.unblock('b');
      assert.equal((await l.check('b')).remaining, 3);
      await l.block('b', 30);
      const until = performance.now() + 10_000;
      while (!(await l.check('b')).allowed) assert.ok(performance.now() < until);
      await l.block('fresh', 30);
      assert.equal((await l.check('fresh')).blocked, true);
      for (const key of (await redis.server.command('KEYS', 'limit:*block-*')) as string[])
        assert.notEqual(await redis.server.command('PTTL', key), -1, key);
      for (const ms of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
        await refused(() => l.block('b', ms), 'REDKEEP_GUARD_ARGUMENT');
    });
  }
});

test('the short way for one GCRA limit and the general one decide alike', async () => {
  const one: Limit = { name: 'alike', limit: 7, periodMs: hour, burst: 3 };
  const [short, general] = [
    limiter([one], { prefix: 'short:' }),
    limiter([one, { name: 'wide', limit: 1000, periodMs: hour }], { prefix: 'general:' }),
  ];
  for (const cost of [1, 0.5, 1, 4, 2, 1, 1]) {
    const [a, b] = [await short.check('x', cost), await general.check('x', cost)];
    assert.deepEqual(
      [a.allowed, a.remaining],
      [b.allowed, b.allowed ? Math.min(b.remaining, a.remaining) : b.remaining],
    );
    if (!a.allowed && Number.isFinite(a.retryAfterMs)) assert.ok(Math.abs(a.retryAfterMs - b.retryAfterMs) < 60_000);
    else assert.equal(a.retryAfterMs, b.retryAfterMs);
    assert.ok(Math.abs(a.resetMs - b.resetMs) < 60_000 || b.limit.name === 'wide');
  }
});

describe('sliding window', () => {
  test('allows the limit and not one more', async () => {
    const l = limiter([{ name: 'window', limit: 5, periodMs: hour, algorithm: 'sliding-window' }]);
    const decisions = await Promise.all(Array.from({ length: 9 }, () => l.check('w')));
    assert.equal(decisions.filter(({ allowed }) => allowed).length, 5);
    const refusal = await l.check('w');
    assert.ok(refusal.retryAfterMs > 0 && refusal.retryAfterMs <= 2 * hour);
    await l.reset('w');
    assert.equal((await l.check('w')).allowed, true);
  });

  test('does not open fully at the border of two windows', async () => {
    const l = limiter([{ name: 'border', limit: 100, periodMs: hour, algorithm: 'sliding-window' }]);
    await l.check('x');
    const key = String(await redis.server.command('KEYS', 'limit:*border*'));
    const window = Number(await redis.server.command('HGET', key, 'w'));
    await redis.server.command('HSET', key, 'w', String(window - 1), 'c', '100');
    const [seconds] = (await redis.server.command('TIME')) as string[];
    const share = 1 - ((Number(seconds) * 1000) % hour) / hour;
    const { remaining } = await l.peek('x');
    assert.ok(Math.abs(remaining - (100 - 100 * share)) <= 1.5, `${remaining} at share ${share}`);
  });
});

describe('several limits', () => {
  test('hold together, all or nothing, in one round trip', async () => {
    const l = limiter([
      { name: 'second', limit: 3, periodMs: hour },
      { name: 'day', limit: 4, periodMs: hour, algorithm: 'sliding-window' },
    ]);
    for (let i = 0; i < 3; i++) assert.equal((await l.check('m')).allowed, true);
    assert.equal((await l.check('m')).limit.name, 'second');
    const only = limiter([{ name: 'day', limit: 4, periodMs: hour, algorithm: 'sliding-window' }]);
    assert.equal((await only.peek('m')).remaining, 1, 'the refused check was charged');
    const calls = async () =>
      Number((await redis.server.info('commandstats'))['cmdstat_evalsha']?.match(/calls=(\d+)/)?.[1]);
    const before = await calls();
    await l.check('n');
    assert.equal((await calls()) - before, 1);
  });
});

const bound = (limits: RateLimiter) => ({
  check: limits.check.bind(limits),
  penalize: limits.penalize.bind(limits),
  reward: limits.reward.bind(limits),
  reset: limits.reset.bind(limits),
});

describe('when Redis is slow or away', () => {
  const limits: Limit[] = [{ name: 'outage', limit: 2, periodMs: hour }];

  test('the limit goes on in this process, denies, or opens: as chosen, and within the deadline', async () => {
    const errors: unknown[] = [];
    const options = { timeoutMs: 50, onError: (error: unknown) => errors.push(error) };
    const local = limiter(limits, options);
    const deny = limiter(limits, { ...options, onStoreError: 'deny' });
    const allow = limiter(limits, { ...options, onStoreError: 'allow' });
    redis.server.pause();
    try {
      const decisions = [await local.check('o'), await local.check('o'), await local.check('o')];
      assert.deepEqual(
        decisions.map(({ allowed, source }) => `${source} ${allowed}`),
        ['local true', 'local true', 'local false'],
      );
      assert.equal((await deny.check('o')).allowed, false);
      assert.equal((await allow.check('o')).allowed, true);
      // What is used up here is refused at once: Redis could not allow it.
      assert.equal(errors.length, 4);
      await refused(() => local.penalize('o', 1), 'REDKEEP_STORE_UNAVAILABLE');
      // A block that could not be written to Redis holds here, and so does one that was.
      await refused(() => local.block('z', hour), 'REDKEEP_STORE_UNAVAILABLE');
      assert.equal((await local.check('z')).blocked, true);
      const peeked = [await local.peek('fresh'), await local.peek('fresh')];
      assert.deepEqual(
        peeked.map(({ remaining }) => remaining),
        [2, 2],
      );
    } finally {
      redis.server.resume();
    }
  });

  for (const algorithm of ['gcra', 'sliding-window'] as const)
    test(`an outage gives no second allowance, nor does its end: ${algorithm}`, async () => {
      const options = { timeoutMs: 300, onError: () => undefined };
      const rules: Limit[] = [
        { name: `twice-${algorithm}`, limit: 5, periodMs: hour, algorithm },
        { name: `daily-${algorithm}`, limit: 500, periodMs: 24 * hour },
      ];
      for (const given of [rules, rules.slice(0, 1)]) {
        const { check, penalize, reward, reset } = bound(limiter(given, options));
        let passed = 0;
        const ask = async (id: string, times: number) => {
          for (let i = 0; i < times; i++) if ((await check(id)).allowed) passed += 1;
          return passed;
        };
        assert.equal(await ask(`up-${given.length}`, 3), 3);
        await penalize(`bad-${given.length}`, 5);
        await penalize(`good-${given.length}`, 5);
        await reward(`good-${given.length}`, 5);
        for (let outage = 0; outage < 2; outage++) {
          redis.server.pause();
          try {
            assert.equal(await ask(`up-${given.length}`, 4), 5, 'what Redis had counted counts on');
            assert.equal((await check(`bad-${given.length}`)).allowed, false);
            assert.equal((await check(`good-${given.length}`)).allowed, true);
            assert.equal((await check(`new-${given.length}-${outage}`)).source, 'local');
          } finally {
            redis.server.resume();
          }
          await waitFor(async () => (await check(`probe-${outage}`)).source === 'redis');
          assert.equal(await ask(`up-${given.length}`, 4), 5, 'and what was let through meanwhile counts on');
        }
        await reset(`up-${given.length}`);
        assert.equal(await ask(`up-${given.length}`, 6), 10);
      }
    });

  test('a flood of identities cannot make the local limiter forget one that is used up', () => {
    let now = 0;
    const local = new LocalLimiter([{ name: 'l', limit: 1, periodMs: 1000 }], 3, () => now);
    assert.equal(local.check('victim', 1).allowed, true);
    for (let i = 0; i < 100; i++) local.check(`flood-${i}`, 1);
    assert.equal(local.check('victim', 1).allowed, false);
    now = 1000;
    assert.equal(local.check('new', 1).allowed, true);
  });
});

test('the fastest limit still counts every unit', async () => {
  const l = limiter([{ name: 'fast', limit: 1_000_000, periodMs: 1000, burst: 50 }]);
  const decisions = await Promise.all(Array.from({ length: 500 }, () => l.check('f')));
  assert.ok(decisions.every(({ source }) => source === 'redis'));
  const odd = limiter([{ name: 'odd', limit: 700, periodMs: 3_600_000 }]);
  for (let i = 1; i <= 700; i++) assert.equal((await odd.check('o')).allowed, true, `unit ${i}`);
  assert.equal((await odd.check('o')).allowed, false);
});

test('a server that has lost the script counts a check once', async () => {
  const l = limiter([{ name: 'lost', limit: 10, periodMs: hour }]);
  await redis.server.command('SCRIPT', 'FLUSH');
  assert.equal((await l.check('s')).remaining, 9);
  await redis.server.command('SCRIPT', 'FLUSH');
  const decisions = await Promise.all([l.check('s'), l.check('s'), l.check('s')]);
  assert.deepEqual(decisions.map(({ remaining }) => remaining).sort(), [6, 7, 8]);
});

test('a check is one round trip', async () => {
  const l = limiter([{ name: 'trip', limit: 5, periodMs: hour }]);
  await l.check('warm');
  const calls = async () => Number((await redis.server.info('stats'))['total_commands_processed']);
  const before = await calls();
  const idle = (await calls()) - before;
  const start = await calls();
  await l.check('trip');
  // The commands inside the script count, too: TIME, GET, SET.
  assert.equal((await calls()) - start - idle, 4);
});

test('Redis sees no identity', async () => {
  await limiter([{ name: 'private', limit: 1, periodMs: hour }]).check('ana@example.com');
  assert.ok(!String(await redis.server.command('KEYS', '*')).includes('ana'));
});

test('headers follow the IETF draft, with Retry-After when refused', async () => {
  const limits: Limit[] = [{ name: 'api', limit: 1, periodMs: 60_000 }];
  const l = limiter(limits);
  const first = rateLimitHeaders(await l.check('h'), limits);
  assert.equal(first['RateLimit-Policy'], '"api";q=1;w=60');
  assert.match(first['RateLimit']!, /^"api";r=0;t=60$/);
  assert.equal(first['Retry-After'], undefined);
  assert.match(rateLimitHeaders(await l.check('h'), limits)['Retry-After']!, /^(59|60)$/);
});

test('senseless options and costs are refused', async () => {
  for (const limit of [{ limit: 0 }, { periodMs: 0 }, { name: 'a b' }, { burst: 0 }, { limit: 1001 }])
    await refused(() => limiter([{ name: 'x', limit: 1, periodMs: 1, ...limit }]), 'REDKEEP_GUARD_OPTION');
  const l = limiter([{ name: 'x', limit: 1, periodMs: 1 }]);
  for (const cost of [0, -1, Number.NaN]) await refused(async () => l.check('x', cost), 'REDKEEP_GUARD_ARGUMENT');
});

describe('what a limiter promises beside other limiters', () => {
  const open = (options: Partial<ConstructorParameters<typeof RateLimiter>[0]>) =>
    new RateLimiter({ client: redis.client, timeoutMs: 5000, limits: [], ...options });

  test('two rules of one name, and two algorithms, do not share a count', async () => {
    const api = open({ limits: [{ name: 'shared', limit: 1000, periodMs: 60_000 }] });
    const login = open({ limits: [{ name: 'shared', limit: 5, periodMs: 60_000 }] });
    for (let i = 0; i < 600; i++) assert.equal((await api.check('ana')).allowed, true);
    assert.equal((await login.check('ana')).allowed, true);
    const sliding = open({ limits: [{ name: 'shared', limit: 5, periodMs: 60_000, algorithm: 'sliding-window' }] });
    assert.deepEqual([(await sliding.check('ana')).allowed, (await sliding.check('ana')).source], [true, 'redis']);
  });

  test('a server whose clock is behind after a failover makes nobody wait longer', async () => {
    for (const algorithm of ['gcra', 'sliding-window'] as const) {
      const l = open({ limits: [{ name: `behind-${algorithm}`, limit: 2, periodMs: 60_000, algorithm }] });
      await l.check('x');
      await l.check('x');
      await l.block('y', 60_000);
      const before = await l.check('x');
      assert.equal(before.allowed, false);
      // What a server ten minutes ahead would have written.
      for (const key of (await redis.server.command('KEYS', `limit:*behind-${algorithm}*`)) as string[]) {
        if (algorithm === 'gcra') {
          const [full, at, block] = String(await redis.server.command('GET', key)).split(' ');
          const ahead = [full, Number(at) + 600e6, block].filter((part) => part !== undefined).join(' ');
          await redis.server.command('SET', key, ahead, 'PX', '700000');
        } else {
          const [w, a] = (await redis.server.command('HMGET', key, 'w', 'a')) as (string | null)[];
          if (w !== null) await redis.server.command('HSET', key, 'w', String(Number(w) + 10));
          if (a !== null) await redis.server.command('HSET', key, 'a', String(Number(a) + 600e6));
        }
      }
      const after = await l.check('x');
      assert.equal(after.allowed, false);
      assert.ok(after.retryAfterMs <= 120_000, `${algorithm}: ${after.retryAfterMs} ms`);
      assert.ok((await l.check('x')).retryAfterMs <= after.retryAfterMs, 'time goes on by the new clock');
      const blocked = await l.check('y');
      assert.ok(blocked.blocked && blocked.retryAfterMs <= 60_000, `${blocked.retryAfterMs} ms`);
    }
  });

  test('this process alone decides as Redis does, with any cost and several limits', async () => {
    const limits = [
      { name: 'parity-a', limit: 6, periodMs: 3_600_000 },
      { name: 'parity-b', limit: 4, periodMs: 3_600_000, burst: 2 },
    ];
    const shared = open({ limits });
    const alone = new LocalLimiter(limits, 100);
    for (const cost of [2, 1, 3, 1, 2, 1, 1]) {
      const [one, other] = [await shared.check('p', cost), alone.check('p', cost)];
      assert.deepEqual([other.allowed, other.remaining], [one.allowed, one.remaining], `cost ${cost}`);
    }
  });

  test('what is not an identity is an error, not a request that passes', async () => {
    const l = open({ limits: [{ name: 'id', limit: 1, periodMs: 1000 }] });
    for (const identity of [['ana'], undefined, null, 1, {}, '', 'x'.repeat(5000)])
      await refused(() => l.check(identity as string), 'REDKEEP_GUARD_ARGUMENT');
  });

  test('a lacking permission and a foreign key are errors, whatever the policy for outages', async () => {
    await redis.server.command('ACL', 'SETUSER', 'limited', 'on', '>secret', '~*', '+@connection');
    const client = await createClient({ url: redis.server.url, username: 'limited', password: 'secret' }).connect();
    try {
      for (const onStoreError of ['local', 'allow', 'deny'] as const) {
        const l = open({ client, onStoreError, limits: [{ name: 'perm', limit: 1, periodMs: 1000 }] });
        await refused(() => l.check('x'), 'REDKEEP_STORE_DENIED');
      }
    } finally {
      client.destroy();
    }
    const l = open({ onStoreError: 'allow', limits: [{ name: 'foreign', limit: 1, periodMs: 60_000 }] });
    await l.check('x');
    const [key] = (await redis.server.command('KEYS', 'limit:*foreign*')) as string[];
    await redis.server.command('DEL', key!);
    await redis.server.command('SADD', key!, 'x');
    await refused(() => l.check('x'), 'REDKEEP_STORE_REFUSED');
  });
});
