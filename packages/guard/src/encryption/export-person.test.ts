import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startServer } from '@redkeep/testing';
import { createClient } from 'redkeep';
import { AuditReader } from '../audit-trail/audit-reader.js';
import { AuditTrail } from '../audit-trail/audit-trail.js';
import { keyA, keyB, refused, testEncryption, useServer } from '../testing/support.js';
import { EncryptedHash } from './encrypted-hash.js';
import { exportPerson, type PersonItem } from './export-person.js';
import { redisKeyStore } from './key-store.js';
import { PersonKeys } from './person-keys.js';
import { keysFromValue } from './providers/local.js';
import { localWrapper } from './providers/wrappers.js';

const redis = useServer();
const contextOf = (key: string, field: string | undefined) => ({
  space: key.startsWith('person:') ? 'people' : 'notes',
  key,
  ...(field === undefined ? {} : { field }),
});

describe('what is kept about a person', () => {
  /** Notes of two people and one that is nobody's, a hash of each, something that is not sealed, and a trail. */
  async function filled() {
    const keys = await startServer();
    const keysClient = await createClient({ url: keys.url }).connect();
    const ring = { current: [keyA] };
    const make = () =>
      new PersonKeys({
        encryption: testEncryption(),
        wrapper: localWrapper(keysFromValue(ring.current), 'test'),
        store: redisKeyStore(keysClient),
        data: redis.client,
        pseudonymKey: keyB,
        cacheMs: 0,
      });
    const persons = make();
    const { client } = redis;
    await redis.server.command('FLUSHALL');
    const expiration = { type: 'EX', value: 3600 } as const;
    for (const person of ['ana', 'leo']) {
      for (let n = 0; n < 300; n++) {
        const key = `note:${person}:${n}`;
        const sealed = await persons.sealer(person).seal(`${n} of ${person}`, { space: 'notes', key });
        await client.set(key, sealed, { expiration });
      }
      const hash = new EncryptedHash({ client, encryption: persons.sealer(person), space: 'people', ttlMs: 3_600_000 });
      await hash.set(`person:${person}`, { name: person, city: 'Quito' });
    }
    await client.set('note:plain', 'of nobody', { expiration });
    await client.set('note:general', await testEncryption().seal('x', { space: 'notes', key: 'note:general' }), {
      expiration,
    });
    await client.rPush('note:list', 'x');
    const trail = new AuditTrail({ client, chainKey: keyA, persons, spool: 'none' });
    await trail.record({ actor: 'ana', action: 'note.write', subject: 'ana' });
    await trail.record({ actor: 'leo', action: 'note.write', subject: 'leo' });
    await trail.close();
    return {
      ring,
      make,
      persons,
      reader: new AuditReader({ client, chainKey: keyA, persons }),
      async end() {
        keysClient.destroy();
        await keys[Symbol.asyncDispose]();
      },
    };
  }
  async function all(persons: PersonKeys, more: object = {}): Promise<PersonItem[]> {
    const items: PersonItem[] = [];
    const match = ['note:*', 'person:*'];
    const options = { client: redis.client, persons, person: 'ana', match, contextOf, ...more };
    for await (const item of exportPerson(options)) items.push(item);
    return items;
  }
  const texts = (items: readonly PersonItem[]) =>
    items.map((item) => (item.kind === 'value' ? `${item.key} ${item.field} ${item.value}` : item.kind)).sort();
  const expected = [
    ...Array.from({ length: 300 }, (_, n) => `note:ana:${n} undefined ${n} of ana`),
    'person:ana city Quito',
    'person:ana name ana',
  ].sort();

  test('comes once each, with the trail, and nothing of anybody else', async () => {
    const { persons, reader, end } = await filled();
    try {
      const items = await all(persons, { reader, match: ['note:*', 'person:*', '*:ana*'] });
      assert.deepEqual(texts(items), [...expected, 'audit'].sort());
      const entries = items.flatMap((item) => (item.kind === 'audit' ? [item.entry] : []));
      assert.deepEqual(
        entries.map(({ actor, action }) => [actor, action]),
        [['ana', 'note.write']],
      );
      assert.deepEqual(await all(persons, { person: 'nobody' }), []);
    } finally {
      await end();
    }
  });

  test('is whole while keys are wrapped anew, and after the old wrapping key is gone', async () => {
    const { ring, make, end } = await filled();
    try {
      ring.current = [keyB, keyA];
      const [items, wrapped] = await Promise.all([all(make()), make().rewrapAll()]);
      assert.deepEqual([texts(items), wrapped], [expected, { rewrapped: 2, failed: 0 }]);
      ring.current = [keyB];
      assert.deepEqual(texts(await all(make())), expected);
    } finally {
      await end();
    }
  });

  test('that somebody changed is named, and hides nothing else', async () => {
    const { persons, end } = await filled();
    try {
      await redis.client.copy('note:ana:1', 'note:ana:2', { REPLACE: true });
      const items = await all(persons);
      assert.deepEqual(
        items.filter(({ kind }) => kind === 'unreadable'),
        [{ kind: 'unreadable', key: 'note:ana:2', field: undefined }],
      );
      assert.equal(items.length, expected.length);
    } finally {
      await end();
    }
  });

  test('is not given of somebody who is erased, also in the middle', async () => {
    const { persons, end } = await filled();
    try {
      const items = exportPerson({ client: redis.client, persons, person: 'ana', match: ['note:*'], contextOf });
      assert.equal((await items.next()).done, false);
      await persons.erase('ana');
      await refused(async () => {
        for await (const _ of items);
      }, 'REDKEEP_PERSON_ERASED');
      await refused(() => all(persons), 'REDKEEP_PERSON_ERASED');
    } finally {
      await end();
    }
  });
});
