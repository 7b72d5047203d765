import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RESP_TYPES } from 'redkeep';
import { keysFromValue } from '../encryption/providers/local.js';
import { keyA, keyB, refused, testEncryption, useServer } from '../testing/support.js';
import { ApiKeys } from './api-keys.js';
import { OneTimeTokens } from './one-time-tokens.js';
import { RefreshTokens, type RefreshTokensOptions } from './refresh-tokens.js';
import { TokenDenylist } from './token-denylist.js';

const redis = useServer();
const encryption = testEncryption();

describe('one-time tokens', () => {
  const open = (maxPerHour = 10) => new OneTimeTokens({ client: redis.client, encryption, key: keyA, maxPerHour });
  const link = { purpose: 'magic-link', subject: 'ana' };

  test('are redeemed once, also by a hundred at a time', async () => {
    const tokens = open();
    const token = await tokens.issue({ ...link, data: { next: '/home' } });
    const all = await Promise.all(Array.from({ length: 100 }, () => tokens.redeem('magic-link', token)));
    const redeemed = all.filter((result) => result !== undefined);
    assert.deepEqual(redeemed, [{ subject: 'ana', data: { next: '/home' } }]);
  });

  test('work for their purpose alone, unchanged, and until a newer one', async () => {
    const tokens = open();
    const old = await tokens.issue(link);
    const token = await tokens.issue(link);
    const bad = [old, `${token}x`, token.slice(1), token.replace(/.$/, (c) => (c === 'A' ? 'B' : 'A')), '', '*'];
    for (const wrong of bad) assert.equal(await tokens.redeem('magic-link', wrong), undefined);
    assert.equal(await tokens.redeem('password-reset', token), undefined);
    const other = new OneTimeTokens({ client: redis.client, encryption, key: keyB });
    assert.equal(await other.redeem('magic-link', token), undefined);
    assert.ok(await tokens.redeem('magic-link', token), 'wrong ones have not voided it');
    const revoked = await tokens.issue(link);
    await tokens.revoke('magic-link', 'ana');
    assert.equal(await tokens.redeem('magic-link', revoked), undefined);
  });

  test('end with their time by the server, whatever expiry Redis shows', async () => {
    const tokens = open();
    const token = await tokens.issue({ ...link, subject: 'late', ttlMs: 1000 });
    const key = `token:{${token.slice(0, 22)}}`;
    await redis.server.command('HSET', key, 'x', '1');
    assert.equal(await tokens.redeem('magic-link', token), undefined);
  });

  test('are not used up by a process that lacks the key to open them', async () => {
    const tokens = open();
    const behind = new OneTimeTokens({
      client: redis.client,
      encryption: testEncryption({ keys: keysFromValue(keyB) }),
      key: keyA,
    });
    const request = { purpose: 'rollout', subject: 'ana' };
    const token = await tokens.issue(request);
    await refused(() => behind.redeem('rollout', token), 'REDKEEP_ENCRYPTION_KEY_UNKNOWN');
    assert.ok(await tokens.redeem('rollout', token));
    const code = await tokens.issueCode(request);
    await refused(() => behind.redeemCode('rollout', 'ana', code), 'REDKEEP_ENCRYPTION_KEY_UNKNOWN');
    assert.ok(await tokens.redeemCode('rollout', 'ana', code));
  });

  test('are not in a dump, nor what they stand for', async () => {
    const token = await open().issue({ purpose: 'reset', subject: 'visible-name', data: 'visible-data' });
    const key = `token:{${token.slice(0, 22)}}`;
    const dump = String(await redis.server.command('DUMP', key));
    for (const secret of [token.slice(22), 'visible-name', 'visible-data']) assert.ok(!dump.includes(secret));
  });

  test('codes are void after five wrong ones, of parallel ones too, and counted over an hour', async () => {
    const tokens = open(3);
    const request = { purpose: 'otp', subject: 'leo' };
    const wrongOf = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0');
    const code = await tokens.issueCode(request);
    assert.match(code, /^\d{6}$/);
    const tries = await Promise.all(Array.from({ length: 5 }, () => tokens.redeemCode('otp', 'leo', wrongOf(code))));
    assert.ok(tries.every((result) => result === undefined));
    assert.equal(await tokens.redeemCode('otp', 'leo', code), undefined);
    const second = await tokens.issueCode(request);
    await tokens.redeemCode('otp', 'leo', wrongOf(second));
    assert.equal(await tokens.redeemCode('otp', 'eva', second), undefined);
    assert.deepEqual(await tokens.redeemCode('otp', 'leo', second), { subject: 'leo', data: undefined });
    await tokens.issueCode(request);
    await refused(() => tokens.issueCode(request), 'REDKEEP_TOKEN_LIMIT');
  });

  test('no more in any hour, also around the end of one', async () => {
    const tokens = open(3);
    const request = { purpose: 'hour', subject: 'mia' };
    const before = new Set((await redis.server.command('KEYS', 'token:*')) as string[]);
    await tokens.issueCode(request);
    const [key] = ((await redis.server.command('KEYS', 'token:*')) as string[]).filter((name) => !before.has(name));
    // One has just left the hour, two have not.
    const now = Date.now();
    await redis.server.command('HSET', key!, 'b', `${now - 3_600_001} ${now - 3_500_000} ${now - 3_500_000}`);
    await tokens.issueCode(request);
    await refused(() => tokens.issueCode(request), 'REDKEEP_TOKEN_LIMIT');
    for (const maxPerHour of [0, Number.NaN, Number.POSITIVE_INFINITY])
      await refused(() => open(maxPerHour), 'REDKEEP_GUARD_OPTION');
  });

  test('guessed codes do not void a link of the same purpose', async () => {
    const tokens = open();
    const token = await tokens.issue({ purpose: 'link-or-code', subject: 'ana' });
    for (let i = 0; i < 12; i++) assert.equal(await tokens.redeemCode('link-or-code', 'ana', '000000'), undefined);
    assert.equal((await tokens.redeem('link-or-code', token))?.subject, 'ana');
  });
});

describe('token denylist', () => {
  test('revokes one token, and all of a subject up to now', async () => {
    const list = new TokenDenylist({ client: redis.client, key: keyA, timeoutMs: 2000 });
    const now = Math.floor(Date.now() / 1000);
    await list.revoke('jti-1', Date.now() + 60_000);
    assert.equal(await list.isRevoked({ id: 'jti-1' }), true);
    assert.equal(await list.isRevoked({ id: 'jti-2', subject: 'ana', issuedAt: now }), false);
    await list.revokeAllOf('ana');
    assert.equal(await list.isRevoked({ id: 'jti-2', subject: 'ana', issuedAt: now }), true);
    assert.equal(await list.isRevoked({ id: 'jti-2', subject: 'ana' }), true, 'without iat it is taken for old');
    assert.equal(await list.isRevoked({ id: 'jti-3', subject: 'ana', issuedAt: now + 2 }), false);
    await list.revokeAllOf('ana', Date.now() - 3_600_000);
    assert.equal(await list.isRevoked({ id: 'jti-2', subject: 'ana', issuedAt: now }), true, 'never goes back');
    assert.ok(!String(await redis.server.command('KEYS', 'deny:*')).includes('jti-1'));
  });

  test('takes fractions of a second, and no time that would revoke nothing', async () => {
    const list = new TokenDenylist({ client: redis.client, key: keyA, timeoutMs: 2000 });
    await list.revokeAllOf('fraction', 1_700_000_000_700);
    const issued = (issuedAt: number) => list.isRevoked({ id: 'f', subject: 'fraction', issuedAt });
    assert.deepEqual(await Promise.all([issued(1_700_000_000.3), issued(1_700_000_001.3)]), [true, false]);
    for (const broken of [Number.NaN, '1800000000' as never]) assert.equal(await issued(broken), true);
    const seconds = Math.floor(Date.now() / 1000);
    for (const wrong of [seconds + 900, Number.NaN])
      await refused(() => list.revoke('seconds', wrong), 'REDKEEP_GUARD_ARGUMENT');
    for (const wrong of [seconds, Number.NaN, Number.POSITIVE_INFINITY])
      await refused(() => list.revokeAllOf('seconds', wrong), 'REDKEEP_GUARD_ARGUMENT');
  });

  test('goes by the clock of the server: one that is an hour ahead here forgets nothing', async (context) => {
    const list = new TokenDenylist({ client: redis.client, timeoutMs: 2000 });
    const expiresAt = Date.now() + 900_000;
    context.mock.timers.enable({ apis: ['Date'], now: Date.now() + 3_600_000 });
    await list.revoke('ahead', expiresAt);
    context.mock.timers.reset();
    assert.equal(await list.isRevoked({ id: 'ahead' }), true);
  });

  test('rejects while Redis is away instead of saying "not revoked"', async () => {
    const list = new TokenDenylist({ client: redis.client, timeoutMs: 50 });
    redis.server.pause();
    try {
      await refused(() => list.isRevoked({ id: 'x' }), 'REDKEEP_STORE_UNAVAILABLE');
    } finally {
      redis.server.resume();
    }
  });
});

describe('refresh tokens', () => {
  test('of families from before a rotation of the keys end with all others', async () => {
    const rotated = (...keys: string[]) => new RefreshTokens({ client: redis.client, encryption, keys });
    const old = await rotated(keyA).start('rotated');
    const both = rotated(keyB, keyA);
    const young = await both.start('rotated');
    assert.equal(await both.endAll('rotated'), 2);
    for (const { token } of [old, young]) await refused(() => both.refresh(token), 'REDKEEP_TOKEN_REUSED');
  });

  const open = (options: Partial<RefreshTokensOptions> = {}) =>
    new RefreshTokens({ client: redis.client, encryption, keys: [keyA], ...options });

  test('give the next one, with data carried and changed', async () => {
    const tokens = open();
    const first = await tokens.start('ana', { n: 1 });
    const second = (await tokens.refresh(first.token))!;
    assert.deepEqual([second.user, second.data], ['ana', { n: 1 }]);
    const third = (await tokens.refresh(second.token, () => ({ n: 2 })))!;
    assert.deepEqual(third.data, { n: 2 });
    const slow = await tokens.start('slow', { n: 1 });
    assert.deepEqual((await tokens.refresh(slow.token, async () => ({ n: 3 })))?.data, { n: 3 });
    const rotated = open({ keys: [keyB, keyA] });
    const fourth = (await rotated.refresh(third.token))!;
    // No logout for a process that is behind in a rotation; what names a key of ours and was not signed by it is forged.
    await refused(() => tokens.refresh(fourth.token), 'REDKEEP_ENCRYPTION_KEY_UNKNOWN');
    await refused(() => tokens.end(fourth.token), 'REDKEEP_ENCRYPTION_KEY_UNKNOWN');
    const named = (token: string) => token.split('.')[2]!.slice(0, 5);
    assert.equal(named(third.token), named(first.token));
    assert.notEqual(named(fourth.token), named(third.token));
    assert.ok(await open({ keys: [keyB] }).refresh(fourth.token));
  });

  test('an old one ends the family, for the thief and for the owner', async () => {
    const reused: string[] = [];
    const tokens = open({ graceMs: 0, onReuse: (family) => reused.push(family) });
    const stolen = (await tokens.start('ana')).token;
    const owner = (await tokens.refresh(stolen))!;
    await refused(() => tokens.refresh(stolen), 'REDKEEP_TOKEN_REUSED');
    await refused(() => tokens.refresh(owner.token), 'REDKEEP_TOKEN_REUSED');
    assert.ok(reused.length >= 1);
  });

  test('of parallel twins one gets the next token, the others are refused, and the family lives', async () => {
    const tokens = open();
    const { token } = await tokens.start('ana');
    const all = await Promise.allSettled(Array.from({ length: 20 }, () => tokens.refresh(token)));
    const next = all.flatMap((result) => (result.status === 'fulfilled' && result.value ? [result.value] : []));
    assert.equal(next.length, 1);
    assert.ok(
      all.every((r) => r.status === 'fulfilled' || (r.reason as { code: string }).code === 'REDKEEP_TOKEN_RACED'),
    );
    assert.ok(await tokens.refresh(next[0]!.token));
  });

  test('a made-up one, of whatever family or generation, ends nothing', async () => {
    const tokens = open({ graceMs: 0 });
    const { token } = await tokens.start('ana');
    const [family, generation, mac] = token.split('.');
    const second = (await tokens.refresh(token))!;
    for (const forged of [
      `${family}.${generation}.${mac!.replace(/.$/, (c) => (c === 'A' ? 'B' : 'A'))}`,
      `${family}.9.${mac}`,
      `${family}.0.${mac}`,
      `${'A'.repeat(22)}.1.${mac}`,
      '',
      'x',
    ])
      assert.equal(await tokens.refresh(forged), undefined);
    assert.ok(await tokens.refresh(second.token));
  });

  test('end with a logout, and everywhere at once, those that are being started too', async () => {
    const tokens = open();
    const one = await tokens.start('eva');
    const two = await tokens.start('eva');
    assert.equal(await tokens.end(one.token), true);
    assert.equal(await tokens.end(one.token), false);
    await refused(() => tokens.refresh(one.token), 'REDKEEP_TOKEN_REUSED');
    assert.equal(await tokens.endAll('eva'), 1);
    await refused(() => tokens.refresh(two.token), 'REDKEEP_TOKEN_REUSED');
    const starting = Array.from({ length: 30 }, () => tokens.start('eva').catch(() => undefined));
    await tokens.endAll('eva');
    await Promise.all(starting);
    await tokens.endAll('eva');
    assert.equal(await tokens.endAll('eva'), 0);
  });
});

describe('API keys', () => {
  const open = () => new ApiKeys({ client: redis.client, encryption, label: 'acme' });

  test('are recognisable, verified, scoped, listed and revoked by their owner alone', async () => {
    const keys = open();
    const { key, info } = await keys.create({ owner: 'ana', name: 'CI', scopes: ['read', 'deploy:web'] });
    assert.match(key, /^acme_[\w-]{59}$/);
    const found = await keys.verify(key, { scope: 'read' });
    assert.deepEqual([found?.id, found?.owner, found?.scopes], [info.id, 'ana', ['read', 'deploy:web']]);
    assert.equal(await keys.verify(key, { scope: 'write' }), undefined);
    await refused(() => keys.verify(key, { scope: undefined } as never), 'REDKEEP_GUARD_ARGUMENT');
    const [listed] = await keys.list('ana');
    assert.ok(listed?.name === 'CI' && listed.lastUsedAt !== undefined);
    assert.ok(!JSON.stringify(listed).includes(key.slice(-43)));
    assert.equal(await keys.revoke('mallory', info.id), false);
    assert.equal(await keys.revoke('ana', info.id), true);
    assert.equal(await keys.verify(key), undefined);
    assert.deepEqual(await keys.list('ana'), []);
  });

  test('are refused what is not a request for a key', async () => {
    const apiKeys = new ApiKeys({ client: redis.client, encryption, label: 'acme' });
    const good = { owner: 'ana', name: 'CI', scopes: ['read'] };
    for (const wrong of [
      { scopes: 'admin' },
      { scopes: Array(101).fill('a') },
      { name: undefined },
      { name: 'x'.repeat(201) },
    ])
      await refused(() => apiKeys.create({ ...good, ...wrong } as never), 'REDKEEP_GUARD_ARGUMENT');
  });

  test('nothing but the key itself verifies, and a dump yields none', async () => {
    const keys = open();
    const { key, info } = await keys.create({ owner: 'leo', name: 'x', scopes: [] });
    for (const wrong of [
      key.slice(0, -1),
      `${key}x`,
      key.replace('acme', 'other'),
      `acme_${'A'.repeat(59)}`,
      '',
      undefined,
    ])
      assert.equal(await keys.verify(wrong as string), undefined);
    const dump = String(await redis.server.command('DUMP', `apikey:{${info.id}}`));
    assert.ok(!dump.includes(key.slice(-43)) && !dump.includes('leo'));
    // One's own hash written over another's key does not give its rights: they are sealed for that key.
    const mine = await keys.create({ owner: 'mallory', name: 'x', scopes: [] });
    const [, body] = (await redis.client
      .withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
      .hmGet(`apikey:{${info.id}}`, ['h', 'v'])) as unknown as [Buffer, Buffer];
    await redis.client.hSet(`apikey:{${mine.info.id}}`, 'v', body);
    await refused(() => keys.verify(mine.key), 'REDKEEP_ENCRYPTION_TAMPERED');
  });

  test('end with their time, which is inside what is sealed', async (t) => {
    const keys = open();
    const { key, info } = await keys.create({ owner: 'eva', name: 'x', scopes: [], ttlMs: 60_000 });
    await redis.server.command('PERSIST', `apikey:{${info.id}}`);
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 61_000 });
    assert.equal(await keys.verify(key), undefined);
  });
});
