import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createClient } from 'redkeep';
import { keyA, keyB, refused, testEncryption, useServer } from '../support.test.util.js';
import { BlindIndex } from './blind-index.js';
import { EncryptedHash } from './encrypted-hash.js';
import { EnvelopeKeys, type KeyWrapper } from './envelope-keys.js';
import { redisKeyStore } from './key-store.js';
import { PersonKeys, type PersonKeysOptions, verifyErasureReceipt } from './person-keys.js';
import { keysFromEnv, keysFromFile, keysFromValue } from './providers/local.js';
import { awsKms, localWrapper, vaultTransit } from './providers/wrappers.js';
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
    const aged = new EnvelopeKeys({ wrapper: flaky, store, rotateAfterMs: -1 });
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

describe('Vault and KMS', () => {
  test('Vault is asked over the transit API with the token in a header, and its errors quote nothing', async () => {
    const requests: { url: string | undefined; token: unknown; body: Record<string, string> }[] = [];
    let status = 200;
    const vault = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk) => (text += chunk));
      request.on('end', () => {
        const body = JSON.parse(text) as Record<string, string>;
        requests.push({ url: request.url, token: request.headers['x-vault-token'], body });
        const { plaintext, ciphertext, associated_data } = body;
        const data = plaintext
          ? { ciphertext: `vault:v1:${associated_data}:${plaintext}` }
          : { plaintext: ciphertext?.split(':')[3] };
        response.writeHead(status).end(JSON.stringify({ data }));
      });
    });
    await new Promise<void>((resolve) => vault.listen(0, '127.0.0.1', resolve));
    try {
      const address = `http://127.0.0.1:${(vault.address() as AddressInfo).port}`;
      const transit = vaultTransit({ address, keyName: 'redis', token: 'hvs.secret' });
      const key = Buffer.from(keyA, 'hex');
      const wrapped = await transit.wrap(key, 'id-1');
      assert.deepEqual(await transit.unwrap(wrapped, 'id-1'), key);
      assert.deepEqual(
        requests.map(({ url }) => url),
        ['/v1/transit/encrypt/redis', '/v1/transit/decrypt/redis'],
      );
      assert.ok(requests.every(({ token }) => token === 'hvs.secret'));
      assert.equal(requests[0]?.body['associated_data'], Buffer.from('id-1').toString('base64'));
      status = 403;
      const error = await refused(() => transit.wrap(key, 'id-1'), 'REDKEEP_ENCRYPTION_PROVIDER');
      assert.match(error.message, /403/);
      assert.ok(!error.message.includes('hvs'));
    } finally {
      vault.close();
      vault.closeAllConnections();
    }
    await refused(
      () => vaultTransit({ address: 'http://vault.internal', keyName: 'k', token: 't' }),
      'REDKEEP_GUARD_OPTION',
    );
  });

  test('KMS gets the key id as encryption context', async () => {
    const contexts: unknown[] = [];
    const kms = awsKms({
      keyId: 'alias/redis',
      kms: {
        async encrypt({ Plaintext, EncryptionContext }) {
          contexts.push(EncryptionContext);
          return { CiphertextBlob: Buffer.from(Plaintext).reverse() };
        },
        async decrypt({ CiphertextBlob, EncryptionContext }) {
          contexts.push(EncryptionContext);
          return { Plaintext: Buffer.from(CiphertextBlob).reverse() };
        },
      },
    });
    const key = Buffer.from(keyA, 'hex');
    assert.deepEqual(await kms.unwrap(await kms.wrap(key, 'id-1'), 'id-1'), key);
    assert.deepEqual(contexts, [{ 'redkeep:key': 'id-1' }, { 'redkeep:key': 'id-1' }]);
  });
});

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

  test('are not kept beside the data unless asked for by name, and the store holds no names', async () => {
    const options = {
      encryption: testEncryption(),
      wrapper: wrapper(),
      store: redisKeyStore(redis.client, 'beside:'),
      data: redis.client,
      pseudonymKey: keyB,
    };
    await refused(() => new PersonKeys(options), 'REDKEEP_PERSON_KEYS_WITH_DATA');
    const p = new PersonKeys({ ...options, dangerouslyKeepKeysWithData: true });
    await p.sealer('maria-garcia').seal('x', place);
    assert.ok(!String(await redis.server.command('KEYS', 'beside:*')).includes('maria'));
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
  });
});

describe('re-encryption', () => {
  test('renews old values, keeps their expiry, goes on where it stopped, and reports what does not open', async () => {
    const before = testEncryption();
    const keys = keysFromValue([keyB, keyA]);
    const after = testEncryption({ keys });
    const at = (key: string, field?: string) => ({ space: 'old', key, ...(field === undefined ? {} : { field }) });
    for (let i = 0; i < 250; i++) {
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
    assert.deepEqual([done.renewed, done.failed], [251, 1]);
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
