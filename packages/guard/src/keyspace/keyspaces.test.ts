import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createClient } from 'redkeep';
import * as v from 'valibot';
import { z } from 'zod';
import { refused, testEncryption, useServer } from '../testing/support.js';
import { defineKeyspaces } from './keyspaces.js';
import type { StandardSchema } from './standard-schema.js';

const redis = useServer();

interface Profile {
  readonly name: string;
}
const profileSchema: StandardSchema<Profile> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) =>
      typeof (value as Profile | null)?.name === 'string'
        ? { value: value as Profile }
        : { issues: [{ message: `bad ${JSON.stringify(value)}`, path: ['name'] }] },
  },
};

const spaces = defineKeyspaces({
  profiles: { prefix: 'profile:', encrypted: true, schema: profileSchema, maxTtlMs: 60_000, user: 'app' },
  pages: { prefix: 'page:', codec: 'text', defaultTtlMs: 1000, maxBytes: 10, maxKeyLength: 5, user: 'app' },
  counters: { prefix: 'count:', maxTtlMs: 60_000, user: 'counter' },
  bytes: { prefix: 'bytes:', codec: 'bytes', dangerouslyWithoutExpiry: true },
});
const open = () => spaces.open(redis.client, { encryption: testEncryption() });

describe('key spaces', () => {
  test('keep values typed, sealed and within their time', async () => {
    const { profiles } = open();
    assert.equal(await profiles.set('1', { name: 'Ana' }, { ttlMs: 5000 }), true);
    const read: Profile | undefined = await profiles.get('1');
    assert.deepEqual(read, { name: 'Ana' });
    assert.ok(!String(await redis.server.command('GET', 'profile:1')).includes('Ana'));
    assert.equal(await profiles.set('1', { name: 'Eva' }, { ttlMs: 5000, condition: 'NX' }), false);
    assert.deepEqual(await profiles.getMany(['1', '2']), [{ name: 'Ana' }, undefined]);
    assert.ok((await profiles.ttl('1'))! <= 5000);
    assert.deepEqual(
      [await profiles.has('1'), await profiles.take('1'), await profiles.has('1')],
      [true, { name: 'Ana' }, false],
    );
    assert.equal(await profiles.ttl('1'), undefined);
  });

  test('refuse a missing or long expiry, a bad key, value or size before anything is sent', async () => {
    const unconnected = spaces.open(createClient({ url: redis.server.url, disableOfflineQueue: true }), {
      encryption: testEncryption(),
    });
    const { profiles, pages } = unconnected;
    const ana = { name: 'Ana' };
    await refused(() => profiles.set('1', ana), 'REDKEEP_KEYSPACE_TTL');
    for (const ttlMs of [0, -1, Number.NaN, 60_001, Number.POSITIVE_INFINITY])
      await refused(() => profiles.set('1', ana, { ttlMs }), 'REDKEEP_KEYSPACE_TTL');
    await refused(() => profiles.expire('1', 60_001), 'REDKEEP_KEYSPACE_TTL');
    for (const key of ['', 'x'.repeat(257), undefined as never, 7 as never])
      await refused(() => profiles.set(key, ana, { ttlMs: 1 }), 'REDKEEP_KEYSPACE_KEY');
    const error = await refused(
      () => profiles.set('1', { secret: 's3' } as never, { ttlMs: 1 }),
      'REDKEEP_KEYSPACE_VALUE',
    );
    assert.match(error.message, /at name/);
    assert.ok(!error.message.includes('s3'));
    await refused(() => pages.set('1', 'eleven bytes'), 'REDKEEP_VALUE_TOO_LARGE');
    await refused(() => pages.set('123456', 'x'), 'REDKEEP_KEYSPACE_KEY');
    await refused(() => pages.set('1', 5 as never), 'REDKEEP_KEYSPACE_VALUE');
    await refused(() => unconnected.bytes.set('1', 'text' as never), 'REDKEEP_KEYSPACE_VALUE');
  });

  test('see only their own keys', async () => {
    const { pages, bytes } = open();
    await pages.set('a', 'x');
    await bytes.set('a', Buffer.of(0, 255));
    assert.deepEqual(await bytes.get('a'), Buffer.of(0, 255));
    assert.equal(await bytes.ttl('a'), Number.POSITIVE_INFINITY);
    const keys: string[] = [];
    for await (const key of pages.keys()) keys.push(key);
    assert.deepEqual(keys, ['a']);
    await pages.delete('a');
    assert.equal(await bytes.has('a'), true);
  });

  test('count with an expiry, and not where values are sealed', async () => {
    const { counters, profiles } = open();
    assert.equal(await counters.increment('n', 2, { ttlMs: 5000 }), 2);
    assert.equal(await counters.increment('n', 1, { ttlMs: 60_000 }), 3);
    assert.ok((await counters.ttl('n'))! <= 5000);
    await refused(() => counters.increment('n'), 'REDKEEP_KEYSPACE_TTL');
    await refused(() => profiles.increment('n'), 'REDKEEP_KEYSPACE_COMMAND');
  });

  test('a value another program wrote is an error, not a guess', async () => {
    const { profiles, counters } = open();
    await redis.client.set('profile:x', '{"name":"Mallory"}');
    await refused(() => profiles.get('x'), 'REDKEEP_ENCRYPTION_FOREIGN');
    await redis.client.set('count:x', '{broken');
    const error = await refused(() => counters.get('x'), 'REDKEEP_KEYSPACE_VALUE');
    assert.ok(!error.message.includes('broken'));
  });

  test('cannot overlap, and their prefixes carry no pattern', async () => {
    const define = (prefix: string) => () => defineKeyspaces({ a: { prefix: 'a:' }, b: { prefix } });
    for (const prefix of ['a:', 'a:b:', '', '*', 'x', 'x*:', '{x}:'])
      await refused(define(prefix), 'REDKEEP_GUARD_OPTION');
    await refused(() => spaces.open(redis.client), 'REDKEEP_GUARD_OPTION');
  });

  test('are in the database they name, and in no other', async () => {
    const own = defineKeyspaces({
      near: { prefix: 'near:', codec: 'text', defaultTtlMs: 1000 },
      far: { prefix: 'far:', codec: 'text', defaultTtlMs: 1000, database: 3 },
    });
    const third = createClient({ url: redis.server.url, database: 3 });
    await third.connect();
    try {
      const { near, far } = own.open(redis.client, { databases: { 3: third } });
      await near.set('1', 'zero');
      await far.set('1', 'three');
      assert.deepEqual([await near.get('1'), await far.get('1')], ['zero', 'three']);
      assert.equal(await redis.client.get('far:1'), null);
      assert.equal(await third.get('far:1'), 'three');
      await refused(() => own.open(redis.client), 'REDKEEP_GUARD_OPTION');
      await refused(() => own.open(redis.client, { databases: { 3: redis.client } }), 'REDKEEP_GUARD_OPTION');
      await refused(() => own.open(third, { databases: { 3: third } }), 'REDKEEP_GUARD_OPTION');
      await refused(() => defineKeyspaces({ x: { prefix: 'x:', database: -1 } }), 'REDKEEP_GUARD_OPTION');
    } finally {
      third.destroy();
    }
  });

  test('check values with any Standard Schema library: zod, valibot', async () => {
    const libraries = {
      zod: z.object({ name: z.string().max(5), at: z.number().default(1) }),
      valibot: v.object({ name: v.pipe(v.string(), v.maxLength(5)), at: v.optional(v.number(), 1) }),
    };
    for (const [library, schema] of Object.entries(libraries)) {
      const { people } = defineKeyspaces({
        people: { prefix: `${library}:`, schema: schema as typeof libraries.zod, defaultTtlMs: 1000 },
      }).open(redis.client);
      await people.set('1', { name: 'Ana' } as never);
      const read: { name: string; at: number } | undefined = await people.get('1');
      assert.deepEqual(read, { name: 'Ana', at: 1 });
      const error = await refused(() => people.set('1', { name: 'a secret' } as never), 'REDKEEP_KEYSPACE_VALUE');
      assert.ok(error.message.includes('name') && !error.message.includes('a secret'), error.message);
      await redis.client.set(`${library}:2`, '{"name":7}');
      await refused(() => people.get('2'), 'REDKEEP_KEYSPACE_VALUE');
    }
  });
});
