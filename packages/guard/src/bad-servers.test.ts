/** What each guard does with a server that is full, or takes no writes. Sessions have tests of their own. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { waitFor } from '@redkeep/testing';
import { AuditReader } from './audit-trail/audit-reader.js';
import { AuditTrail } from './audit-trail/audit-trail.js';
import { Cache } from './cache/cache.js';
import { redisKeyStore } from './encryption/key-store.js';
import { PersonKeys } from './encryption/person-keys.js';
import { keysFromValue } from './encryption/providers/local.js';
import { localWrapper } from './encryption/providers/wrappers.js';
import { defineKeyspaces } from './keyspace/keyspaces.js';
import { Locks } from './lock/locks.js';
import { RateLimiter } from './rate-limit/rate-limiter.js';
import { keyA, keyB, refused, testEncryption, useServer } from './testing/support.js';

const redis = useServer();
const hour = 3_600_000;
const states = {
  full: [
    ['CONFIG', 'SET', 'maxmemory', '1'],
    ['CONFIG', 'SET', 'maxmemory', '0'],
  ],
  'read-only': [
    ['REPLICAOF', '127.0.0.1', '1'],
    ['REPLICAOF', 'NO', 'ONE'],
  ],
} as const;

for (const [state, [begin, end]] of Object.entries(states)) {
  describe(`a ${state} server`, () => {
    /** Runs a part of a test while the server is like that. */
    async function meanwhile(work: () => Promise<void>): Promise<void> {
      await redis.server.command(...begin);
      try {
        await work();
      } finally {
        await redis.server.command(...end);
      }
    }

    test('opens no limit: this process goes on alone, or refuses', async () => {
      const limits = [{ name: 'x', limit: 2, periodMs: hour }];
      const options = { client: redis.client, timeoutMs: 5000, limits, prefix: `${state}:limit:` };
      const [local, deny] = [new RateLimiter(options), new RateLimiter({ ...options, onStoreError: 'deny' })];
      await meanwhile(async () => {
        const decisions = [await local.check('a'), await local.check('a'), await local.check('a')];
        assert.deepEqual(
          decisions.map(({ allowed, source }) => `${source} ${allowed}`),
          ['local true', 'local true', 'local false'],
        );
        assert.equal((await deny.check('a')).allowed, false);
      });
      // What was used meanwhile stays used.
      assert.equal((await local.check('a')).allowed, false);
      assert.equal((await local.check('b')).source, 'redis');
    });

    test('gives no lock, and keeps the one that is held', async () => {
      const locks = new Locks({ client: redis.client, prefix: `${state}:lock:` });
      const held = await locks.acquire('held', { ttlMs: 60_000 });
      await meanwhile(async () => {
        await refused(() => locks.acquire('other'), 'REDKEEP_STORE_UNAVAILABLE');
        await refused(() => held.guardedSet(`${state}:value`, 'x', hour), 'REDKEEP_STORE_UNAVAILABLE');
        assert.equal(held.isHeld, true);
      });
      await held.guardedSet(`${state}:value`, 'x', hour);
      await held.release();
    });

    test('costs a cache nothing but the load', async () => {
      const cache = new Cache({ client: redis.client, ttlMs: hour, timeoutMs: 5000, prefix: `${state}:cache:` });
      await cache.get('known', async () => 1);
      await meanwhile(async () => {
        assert.equal(await cache.get('known', async () => 2), 1);
        assert.equal(await cache.get('new', async () => 3), 3);
      });
    });

    test('loses no audit entry', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'guard-bad-'));
      const name = `${state}-trail`;
      const trail = new AuditTrail({
        client: redis.client,
        name,
        chainKey: keyA,
        spool: { path: join(folder, 'spool') },
        retryMs: 10,
        onError: () => undefined,
      });
      try {
        await trail.record({ actor: 'ana', action: 'before' });
        await meanwhile(async () => {
          await trail.record({ actor: 'ana', action: 'during' });
          assert.equal(trail.state, 'spooling');
        });
        await waitFor(() => trail.state === 'live');
        await trail.close();
        const reader = new AuditReader({ client: redis.client, name, chainKey: keyA });
        const actions: string[] = [];
        for await (const { action } of reader.entries()) actions.push(action);
        assert.deepEqual(actions, ['before', 'during']);
        assert.equal((await reader.verify()).ok, true);
      } finally {
        await rm(folder, { recursive: true });
      }
    });

    test('erases nobody in appearance only', async () => {
      const persons = new PersonKeys({
        encryption: testEncryption(),
        wrapper: localWrapper(keysFromValue([keyA]), 'test'),
        store: redisKeyStore(redis.client, `${state}:keys:`),
        data: redis.client,
        dangerouslyKeepKeysWithData: true,
        pseudonymKey: keyB,
      });
      const place = { space: 'notes', key: 'notes:1' };
      const sealed = await persons.sealer('ana').seal('x', place);
      await meanwhile(async () => {
        await refused(() => persons.erase('ana'), 'REDKEEP_STORE_UNAVAILABLE');
      });
      assert.equal(String(await persons.sealer('ana').open(sealed, place)), 'x');
      await persons.erase('ana');
      await refused(() => persons.sealer('ana').open(sealed, place), 'REDKEEP_PERSON_ERASED');
    });

    test('refuses to write into a key space, and reads', async () => {
      const { pages } = defineKeyspaces({
        pages: { prefix: `${state}:page:`, codec: 'text', defaultTtlMs: hour },
      }).open(redis.client);
      await pages.set('1', 'x');
      await meanwhile(async () => {
        await refused(() => pages.set('1', 'y'), 'REDKEEP_STORE_UNAVAILABLE');
        assert.equal(await pages.get('1'), 'x');
      });
    });
  });
}
