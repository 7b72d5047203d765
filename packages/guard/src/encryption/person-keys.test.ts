import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { startServer } from '@redkeep/testing';
import { createClient, RESP_TYPES } from 'redkeep';
import { keyA, keyB, refused, testEncryption, useServer } from '../testing/support.js';
import { redisKeyStore } from './key-store.js';
import { PersonKeys, type PersonKeysOptions, verifyErasureReceipt } from './person-keys.js';
import { keysFromValue } from './providers/local.js';
import { localWrapper } from './providers/wrappers.js';

const redis = useServer();
const place = { space: 'notes', key: 'notes:1' };
const wrapper = () => localWrapper(keysFromValue([keyA]), 'test');

describe('person keys', () => {
  const pair = generateKeyPairSync('ed25519');

  async function persons(prefix: string, options: Partial<PersonKeysOptions> = {}) {
    const keysClient = createClient({ url: redis.server.url });
    await keysClient.connect();
    const make = () =>
      new PersonKeys({
        encryption: testEncryption(),
        wrapper: wrapper(),
        store: redisKeyStore(keysClient, prefix),
        data: redis.client,
        pseudonymKey: keyB,
        signWith: pair.privateKey,
        ...options,
      });
    return { make, end: () => keysClient.destroy() };
  }

  const optionsBeside = (prefix: string) => ({
    encryption: testEncryption(),
    wrapper: wrapper(),
    store: redisKeyStore(redis.client, prefix),
    data: redis.client,
    pseudonymKey: keyB,
  });

  test('destroying one erases that person everywhere, backups included, and nobody else', async () => {
    const { make, end } = await persons('people:', { cacheMs: 0 });
    try {
      const [here, elsewhere] = [make(), make()];
      const backup = await here.sealer('ana').seal('her data', place);
      const other = await here.sealer('leo').seal('his data', place);
      assert.equal(String(await elsewhere.sealer('ana').open(backup, place)), 'her data');
      const receipt = await here.erase('ana');
      await refused(() => here.sealer('ana').open(backup, place), 'REDKEEP_PERSON_ERASED');
      await refused(() => elsewhere.sealer('ana').open(backup, place), 'REDKEEP_PERSON_ERASED');
      await refused(() => elsewhere.sealer('ana').seal('late write', place), 'REDKEEP_PERSON_ERASED');
      assert.equal(String(await elsewhere.sealer('leo').open(other, place)), 'his data');
      assert.equal(receipt.keyIds.length, 1);
      assert.ok(!JSON.stringify(receipt).includes('ana'));
      assert.equal(verifyErasureReceipt(receipt, pair.publicKey), true);
      assert.equal(verifyErasureReceipt({ ...receipt, erasedAt: '2020-01-01T00:00:00.000Z' }, pair.publicKey), false);
      assert.deepEqual(await elsewhere.erase('ana'), receipt);
    } finally {
      end();
    }
  });

  test('an erasure is announced: processes forget the key at once, also one that is just fetching it', async () => {
    const channel = createClient({ url: redis.server.url });
    await channel.connect();
    // Nobody would notice within the time the copies may live.
    const { make, end } = await persons('announced:', { cacheMs: 3_600_000, announce: channel });
    try {
      const [here, elsewhere, deaf] = [make(), make(), make()];
      await elsewhere.listen();
      const sealed = await here.sealer('ana').seal('her data', place);
      for (const process of [elsewhere, deaf]) await process.sealer('ana').open(sealed, place);

      let unwrapping: () => void = () => undefined;
      const asked = new Promise<void>((resolve) => (unwrapping = resolve));
      let answer: () => void = () => undefined;
      const answered = new Promise<void>((resolve) => (answer = resolve));
      const slow = await persons('announced:', {
        cacheMs: 3_600_000,
        announce: channel,
        wrapper: {
          wrap: wrapper().wrap,
          async unwrap(...args) {
            unwrapping();
            await answered;
            return wrapper().unwrap(...args);
          },
        },
      });
      const fetching = slow.make();
      await fetching.listen();
      const opening = fetching.sealer('ana').open(sealed, place);
      await asked;
      const heard = new Promise<unknown>((resolve) => channel.subscribe('redkeep:erased', resolve));

      await here.erase('ana');
      assert.equal(await heard, here.pseudonym('ana'), 'what is announced is no name');
      answer();
      await refused(() => opening, 'REDKEEP_PERSON_ERASED');
      await refused(() => elsewhere.sealer('ana').open(sealed, place), 'REDKEEP_PERSON_ERASED');
      assert.equal(String(await deaf.sealer('ana').open(sealed, place)), 'her data', 'who does not listen waits');
      slow.end();
      await refused(
        () => new PersonKeys({ ...optionsBeside('x:'), dangerouslyKeepKeysWithData: true }).listen(),
        'REDKEEP_GUARD_OPTION',
      );
    } finally {
      channel.destroy();
      end();
    }
  });

  test('an erasure that nobody can be told of still happens', async () => {
    const closed = createClient({ url: redis.server.url });
    const { make, end } = await persons('untold:', { announce: closed });
    try {
      const sealed = await make().sealer('ana').seal('x', place);
      await make().erase('ana');
      await refused(() => make().sealer('ana').open(sealed, place), 'REDKEEP_PERSON_ERASED');
    } finally {
      end();
    }
  });

  test('a dump of the data taken before the erasure is restored and cannot be read', async () => {
    const { make, end } = await persons('backup:');
    try {
      const people = make();
      for (const person of ['ana', 'leo']) {
        const sealed = await people.sealer(person).seal(`data of ${person}`, { space: 'notes', key: `note:${person}` });
        await redis.client.set(`note:${person}`, sealed, { expiration: { type: 'EX', value: 3600 } });
      }
      await redis.server.command('SAVE');
      await using restored = await startServer();
      await restored.stop();
      await copyFile(join(redis.server.dir, 'dump.rdb'), join(restored.dir, 'dump.rdb'));
      await people.erase('ana');
      await restored.start();
      const backup = createClient({ url: restored.url }).withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
      await backup.connect();
      const open = async (person: string) =>
        make()
          .sealer(person)
          .open((await backup.get(`note:${person}`))!, { space: 'notes', key: `note:${person}` });
      try {
        assert.equal(String(await open('leo')), 'data of leo');
        await refused(() => open('ana'), 'REDKEEP_PERSON_ERASED');
        assert.ok(!(await readFile(join(restored.dir, 'dump.rdb'))).includes('data of'));
      } finally {
        backup.destroy();
      }
    } finally {
      end();
    }
  });

  test("a person's value opens neither as another person's nor with the general keys", async () => {
    const { make, end } = await persons('mixed:');
    try {
      const p = make();
      const sealed = await p.sealer('ana').seal('x', place);
      await p.sealer('leo').seal('y', place);
      await refused(() => p.sealer('leo').open(sealed, place), 'REDKEEP_ENCRYPTION_KEY_UNKNOWN');
      await refused(() => testEncryption().open(sealed, place), 'REDKEEP_ENCRYPTION_KEY_UNKNOWN');
    } finally {
      end();
    }
  });

  test('someone who came back gets a new key, and the old data stays erased', async () => {
    const { make, end } = await persons('back:', { cacheMs: 0 });
    try {
      const p = make();
      const old = await p.sealer('ana').seal('before', place);
      await p.erase('ana');
      assert.equal(await p.admit('ana'), true);
      assert.equal(await p.admit('ana'), false);
      assert.equal(String(await p.sealer('ana').open(await p.sealer('ana').seal('after', place), place)), 'after');
      await refused(() => p.sealer('ana').open(old, place), 'REDKEEP_ENCRYPTION_KEY_UNKNOWN');
    } finally {
      end();
    }
  });

  test('a provider that is away is a provider error, and known keys go on', async () => {
    let away = false;
    const flaky = {
      wrap: wrapper().wrap,
      unwrap: (...args: [string, string]) =>
        away ? Promise.reject(new Error('KMS is away')) : wrapper().unwrap(...args),
    };
    const { make, end } = await persons('away:', { wrapper: flaky });
    try {
      const knows = make();
      const sealed = await knows.sealer('ana').seal('x', place);
      away = true;
      assert.equal(String(await knows.sealer('ana').open(sealed, place)), 'x');
      await refused(() => make().sealer('ana').open(sealed, place), 'REDKEEP_ENCRYPTION_PROVIDER');
    } finally {
      end();
    }
  });

  test('are not kept beside the data unless asked for by name, and the store holds no names', async () => {
    const options = optionsBeside('beside:');
    await refused(() => new PersonKeys(options), 'REDKEEP_PERSON_KEYS_WITH_DATA');
    const p = new PersonKeys({ ...options, dangerouslyKeepKeysWithData: true });
    await p.sealer('maria-garcia').seal('x', place);
    assert.ok(!String(await redis.server.command('KEYS', 'beside:*')).includes('maria'));
  });
});
