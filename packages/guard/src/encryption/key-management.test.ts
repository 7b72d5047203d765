import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { keyA, keyB, refused, testEncryption, useServer } from '../testing/support.js';
import { BlindIndex } from './blind-index.js';
import { EncryptedHash } from './encrypted-hash.js';
import { EnvelopeKeys, type KeyWrapper } from './envelope-keys.js';
import { redisKeyStore } from './key-store.js';
import { keysFromEnv, keysFromFile, keysFromValue } from './providers/local.js';
import { localWrapper } from './providers/wrappers.js';
import { type ReencryptProgress, reencrypt } from './reencrypt.js';

const redis = useServer();
const place = { space: 'notes', key: 'notes:1' };
const wrapper = () => localWrapper(keysFromValue([keyA]), 'test');

describe('local key sources', () => {
  test('an environment variable holds keys newest first', async () => {
    const ring = keysFromEnv('KEYS', { KEYS: `${keyB}, ${Buffer.from(keyA, 'hex').toString('base64')} # old` });
    const old = await testEncryption().seal('x', place);
    assert.equal(String(await testEncryption({ keys: ring }).open(old, place)), 'x');
    await refused(() => keysFromEnv('KEYS', {}), 'REDKEEP_ENCRYPTION_KEY');
  });

  test('a file is read again when it was rotated, and refused when everybody can read it', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'guard-'));
    try {
      const path = join(dir, 'keys');
      await writeFile(path, `${keyA}\n`, { mode: 0o600 });
      const ring = keysFromFile(path, { checkEveryMs: 0 });
      const before = (await ring.current()).id;
      await writeFile(path, `# rotated\n${keyB}\n${keyA}\n`);
      await (ring as unknown as { reload(): Promise<void> }).reload();
      assert.notEqual((await ring.current()).id, before);
      assert.ok(await ring.find(before));
      await chmod(path, 0o644);
      await refused(() => keysFromFile(path).current(), 'REDKEEP_ENCRYPTION_KEY');
      await refused(() => keysFromFile(join(dir, 'missing')).current(), 'REDKEEP_ENCRYPTION_PROVIDER');
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});

describe('envelope keys', () => {
  test('are shared by processes through the store, wrapped, and unwrapped once', async () => {
    let unwraps = 0;
    const counting: KeyWrapper = {
      wrap: wrapper().wrap,
      unwrap: (...args) => {
        unwraps += 1;
        return wrapper().unwrap(...args);
      },
    };
    const store = redisKeyStore(redis.client, 'envelope:');
    const one = testEncryption({ keys: new EnvelopeKeys({ wrapper: counting, store }) });
    const sealed = await one.seal('x', place);
    const two = testEncryption({ keys: new EnvelopeKeys({ wrapper: counting, store }) });
    await Promise.all(Array.from({ length: 20 }, () => two.open(sealed, place)));
    assert.equal(unwraps, 1);
    const bothSeal = await two.seal('y', place);
    assert.equal(String(await one.open(bothSeal, place)), 'y');
  });

  test('processes that start together agree on one current key', async () => {
    const store = redisKeyStore(redis.client, 'race:');
    const rings = Array.from({ length: 5 }, () => new EnvelopeKeys({ wrapper: wrapper(), store }));
    const ids = await Promise.all(rings.map(async (ring) => (await ring.current()).id));
    assert.equal(new Set(ids).size, 1);
  });

  test('rotate by age and by hand; old values stay readable; the provider being away does not matter to known keys', async () => {
    let away = false;
    const flaky: KeyWrapper = {
      wrap: (...args) => (away ? Promise.reject(new Error('sealed')) : wrapper().wrap(...args)),
      unwrap: (...args) => (away ? Promise.reject(new Error('sealed')) : wrapper().unwrap(...args)),
    };
    const store = redisKeyStore(redis.client, 'rotating:');
    const keys = new EnvelopeKeys({ wrapper: flaky, store });
    const e = testEncryption({ keys });
    const old = await e.seal('x', place);
    const id = await keys.rotate();
    assert.equal(await e.isStale(old), true);
    assert.equal((await keys.current()).id, id);
    away = true;
    assert.equal(String(await e.open(old, place)), 'x');
    assert.equal(String(await e.open(await e.seal('y', place), place)), 'y');
    const fresh = testEncryption({ keys: new EnvelopeKeys({ wrapper: flaky, store }) });
    await refused(() => fresh.open(old, place), 'REDKEEP_ENCRYPTION_PROVIDER');
    away = false;
    assert.equal(await keys.rewrap(id), true);
    assert.equal(await keys.rewrap('0000000000000000'), false);
    const aged = new EnvelopeKeys({ wrapper: flaky, store, rotateAfterMs: 0 });
    assert.notEqual((await aged.current()).id, id);
  });

  test('a wrapped key that was exchanged for another is refused', async () => {
    const store = redisKeyStore(redis.client, 'swapped:');
    const keys = new EnvelopeKeys({ wrapper: wrapper(), store });
    const first = ((await keys.current()) as { id: string }).id;
    const second = await keys.rotate();
    await redis.client.set(`swapped:dek:${first}`, (await redis.client.get(`swapped:dek:${second}`))!);
    await refused(() => new EnvelopeKeys({ wrapper: wrapper(), store }).find(first), 'REDKEEP_ENCRYPTION_TAMPERED');
  });
});

describe('blind index', () => {
  test('finds equal values however they are written, differs between fields and keys, and shows nothing', () => {
    const email = new BlindIndex({ field: 'email', keys: [keyA] });
    assert.equal(email.of(' Ana@Example.com '), email.of('ana@example.com'));
    assert.notEqual(email.of('ana@example.com'), email.of('ana@example.org'));
    assert.notEqual(email.of('x'), new BlindIndex({ field: 'name', keys: [keyA] }).of('x'));
    assert.equal(Buffer.from(email.of('x'), 'base64url').length, 16);
    const rotated = new BlindIndex({ field: 'email', keys: [keyB, keyA] });
    assert.deepEqual(rotated.allOf('x')[1], email.of('x'));
    assert.notEqual(rotated.of('x'), email.of('x'));
  });
});

describe('encrypted hashes', () => {
  test('seal each field for its place; plain fields stay countable; every write sets an expiry', async () => {
    const hash = new EncryptedHash({
      client: redis.client,
      encryption: testEncryption(),
      space: 'people',
      plainFields: ['visits'],
      ttlMs: 60_000,
    });
    await hash.set('people:1', { name: 'Ana', role: 'reader', visits: '1', ['__proto__']: 'x' });
    assert.equal(await hash.get('people:1', 'name'), 'Ana');
    assert.equal(await hash.get('people:1', 'none'), undefined);
    assert.equal(await redis.server.command('HINCRBY', 'people:1', 'visits', '1'), 2);
    assert.deepEqual({ ...(await hash.getAll('people:1')), visits: '2' }, { ...(await hash.getAll('people:1')) });
    assert.ok(Number(await redis.server.command('PTTL', 'people:1')) > 0);
    await redis.server.command(
      'EVAL',
      "redis.call('HSET', KEYS[1], 'role', redis.call('HGET', KEYS[1], 'name'))",
      '1',
      'people:1',
    );
    await refused(() => hash.get('people:1', 'role'), 'REDKEEP_ENCRYPTION_TAMPERED');
    assert.equal(await hash.getAll('people:9'), undefined);
    for (const ttlMs of [0, Number.NaN, Number.POSITIVE_INFINITY, 367 * 86_400_000])
      await refused(
        () => new EncryptedHash({ client: redis.client, encryption: testEncryption(), space: 'people', ttlMs }),
        'REDKEEP_KEYSPACE_TTL',
      );
  });
});

describe('re-encryption', () => {
  test('renews old values, keeps their expiry, goes on where it stopped, and reports what does not open', async () => {
    const before = testEncryption();
    const keys = keysFromValue([keyB, keyA]);
    const after = testEncryption({ keys });
    const at = (key: string, field?: string) => ({ space: 'old', key, ...(field === undefined ? {} : { field }) });
    for (let i = 0; i < 1250; i++) {
      const sealed = await before.seal(`v${i}`, at(`old:${i}`));
      await redis.client.set(`old:${i}`, sealed, { expiration: { type: 'EX', value: 1000 } });
    }
    await new EncryptedHash({ client: redis.client, encryption: before, space: 'old', ttlMs: 9e5 }).set('old:h', {
      a: '1',
    });
    await redis.client.set('old:broken', 'plaintext');
    const run = { client: redis.client, encryption: after, match: 'old:*', contextOf: at, rate: 100_000 };
    let seen: ReencryptProgress | undefined;
    const stopping = new AbortController();
    const first = reencrypt({
      ...run,
      signal: stopping.signal,
      onProgress: (progress) => {
        seen = progress;
        stopping.abort();
      },
    });
    await assert.rejects(first, { name: 'AbortError' });
    const done = await reencrypt({ ...run, resume: seen! });
    assert.equal(done.done, true);
    assert.deepEqual([done.renewed, done.failed], [1251, 1]);
    const onlyNew = testEncryption({ keys: keysFromValue([keyB]) });
    const view = redis.client.withTypeMapping({ 36: Buffer });
    for (const i of [0, 100, 249]) {
      const stored = (await view.get(`old:${i}`)) as unknown as Buffer;
      assert.equal(String(await onlyNew.open(stored, at(`old:${i}`))), `v${i}`);
      assert.ok(Number(await redis.server.command('TTL', `old:${i}`)) > 900);
    }
    assert.equal((await reencrypt(run)).renewed, 0);
  });
});
