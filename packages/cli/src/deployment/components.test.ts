import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import {
  ApiKeys,
  AuditReader,
  AuditTrail,
  Cache,
  defineKeyspaces,
  EncryptedHash,
  Encryption,
  EnvelopeKeys,
  guardKeyPattern,
  IdempotencyKeys,
  keysFromValue,
  LeaderElection,
  Locks,
  LoginThrottle,
  localWrapper,
  OneTimeTokens,
  PersonKeys,
  RateLimiter,
  RefreshTokens,
  redisKeyStore,
  reencrypt,
  Semaphores,
  Sessions,
  scriptsRun,
  TokenDenylist,
} from '@redkeep/guard';
import { freePort } from '@redkeep/testing';
import type { RedisClient } from 'redkeep';
import { openDeployment } from '../testing/open-deployment.js';
import { CliSandbox } from '../testing/run-cli.js';
import { allComponents } from './components.js';

/** A running deployment of one node, with these answers to `init`. */
async function start(sandbox: CliSandbox, answers: readonly string[]): Promise<void> {
  const port = String(await freePort());
  for (const command of [
    ['init', '--yes', '--port', port, ...answers],
    ['up', '--detach'],
  ]) {
    const { code, err } = await sandbox.run(command);
    assert.equal(code, 0, err);
  }
}

describe('an application that declares components of guard', () => {
  let sandbox: CliSandbox;
  let web: RedisClient;
  before(async () => {
    sandbox = await CliSandbox.create();
    await start(sandbox, ['--app', 'shop', '--components', 'web=sessions,limits,locks,cache']);
    web = await (await openDeployment(sandbox)).connect('web');
  });
  after(async () => {
    web?.destroy();
    await sandbox.remove();
  });

  test('runs them as its user, without EVAL', async () => {
    const encryption = new Encryption({ keys: keysFromValue(randomBytes(32)), environment: 'test' });
    const sessions = new Sessions<{ basket: string[] }>({ client: web, encryption, maxPerUser: 5 });
    const visitor = await sessions.create({ data: { basket: ['book'] } });
    const known = await sessions.rotate(visitor, { user: 'ana' });
    assert.deepEqual((await sessions.load(known.id))?.data, { basket: ['book'] });
    assert.equal(await sessions.destroyAll('ana'), 1);

    const limiter = new RateLimiter({
      client: web,
      onStoreError: 'deny',
      limits: [{ name: 'm', limit: 1, periodMs: 60_000 }],
    });
    assert.deepEqual([(await limiter.check('ana')).allowed, (await limiter.check('ana')).allowed], [true, false]);

    assert.equal(await new Locks({ client: web }).using('invoice', { ttlMs: 5000 }, async () => 'done'), 'done');
    const cache = new Cache({ client: web, ttlMs: 60_000 });
    assert.equal(await cache.get('price', async () => 42), 42);
    await assert.rejects(web.sendCommand(['EVAL', 'return 1', '0']), /NOPERM/);
  });

  test('gives each only what it needs on its own keys', async () => {
    await web.sendCommand(['HSET', 'sess:x', 'f', 'v']);
    await assert.rejects(web.sendCommand(['HSET', 'cache:x', 'f', 'v']), /NOPERM/, 'a cache keeps strings');
    await assert.rejects(web.sendCommand(['LPUSH', 'sess:list', 'v']), /NOPERM/, 'lists belong to locks');
    await assert.rejects(web.sendCommand(['GET', 'shop:1']), /NOPERM/, "another application's key");
    const test = await sandbox.run(['acl', 'test']);
    assert.equal(test.code, 0, test.out);
  });

  test('leaves nothing for apply to do, and nothing of high severity for the audit', async () => {
    assert.match((await sandbox.run(['apply'])).err, /Every node runs with what the folder says/);
    const audit = await sandbox.run(['audit', 'redkeep', '--json']);
    const { findings } = JSON.parse(audit.out) as { findings: { id: string; severity: string; status: string }[] };
    const authorization = findings.filter(({ id, status }) => id.startsWith('ACL-') && status === 'fail');
    assert.deepEqual(authorization, []);
  });
});

/** Words of the rules of a user that `init --components` makes. */
async function rulesOf(components: string): Promise<string> {
  const sandbox = await CliSandbox.create();
  try {
    const init = await sandbox.run(['init', '--yes', '--port', '7000', '--components', components]);
    assert.equal(init.code, 0, init.err);
    const lines = (await readFile(sandbox.path('redkeep/nodes/node-1/users.acl'), 'utf8')).split('\n');
    return lines.find((line) => line.startsWith('user web ')) ?? '';
  } finally {
    await sandbox.remove();
  }
}

describe('every component of guard, as the user that init makes', () => {
  let sandbox: CliSandbox;
  let client: RedisClient;
  const hour = 3_600_000;
  const key = 'ab'.repeat(31).concat('cd');
  const encryption = new Encryption({ keys: keysFromValue(key), environment: 'test' });
  before(async () => {
    sandbox = await CliSandbox.create();
    const web = `web=${allComponents.map((name) => (name === 'locks' ? 'locks+app:' : name)).join(',')}`;
    await start(sandbox, ['--components', web, '--components', 'checker=auditor']);
    client = await (await openDeployment(sandbox)).connect('web');
  });
  after(async () => {
    client?.destroy();
    await sandbox.remove();
  });

  test('values, hashes, locks that guard values, the cache, semaphores, the leader', async () => {
    const { notes } = defineKeyspaces({ notes: { prefix: 'app:note:', defaultTtlMs: hour, encrypted: true } }).open(
      client,
      { encryption },
    );
    await notes.set('1', { text: 'x' });
    assert.deepEqual(await notes.take('1'), { text: 'x' });
    const hash = new EncryptedHash({ client, encryption, space: 'people', ttlMs: hour });
    await hash.set('app:person:1', { name: 'Ana' });
    assert.deepEqual({ ...(await hash.getAll('app:person:1')) }, { name: 'Ana' });
    const contextOf = (at: string, field: string | undefined) => ({ space: 'people', key: at, field: field ?? '' });
    assert.equal((await reencrypt({ client, encryption, match: 'app:person:*', contextOf, rate: 1e6 })).failed, 0);
    const locks = new Locks({ client });
    await locks.using('invoice', { ttlMs: 5000 }, (lock) => lock.guardedSet('app:invoice', 'x', hour));
    assert.equal(await client.get('app:invoice'), 'x');
    await assert.rejects(
      locks.using('invoice', { ttlMs: 5000 }, (lock) => lock.guardedSet('shop:invoice', 'x', hour)),
      { code: 'REDKEEP_STORE_DENIED' },
    );
    const stopping = new AbortController();
    const election = new LeaderElection({ locks, name: 'scheduler' });
    await election.campaign(async () => stopping.abort(), { signal: stopping.signal });
    const permit = await new Semaphores({ client }).acquire('reports', { places: 1 });
    assert.equal(await permit.release(), true);
    const cache = new Cache({ client, ttlMs: hour, onError: assert.ifError });
    assert.equal(await cache.get('price', async () => 42), 42);
    await cache.clear();
  });

  test('sessions, limits, the login throttle, tokens, keys of programs, requests that run once', async () => {
    const sessions = new Sessions({ client, encryption, maxPerUser: 2 });
    const made = await sessions.create({ user: 'ana', data: {} });
    assert.equal((await sessions.list('ana', { current: made.id }))[0]?.current, true);
    assert.equal(await sessions.destroyAll('ana'), 1);
    const limits = [{ name: 'a', limit: 1, periodMs: hour, algorithm: 'sliding-window' }] as const;
    assert.equal((await new RateLimiter({ client, limits, onStoreError: 'deny' }).check('ana')).allowed, true);
    const throttle = new LoginThrottle({ client, key });
    await (await throttle.begin({ account: 'ana', address: '192.0.2.7' })).succeeded();
    const tokens = new OneTimeTokens({ client, encryption, key });
    const link = await tokens.issue({ purpose: 'link', subject: 'ana' });
    assert.equal((await tokens.redeem('link', link))?.subject, 'ana');
    await tokens.revoke('link', 'ana');
    const refresh = new RefreshTokens({ client, encryption, keys: [key] });
    assert.equal((await refresh.refresh((await refresh.start('ana')).token))?.user, 'ana');
    assert.equal(await refresh.endAll('ana'), 1);
    const denylist = new TokenDenylist({ client });
    await denylist.revokeAllOf('ana');
    assert.equal(await denylist.isRevoked({ id: 'x', subject: 'ana', issuedAt: 1 }), true);
    const apiKeys = new ApiKeys({ client, encryption, label: 'acme' });
    const { key: secret, info } = await apiKeys.create({ owner: 'ana', name: 'CI', scopes: ['read'] });
    assert.equal((await apiKeys.verify(secret, { scope: 'read' }))?.owner, 'ana');
    assert.equal(await apiKeys.revoke('ana', info.id), true);
    const once = new IdempotencyKeys({ client, encryption });
    const request = { key: 'a key of sixteen', scope: 'ana', fingerprint: 'x' };
    assert.deepEqual(await once.run(request, async () => 1), { value: 1, replayed: false });
    assert.deepEqual(await once.run(request, async () => 2), { value: 1, replayed: true });
  });

  test('the audit trail and its auditor, keys of the data and of persons', async () => {
    const trail = new AuditTrail({ client, chainKey: key, spool: 'none' });
    await trail.record({ actor: 'ana', action: 'x' });
    await trail.close();
    await assert.rejects(client.sendCommand(['XTRIM', '{audit}:stream', 'MAXLEN', '0']), /NOPERM/);
    const auditor = await (await openDeployment(sandbox)).connect('checker');
    assert.equal((await new AuditReader({ client: auditor, chainKey: key }).verify()).ok, true);
    auditor.destroy();
    const wrapper = localWrapper(keysFromValue(key), 'test');
    const store = redisKeyStore(client);
    await new EnvelopeKeys({ wrapper, store }).rotate();
    const persons = new PersonKeys({
      encryption,
      wrapper,
      store,
      data: client,
      pseudonymKey: key,
      dangerouslyKeepKeysWithData: true,
    });
    await persons.sealer('ana').seal('x', { space: 's', key: 'k' });
    assert.deepEqual(await persons.rewrapAll(), { rewrapped: 1, failed: 0 });
    assert.deepEqual((await persons.erase('ana')).replication, { replicas: 0, confirmed: 0 });
  });

  test('all of it by functions, and nothing that was denied', async () => {
    assert.deepEqual(scriptsRun(client), { way: 'functions' });
    await assert.rejects(client.sendCommand(['EVAL', 'return 1', '0']), /NOPERM/);
  });

  test('all but the auditor are what "all" stands for', async () => {
    const rules = await rulesOf('web=all');
    for (const name of allComponents) assert.ok(rules.includes(guardKeyPattern(name)), name);
    assert.ok(!rules.includes('xtrim'));
  });
});
