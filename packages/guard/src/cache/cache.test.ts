import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { waitFor } from '@redkeep/testing';
import { refused, testEncryption, useServer } from '../testing/support.js';
import { Cache, type CacheOptions } from './cache.js';

const redis = useServer();
let prefixes = 0;

function caches(options: Partial<CacheOptions> = {}): { here: Cache; elsewhere: Cache; prefix: string } {
  const prefix = options.prefix ?? `c${prefixes++}:`;
  const make = () => new Cache({ client: redis.client, ttlMs: 60_000, timeoutMs: 2000, ...options, prefix });
  return { here: make(), elsewhere: make(), prefix };
}

const generation = async (prefix: string) => String(await redis.server.command('GET', `${prefix}generation`));

function loader<T>(value: T) {
  const load = Object.assign(
    async () => {
      load.calls += 1;
      await new Promise(setImmediate);
      return value;
    },
    { calls: 0 },
  );
  return load;
}

describe('cache', () => {
  test('loads once, for parallel callers of one process and of several', async () => {
    const { here, elsewhere } = caches();
    const load = loader({ name: 'Ana' });
    const all = await Promise.all([here, here, elsewhere, elsewhere, here].map((cache) => cache.get('k', load)));
    assert.deepEqual(all, Array(5).fill({ name: 'Ana' }));
    assert.equal(load.calls, 1);
    assert.deepEqual(await elsewhere.get('k', load), { name: 'Ana' });
    assert.equal(load.calls, 1);
  });

  test('gives each parallel caller a value of its own, whether it is loaded, found or loaded elsewhere', async () => {
    const { here, elsewhere } = caches();
    for (const warm of [false, true]) {
      const load = loader({ name: 'Ana', roles: [] as string[] });
      if (warm) await here.get(`own:${warm}`, load);
      const change = async (cache: typeof here, role: string) => {
        const value = await cache.get(`own:${warm}`, load);
        value.roles.push(role);
        return value.roles;
      };
      const all = await Promise.all([
        change(here, 'admin'),
        change(here, 'guest'),
        change(here, 'owner'),
        change(elsewhere, 'other'),
      ]);
      assert.deepEqual(all, [['admin'], ['guest'], ['owner'], ['other']]);
      assert.equal(load.calls, 1);
    }
    const nothing = await Promise.all([1, 2].map(() => here.get('own:nothing', async () => undefined)));
    assert.deepEqual(nothing, [undefined, undefined]);
    const failed = await Promise.allSettled(
      [1, 2].map(() => here.get('own:failed', () => Promise.reject(new Error('no')))),
    );
    assert.deepEqual(
      failed.map(({ status }) => status),
      ['rejected', 'rejected'],
    );
    await refused(() => here.get('own:no-loader', undefined as never), 'REDKEEP_GUARD_ARGUMENT');
  });

  test('serves the old value while one caller makes the new one', async () => {
    const { here } = caches({ ttlMs: 1, jitter: 0, staleMs: 60_000 });
    await here.get('k', loader('old'));
    await waitFor(() => new Promise<boolean>((resolve) => setTimeout(resolve, 2, true)));
    const load = loader('new');
    assert.equal(await here.get('k', load), 'old');
    await waitFor(async () => (await here.get('k', load)) === 'new');
  });

  test('remembers that there is nothing, for `missingTtlMs`', async () => {
    const remembering = caches({ negativeMs: 60_000 }).here;
    const none = loader(undefined);
    assert.equal(await remembering.get('k', none), undefined);
    assert.equal(await remembering.get('k', none), undefined);
    assert.equal(none.calls, 1);
    const forgetful = caches().here;
    await forgetful.get('k', none);
    await forgetful.get('k', none);
    assert.equal(none.calls, 3);
  });

  test('every value has an expiry, and not all the same', async () => {
    const { here, prefix } = caches({ jitter: 0.5 });
    const ttls = new Set<number>();
    for (let i = 0; i < 10; i++) {
      await here.get(`k${i}`, loader(i));
      ttls.add(Number(await redis.server.command('PTTL', `${prefix}${await generation(prefix)}:{k${i}}`)));
    }
    assert.ok(ttls.size > 5 && Math.min(...ttls) >= 29_000 && Math.max(...ttls) <= 60_000, [...ttls].join());
    await refused(() => caches({ ttlMs: Number.POSITIVE_INFINITY }), 'REDKEEP_KEYSPACE_TTL');
  });

  test('a failed load is not cached and lets the next one try', async () => {
    const { here } = caches();
    await assert.rejects(
      here.get('k', () => Promise.reject(new Error('db down'))),
      /db down/,
    );
    assert.equal(await here.get('k', loader('fine')), 'fine');
  });

  test('clears at once and deletes one by one', async () => {
    const { here } = caches();
    await here.get('a', loader(1));
    await here.clear();
    assert.equal(await here.get('a', loader(2)), 2);
    await here.delete('a');
    assert.equal(await here.get('a', loader(3)), 3);
  });

  test('deletes and sets also what was loaded after a clear that this process has not seen', async () => {
    const { here, elsewhere } = caches();
    await here.get('warm', loader(0));
    await elsewhere.clear();
    await elsewhere.get('deleted', loader('old'));
    await elsewhere.get('set', loader('old'));
    await here.delete('deleted');
    await here.set('set', 'new');
    assert.equal(await elsewhere.get('deleted', loader('new')), 'new');
    assert.equal(await elsewhere.get('set', loader('other')), 'new');
  });

  test('asks the loader when Redis does not answer, within the deadline', async () => {
    const errors: unknown[] = [];
    const { here } = caches({ timeoutMs: 50, onError: (error) => errors.push(error) });
    redis.server.pause();
    try {
      assert.equal(await here.get('k', loader('from source')), 'from source');
      assert.ok(errors.length > 0);
    } finally {
      redis.server.resume();
    }
  });

  test('loads anew, and writes over, what was tampered with', async () => {
    const errors: unknown[] = [];
    const { here, prefix } = caches({ encryption: testEncryption(), onError: (error) => errors.push(error) });
    await here.get('k', loader('good'));
    await redis.server.command(
      'SET',
      `${prefix}${await generation(prefix)}:{k}`,
      '{"v":"forged","f":99999999999999}',
      'PX',
      '60000',
    );
    assert.equal(await here.get('k', loader('new')), 'new');
    assert.equal(errors.length, 1);
    assert.equal(await here.get('k', loader('newer')), 'new');
  });

  test('refuses a prefix that is a pattern or decides the slot', async () => {
    for (const prefix of ['', 'a*', '{a}:', 'a b', 'x'.repeat(129)])
      await refused(() => caches({ prefix }), 'REDKEEP_GUARD_OPTION');
  });

  test('seals values with `encryption`, and returns but does not keep those that are too large', async () => {
    const errors: unknown[] = [];
    const { here, prefix } = caches({ encryption: testEncryption(), maxBytes: 200, onError: (e) => errors.push(e) });
    await here.get('k', loader('recognisable'));
    assert.ok(
      !String(await redis.server.command('GET', `${prefix}${await generation(prefix)}:{k}`)).includes('recognisable'),
    );
    assert.equal(await here.get('k', loader('other')), 'recognisable');
    const large = 'x'.repeat(1000);
    assert.equal(await here.get('large', loader(large)), large);
    assert.equal(errors.length, 1);
  });

  test('a load that was running does not bring back what was deleted, set or cleared meanwhile', async () => {
    for (const change of ['delete', 'set', 'clear'] as const) {
      for (const other of [true, false]) {
        const { here, elsewhere } = caches();
        let finish: (value: string) => void = () => undefined;
        const slow = here.get('k', () => new Promise<string>((resolve) => (finish = resolve)));
        await waitFor(async () => (await redis.server.command('KEYS', '*:load')) !== undefined && finish.length === 1);
        const changing = other ? elsewhere : here;
        if (change === 'set') await changing.set('k', 'new');
        else if (change === 'delete') await changing.delete('k');
        else await changing.clear();
        finish('old');
        assert.equal(await slow, 'old');
        assert.equal(await changing.get('k', loader('new')), 'new', `${change} ${other}`);
      }
    }
  });

  test('a loader that took too long does not overwrite a newer value', async () => {
    const { here, elsewhere } = caches({ loadMs: 20 });
    let finish: (value: string) => void = () => undefined;
    const slow = here.get('k', () => new Promise<string>((resolve) => (finish = resolve)));
    assert.equal(await elsewhere.get('k', loader('newer')), 'newer');
    finish('older');
    await slow;
    assert.equal(await elsewhere.get('k', loader('never asked')), 'newer');
  });

  test('a loader slower than loadMs is cached, by the process that loads and by one that no longer waited', async () => {
    // Long enough that a stalled machine does not miss a renewal.
    const { here, elsewhere } = caches({ loadMs: 1000 });
    const slow = async () => {
      await new Promise((resolve) => setTimeout(resolve, 1400));
      return 'slow';
    };
    const loads = [here.get('alone', slow), here.get('both', slow)];
    await here.get('both is being loaded', loader(1));
    assert.equal(await elsewhere.get('both', loader('quick')), 'quick');
    assert.equal(await elsewhere.get('both', loader('never asked')), 'quick');
    assert.deepEqual(await Promise.all(loads), ['slow', 'slow']);
    assert.equal(await elsewhere.get('alone', loader('never asked')), 'slow');
    assert.equal(await elsewhere.get('both', loader('never asked')), 'quick');
  });

  test('a slow load stores nothing after a delete, and a failed one does not end that of another', async () => {
    const { here, elsewhere } = caches({ loadMs: 500 });
    let finish: (value: string) => void = () => undefined;
    const started = () => new Promise<string>((resolve) => (finish = resolve));
    const first = here.get('deleted', started);
    await assert.rejects(
      elsewhere.get('deleted', () => Promise.reject(new Error('db down'))),
      /db down/,
    );
    await here.delete('deleted');
    finish('old');
    await first;
    assert.equal(await here.get('deleted', loader('new')), 'new');
    const second = here.get('kept', started);
    await assert.rejects(
      elsewhere.get('kept', () => Promise.reject(new Error('db down'))),
      /db down/,
    );
    finish('slow');
    await second;
    assert.equal(await elsewhere.get('kept', loader('never asked')), 'slow');
  });

  test('the right to store is renewed for twelve times loadMs, and not beyond', async (t) => {
    const { here, prefix } = caches({ loadMs: 60_000 });
    let renew: (() => void) | undefined;
    let ended = false;
    const timer = { unref: () => timer };
    t.mock.method(globalThis, 'setInterval', (run: () => void) => {
      renew = run;
      return timer;
    });
    t.mock.method(globalThis, 'clearInterval', (cleared: unknown) => {
      if (cleared === timer) ended = true;
    });
    let finish: ((value: string) => void) | undefined;
    const slow = here.get('k', () => new Promise<string>((resolve) => (finish = resolve)));
    await waitFor(() => finish !== undefined);
    const ticket = `${prefix}${await generation(prefix)}:{k}:load`;
    // Three to a ticket: 33 times 20 s and then the minute of the last.
    for (let renewals = 1; renewals <= 33; renewals++) {
      assert.equal(ended, false, `${renewals}`);
      await redis.server.command('PEXPIRE', ticket, '30000');
      renew!();
      await waitFor(async () => Number(await redis.server.command('PTTL', ticket)) > 30_000);
    }
    assert.equal(ended, true);
    // Its process gone, or the time over: nothing renews it.
    await redis.server.command('PEXPIRE', ticket, '1');
    await waitFor(async () => (await redis.server.command('EXISTS', ticket)) === 0);
    finish!('too late');
    assert.equal(await slow, 'too late');
    assert.equal(await here.get('k', loader('newer')), 'newer');
  });

  test('a lost generation revives nothing that was cleared', async () => {
    const { here, prefix } = caches();
    const forget = () => redis.server.command('DEL', `${prefix}generation`);
    await here.get('k', loader('cleared'));
    await forget();
    await here.clear();
    await forget();
    const { elsewhere } = caches({ prefix });
    assert.equal(await elsewhere.get('k', loader('new')), 'new');
  });

  test('what another program stored is as good as nothing, and null is a value', async () => {
    const { here, prefix } = caches();
    await here.get('k', loader(1));
    for (const stored of ['null', '1', '"text"', '[]', '{}']) {
      await redis.server.command('SET', `${prefix}${await generation(prefix)}:{k}`, stored, 'PX', '60000');
      assert.equal(await here.get('k', loader('loaded')), 'loaded', stored);
    }
    const none = loader(null);
    assert.deepEqual([await here.get('n', none), await here.get('n', none), none.calls], [null, null, 1]);
  });

  test('a Date is a text on the first call, as on every other', async () => {
    const { here } = caches();
    const made = async () => ({ at: new Date(0) }) as unknown;
    assert.deepEqual(await here.get('d', made), { at: '1970-01-01T00:00:00.000Z' });
    assert.deepEqual(await here.get('d', made), { at: '1970-01-01T00:00:00.000Z' });
  });
});
