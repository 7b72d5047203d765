import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keyA, keyB, refused, useServer } from '../testing/support.js';
import { LoginThrottle, type LoginThrottleOptions } from './login-throttle.js';

const redis = useServer();
let prefixes = 0;
const open = (options: Partial<LoginThrottleOptions> = {}) =>
  new LoginThrottle({ client: redis.client, key: keyA, prefix: `login${prefixes++}:`, ...options });

/** Attempts with a wrong password until one is refused; how many passed. */
async function guess(throttle: LoginThrottle, source: { account: string; address: string; device?: string }) {
  for (let passed = 0; ; passed++) {
    const attempt = await throttle.begin(source);
    if (!attempt.allowed) return { passed, waitMs: attempt.retryAfterMs };
  }
}

describe('login throttle', () => {
  test('slows down guessing on one account, whatever addresses it comes from', async () => {
    const throttle = open();
    let passed = 0;
    for (let i = 0; i < 40; i++) {
      const { allowed } = await throttle.begin({ account: 'ana', address: `192.0.2.${i}` });
      if (allowed) passed += 1;
    }
    assert.equal(passed, 5);
    assert.equal((await throttle.begin({ account: 'leo', address: '192.0.2.1' })).allowed, true);
  });

  test('counts an attempt before its password is checked, so that parallel ones do not all pass', async () => {
    const throttle = open();
    const all = await Promise.all(
      Array.from({ length: 50 }, () => throttle.begin({ account: 'par', address: '192.0.2.101' })),
    );
    assert.equal(all.filter(({ allowed }) => allowed).length, 5);
  });

  test('does not lock out the owner on a device that has logged in before', async () => {
    const throttle = open();
    const first = await throttle.begin({ account: 'owner', address: '198.51.100.1' });
    const device = await first.succeeded();
    await guess(throttle, { account: 'owner', address: '192.0.2.1' });
    const again = await throttle.begin({ account: 'owner', address: '198.51.100.1', device });
    assert.deepEqual([again.allowed, again.knownDevice], [true, true]);
    await again.succeeded();
    // And the owner's logins give the attacker no new attempts.
    assert.equal((await throttle.begin({ account: 'owner', address: '192.0.2.2' })).allowed, false);
  });

  test('gives a device token no power over another account, or after a change, or after its time', async (t) => {
    const throttle = open({ deviceMaxAgeMs: 60_000 });
    const device = await (await throttle.begin({ account: 'mallory', address: '192.0.2.102' })).succeeded();
    await guess(throttle, { account: 'victim', address: '192.0.2.103' });
    for (const token of [device, `${device}x`, device.replace(/^./, (c) => (c === 'A' ? 'B' : 'A')), '', 'a.b.c'])
      assert.equal((await throttle.begin({ account: 'victim', address: '192.0.2.104', device: token })).allowed, false);
    assert.equal(
      (await open({ key: keyB }).begin({ account: 'mallory', address: '192.0.2.102', device })).knownDevice,
      false,
    );
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 61_000 });
    assert.equal((await throttle.begin({ account: 'mallory', address: '192.0.2.102', device })).knownDevice, false);
  });

  test('stops one address that tries many accounts', async () => {
    const throttle = open({ address: { free: 10 } });
    let passed = 0;
    for (let i = 0; i < 30; i++)
      if ((await throttle.begin({ account: `user-${i}`, address: '192.0.2.9' })).allowed) passed += 1;
    assert.equal(passed, 10);
  });

  test('counts an address by what it is, however it is written, and an IPv6 one by its /64', async () => {
    const v4 = [
      ...['192.0.2.7', '::ffff:192.0.2.7', '::ffff:c000:207', '192.0.2.7:4711', ' 192.0.2.7', '192.000.002.007'],
      ...['[::ffff:192.0.2.7]:1', '[::ffff:c000:207]', '192.0.2.7\t', '::ffff:192.0.2.7%eth0', '192.0.2.007:65535'],
    ];
    const v6 = Array.from({ length: 9 }, (_, i) => `2001:db8:1:2::${i + 1}`);
    for (const addresses of [v4, v6]) {
      const throttle = open({ address: { free: 3 } });
      let passed = 0;
      for (let i = 0; i < 18; i++) {
        const attempt = await throttle.begin({ account: `user-${i}`, address: addresses[i % addresses.length]! });
        if (attempt.allowed) passed += 1;
      }
      assert.equal(passed, 3);
    }
  });

  test('waits longer after each further failure, up to the longest, and forgets on success', async () => {
    const throttle = open({ account: { free: 1, baseMs: 40, maxMs: 100 } });
    const source = { account: 'slow', address: '192.0.2.101' };
    const waits: number[] = [];
    for (let i = 0; i < 4; i++) {
      const { waitMs } = await guess(throttle, source);
      waits.push(waitMs);
      await new Promise((resolve) => setTimeout(resolve, waitMs + 1));
    }
    assert.ok(waits[0]! <= 40 && waits[1]! > 40 && waits[1]! <= 80 && waits[2]! > 60 && waits[3]! <= 100, waits.join());
    const right = await throttle.begin(source);
    assert.equal(right.allowed, true);
    await right.succeeded();
    assert.equal((await throttle.begin(source)).allowed, true);
  });

  test('refuses while Redis is away, and what is not an account is an error', async () => {
    const throttle = open({ timeoutMs: 50 });
    redis.server.pause();
    try {
      const attempt = await throttle.begin({ account: 'ana', address: '192.0.2.101' });
      assert.equal(attempt.allowed, false);
      await refused(() => attempt.succeeded(), 'REDKEEP_GUARD_ARGUMENT');
    } finally {
      redis.server.resume();
    }
    for (const account of ['', ['ana'], undefined, {}])
      await refused(
        () => open().begin({ account: account as string, address: '192.0.2.101' }),
        'REDKEEP_GUARD_ARGUMENT',
      );
    for (const address of ['unknown', '192.0.2', '192.0.2.256', '192.0.2.7, 10.0.0.1', '2001:db8::g', ' ', 'a:1', '-'])
      await refused(() => open().begin({ account: 'ana', address }), 'REDKEEP_GUARD_ARGUMENT');
  });

  test('keeps neither account nor address in clear', async () => {
    await open().begin({ account: 'recognisable@example.com', address: '203.0.113.77' });
    const keys = String(await redis.server.command('KEYS', '*'));
    assert.ok(!keys.includes('recognisable') && !keys.includes('203.0.113'));
  });
});
