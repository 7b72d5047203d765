import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { startServer, waitFor } from '@redkeep/testing';
import { createClient, RESP_TYPES } from 'redkeep';
import { keyA, keyB, refused, testEncryption, useServer } from '../testing/support.js';
import { DataKey } from './data-key.js';
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
        // One server serves for both in these tests.
        dangerouslyKeepKeysWithData: true,
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

  test('is dated by the clock of the key store, whatever that of the eraser says', async (t) => {
    const { make, end } = await persons('dated:', { cacheMs: 1000 });
    try {
      await make().sealer('ana').seal('her data', place);
      const before = Date.now();
      t.mock.timers.enable({ apis: ['Date'], now: before - 3_600_000 });
      const receipt = await make().erase('ana');
      assert.ok(Date.parse(receipt.erasedAt) >= before - 1000, receipt.erasedAt);
      assert.equal(Date.parse(receipt.effectiveAt) - Date.parse(receipt.erasedAt), 1000);
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
      const announced = new Promise<unknown>((resolve) => channel.subscribe('redkeep:erased', resolve));

      await here.erase('ana');
      assert.equal(await announced, here.pseudonym('ana'), 'what is announced is not a name');
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

  test('an erasure that cannot be announced still happens', async () => {
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
      assert.equal(await p.reinstate('ana'), true);
      assert.equal(await p.reinstate('ana'), false);
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

describe('what holds beyond one process and one server', () => {
  const open = (options: Partial<PersonKeysOptions> & Pick<PersonKeysOptions, 'store'>) =>
    new PersonKeys({
      encryption: testEncryption(),
      wrapper: wrapper(),
      data: redis.client,
      pseudonymKey: keyB,
      dangerouslyKeepKeysWithData: true,
      ...options,
    });

  test('keys beside the data are noticed through another client and another database of the same server', async () => {
    for (const database of [0, 3]) {
      const other = await createClient({ url: redis.server.url, database }).connect();
      try {
        const p = open({ store: redisKeyStore(other, `same-${database}:`), dangerouslyKeepKeysWithData: false });
        await refused(() => p.sealer('ana').seal('x', place), 'REDKEEP_PERSON_KEYS_WITH_DATA');
        await refused(() => p.erase('ana'), 'REDKEEP_PERSON_KEYS_WITH_DATA');
      } finally {
        other.destroy();
      }
    }
    await using apart = await startServer();
    const keys = await createClient({ url: apart.url }).connect();
    try {
      const p = open({ store: redisKeyStore(keys), dangerouslyKeepKeysWithData: false });
      assert.equal(String(await p.sealer('ana').open(await p.sealer('ana').seal('x', place), place)), 'x');
    } finally {
      keys.destroy();
    }
  });

  test('the key that wraps is rotated and dropped, and everybody’s data still opens', async () => {
    const store = redisKeyStore(redis.client, 'rewrap:');
    const ring = (...keys: string[]) => localWrapper(keysFromValue(keys), 'test');
    const before = open({ store, wrapper: ring(keyA), cacheMs: 0 });
    const sealed = await Promise.all(['a', 'b', 'c'].map((person) => before.sealer(person).seal(person, place)));
    await before.erase('c');
    assert.deepEqual(await open({ store, wrapper: ring(keyB, keyA) }).rewrapAll(), { rewrapped: 2, failed: 0 });
    const after = open({ store, wrapper: ring(keyB), cacheMs: 0 });
    assert.equal(String(await after.sealer('a').open(sealed[0]!, place)), 'a');
    assert.equal(String(await after.sealer('b').open(sealed[1]!, place)), 'b');
    await refused(() => after.sealer('c').open(sealed[2]!, place), 'REDKEEP_PERSON_ERASED');
    assert.deepEqual(await open({ store, wrapper: ring(`${'77'.repeat(31)}88`) }).rewrapAll(), {
      rewrapped: 0,
      failed: 2,
    });
  });

  test('an erasure that a new primary missed is repeated from its receipt', async () => {
    const store = redisKeyStore(redis.client, 'missed:');
    const p = open({ store, cacheMs: 0 });
    const sealed = await p.sealer('ana').seal('hers', place);
    const name = `missed:person:${p.pseudonym('ana')}`;
    const record = (await redis.client.get(name))!;
    const receipt = await p.erase('ana');
    assert.deepEqual(receipt.replication, { replicas: 0, confirmed: 0 });
    await redis.client.set(name, record, { expiration: { type: 'EX', value: 3600 } });
    assert.equal(String(await p.sealer('ana').open(sealed, place)), 'hers', 'the key came back');
    assert.deepEqual(await p.enforce([receipt]), [p.pseudonym('ana')]);
    await refused(() => p.sealer('ana').open(sealed, place), 'REDKEEP_PERSON_ERASED');
    assert.deepEqual(await p.enforce([receipt]), []);
    await p.reinstate('ana');
    assert.deepEqual(await p.enforce([receipt]), [], 'a key that was made later is not the erased one');
  });

  test('a receipt says which replicas have the erasure, and too few are an error until they do', async () => {
    await using primary = await startServer();
    await using replica = await startServer({ replicaOf: primary });
    const client = await createClient({ url: primary.url }).connect();
    try {
      const options = { store: redisKeyStore(client), cacheMs: 0, requireReplicas: 1, signWith: undefined };
      const p = open({ ...options, confirmMs: 20_000 } as never);
      assert.deepEqual((await p.erase('ana')).replication, { replicas: 1, confirmed: 1 });
      replica.pause();
      const hasty = open({ ...options, confirmMs: 50 } as never);
      await refused(() => hasty.erase('leo'), 'REDKEEP_PERSON_UNCONFIRMED');
      replica.resume();
      assert.deepEqual((await p.erase('leo')).replication, { replicas: 1, confirmed: 1 });
    } finally {
      client.destroy();
    }
  });

  test('an idle process forgets keys by itself, and a receipt goes by the longest cache of all processes', async () => {
    const store = redisKeyStore(redis.client, 'idle:');
    const keys: DataKey[] = [];
    const destroy = DataKey.prototype.destroy;
    DataKey.prototype.destroy = function (this: DataKey) {
      keys.push(this);
      destroy.call(this);
    };
    try {
      const idle = open({ store, cacheMs: 30 });
      await idle.sealer('ana').seal('x', place);
      const made = keys.length;
      await waitFor(() => keys.length > made);
    } finally {
      DataKey.prototype.destroy = destroy;
    }
    await open({ store, cacheMs: 120_000 }).sealer('leo').seal('x', place);
    const receipt = await open({ store, cacheMs: 0 }).erase('ana');
    assert.equal(Date.parse(receipt.effectiveAt) - Date.parse(receipt.erasedAt), 120_000);
  });

  test('opening makes no key for a person nobody knows', async () => {
    const p = open({ store: redisKeyStore(redis.client, 'unknown:'), cacheMs: 0 });
    const sealed = await p.sealer('ana').seal('x', place);
    await refused(() => p.sealer('nobody').open(sealed, place), 'REDKEEP_ENCRYPTION_KEY_UNKNOWN');
    assert.equal(await redis.client.exists(`unknown:person:${p.pseudonym('nobody')}`), 0);
  });
});
