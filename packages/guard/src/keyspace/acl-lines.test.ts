/** Each guard does all its work as the ACL user made for it, and that user can do nothing else. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { createClient, ErrorReply, type RedisClient } from 'redkeep';
import type { Anchor } from '../audit-trail/anchor.js';
import { AuditReader } from '../audit-trail/audit-reader.js';
import { AuditTrail } from '../audit-trail/audit-trail.js';
import { Cache } from '../cache/cache.js';
import { EncryptedHash } from '../encryption/encrypted-hash.js';
import { EnvelopeKeys } from '../encryption/envelope-keys.js';
import { redisKeyStore } from '../encryption/key-store.js';
import { PersonKeys } from '../encryption/person-keys.js';
import { keysFromValue } from '../encryption/providers/local.js';
import { localWrapper } from '../encryption/providers/wrappers.js';
import { IdempotencyKeys } from '../idempotency/idempotency.js';
import { Locks } from '../lock/locks.js';
import { Semaphores } from '../lock/semaphores.js';
import { LoginThrottle } from '../login/login-throttle.js';
import { guardLibrary } from '../needs.js';
import { RateLimiter } from '../rate-limit/rate-limiter.js';
import { expressSessionStore } from '../session/express-store.js';
import { Sessions } from '../session/sessions.js';
import { keyA, keyB, refused, testEncryption, useServer } from '../testing/support.js';
import { ApiKeys } from '../tokens/api-keys.js';
import { OneTimeTokens } from '../tokens/one-time-tokens.js';
import { RefreshTokens } from '../tokens/refresh-tokens.js';
import { TokenDenylist } from '../tokens/token-denylist.js';
import { defineKeyspaces } from './keyspaces.js';

const redis = useServer();
const hour = 3_600_000;
const spaces = defineKeyspaces({
  notes: { prefix: 'note:', codec: 'text', defaultTtlMs: hour, encrypted: true, user: 'app' },
  counters: { prefix: 'count:', defaultTtlMs: hour, user: 'app' },
  sessions: { prefix: 'sess:', use: 'sessions', user: 'app' },
  limits: { prefix: 'limit:', use: 'limits', user: 'limiter' },
  locks: { prefix: 'lock:', use: 'locks', user: 'worker' },
  cache: { prefix: 'cache:', use: 'cache', user: 'worker' },
  audit: { prefix: 'audit:', use: 'audit', user: 'app', auditor: 'auditor' },
  keys: { prefix: 'redkeep:keys:', use: 'keys', user: 'keeper' },
  logins: { prefix: 'login:', use: 'login', user: 'web' },
  tokens: { prefix: 'token:', use: 'tokens', user: 'web' },
  denied: { prefix: 'deny:', use: 'denylist', user: 'web' },
  refresh: { prefix: 'refresh:', use: 'refreshTokens', user: 'web' },
  apiKeys: { prefix: 'apikey:', use: 'apiKeys', user: 'web' },
  requests: { prefix: 'idem:', use: 'idempotency', user: 'web' },
  places: { prefix: 'sem:', use: 'semaphores', user: 'web' },
  reports: { prefix: 'lock2:', use: 'locks', user: 'reporter', guards: ['report:'] },
  jobs: { prefix: 'job:', use: 'lists', user: 'queue' },
  events: { prefix: 'event:', use: 'streams', user: 'queue' },
});

const clients = new Map<string, RedisClient>();
const as = (user: string) => clients.get(user)!;
const ignore = () => undefined;

for (const functions of [false, true]) aclLinesSuffice(functions);

function aclLinesSuffice(functions: boolean): void {
  describe(`with the ACL lines of its key spaces, ${functions ? 'by functions' : 'by EVALSHA'}`, () => {
    before(async () => {
      await redis.server.command('FLUSHALL');
      if (functions) await redis.server.command('FUNCTION', 'LOAD', 'REPLACE', guardLibrary().code);
      for (const line of spaces.aclLines({ functions })) {
        const [, user, ...rules] = line.match(/\([^)]*\)|\S+/g)!;
        await redis.server.command('ACL', 'SETUSER', user!, 'reset', ...rules, '>a password of the test');
        const client = createClient({ url: redis.server.url, username: user!, password: 'a password of the test' });
        client.on('error', ignore);
        clients.set(user!, await client.connect());
      }
    });
    after(() => {
      for (const client of clients.values()) client.destroy();
    });

    test('nothing runs in another way than the users are allowed', async () => {
      const ways = (await redis.server.command('ACL', 'GETUSER', 'app')) as unknown[];
      assert.equal(/\+eval/.test(JSON.stringify(ways)), !functions);
      assert.equal(/\+fcall/.test(JSON.stringify(ways)), functions);
    });

    test('the views work', async () => {
      const { notes, counters } = spaces.open(as('app'), { encryption: testEncryption() });
      await notes.set('1', 'x');
      assert.deepEqual(await notes.getMany(['1', '2']), ['x', undefined]);
      assert.equal(await counters.increment('n'), 1);
      assert.ok((await counters.ttl('n'))! > 0 && (await counters.expire('n', 1000)) && (await counters.has('n')));
      assert.equal(await notes.take('1'), 'x');
      assert.equal(await counters.delete('n'), true);
      for await (const key of notes.keys()) assert.fail(key);
      const hash = new EncryptedHash({ client: as('app'), encryption: testEncryption(), space: 'notes', ttlMs: hour });
      await hash.set('note:hash', { a: '1' });
      assert.deepEqual({ ...(await hash.getAll('note:hash')) }, { a: '1' });
      assert.equal(await hash.get('note:hash', 'a'), '1');
    });

    test('sessions work', async () => {
      const options = { client: as('app'), encryption: testEncryption() };
      const sessions = new Sessions({ ...options, maxPerUser: 2, onLimit: 'refuse' });
      const made = await sessions.create({ user: 'ana', data: {} });
      const session = await sessions.rotate((await sessions.load(made.id))!, { user: 'eva' });
      await sessions.save(session);
      assert.equal(await sessions.touch(session), true);
      await sessions.create({ user: 'eva', data: {} });
      await refused(() => sessions.create({ user: 'eva', data: {} }), 'REDKEEP_SESSION_LIMIT');
      assert.equal(await sessions.destroyAll('eva'), 2);
      const Store = expressSessionStore(class {}, options);
      const store = new Store();
      await store.set('a'.repeat(32), {});
      assert.equal(await store.length(), 1);
      assert.equal((await store.all()).length, 1);
      await store.clear();
    });

    test('limits, locks and the cache work', async () => {
      const limits = [
        { name: 'a', limit: 2, periodMs: hour },
        { name: 'b', limit: 2, periodMs: hour, algorithm: 'sliding-window' },
      ] as const;
      for (const own of [limits, limits.slice(0, 1)]) {
        const limiter = new RateLimiter({ client: as('limiter'), limits: own, timeoutMs: 2000 });
        assert.equal((await limiter.check('x')).source, 'redis');
        await limiter.penalize('x', 1);
        await limiter.reward('x', 1);
        await limiter.block('x', 1000);
        await limiter.unblock('x');
        await limiter.reset('x');
      }
      const locks = new Locks({ client: as('worker') });
      const held = await locks.acquire('a');
      const waiting = locks.acquire('a', { waitMs: 20_000 });
      await held.release();
      await (await waiting).release();
      const errors: unknown[] = [];
      const onError = (error: unknown) => errors.push(error);
      const cache = new Cache({ client: as('worker'), ttlMs: hour, timeoutMs: 2000, onError });
      await cache.get('k', async () => 1);
      assert.equal(await cache.get('k', async () => 2), 1);
      await cache.delete('k');
      await cache.clear();
      assert.deepEqual(errors, []);
    });

    test('the trail is written by one, and read and trimmed by another', async () => {
      const pair = generateKeyPairSync('ed25519');
      const anchors: Anchor[] = [];
      const trailAs = (user: string) =>
        new AuditTrail({
          client: as(user),
          chainKey: keyA,
          spool: 'none',
          signWith: pair.privateKey,
          onAnchor: (anchor) => void anchors.push(anchor),
        });
      const writer = trailAs('app');
      await writer.record({ actor: 'ana', action: 'x' });
      const anchor = await writer.anchor();
      await refused(() => writer.trim(anchor), 'REDKEEP_STORE_DENIED');
      for (const command of [['DEL'], ['XDEL'], ['XTRIM'], ['UNLINK'], ['PEXPIRE']])
        await assert.rejects(as('app').sendCommand([...command, '{audit}:stream', '1', '0-0']), /NOPERM/);
      await refused(() => trailAs('auditor').record({ actor: 'x', action: 'x' }), 'REDKEEP_STORE_DENIED');
      const verified = await new AuditReader({ client: as('auditor'), chainKey: keyA }).verify({
        anchors: anchors.filter(({ kind }) => kind === 'head'),
        publicKey: pair.publicKey,
      });
      assert.equal(verified.ok, true);
      assert.equal(await trailAs('auditor').trim(anchor), 1);
      await writer.close();
    });

    test('keys are kept, and erasures announced', async () => {
      const client = as('keeper');
      const wrapper = localWrapper(keysFromValue([keyA]), 'test');
      const encryption = testEncryption({ keys: new EnvelopeKeys({ wrapper, store: redisKeyStore(client) }) });
      const persons = new PersonKeys({
        encryption,
        wrapper,
        store: redisKeyStore(client),
        data: redis.client,
        announce: client,
        dangerouslyKeepKeysWithData: true,
        pseudonymKey: keyB,
      });
      await persons.listen();
      await encryption.seal('x', { space: 's', key: 'k' });
      await persons.sealer('ana').seal('x', { space: 's', key: 'k' });
      await persons.erase('ana');
      await assert.rejects(client.publish('other', 'x'), /NOPERM/);
    });

    test('logins, tokens, keys, idempotency and semaphores work', async () => {
      const client = as('web');
      const encryption = testEncryption();
      const throttle = new LoginThrottle({ client, key: keyA });
      const attempt = await throttle.begin({ account: 'ana', address: '192.0.2.101' });
      const device = await attempt.succeeded();
      assert.equal((await throttle.begin({ account: 'ana', address: '192.0.2.101', device })).knownDevice, true);
      const tokens = new OneTimeTokens({ client, encryption, key: keyA });
      const token = await tokens.issue({ purpose: 'x', subject: 'ana' });
      assert.ok(await tokens.redeem('x', token));
      await tokens.issueCode({ purpose: 'x', subject: 'ana' });
      await tokens.redeemCode('x', 'ana', '000000');
      await tokens.revoke('x', 'ana');
      const denylist = new TokenDenylist({ client, timeoutMs: 2000 });
      await denylist.revoke('id', Date.now() + hour);
      await denylist.revokeAllOf('ana');
      assert.equal(await denylist.isRevoked({ id: 'id', subject: 'ana', issuedAt: 1 }), true);
      const refresh = new RefreshTokens({ client, encryption, keys: [keyA] });
      const next = await refresh.refresh((await refresh.start('ana')).token);
      assert.equal(await refresh.end(next!.token), true);
      await refresh.endAll('ana');
      const apiKeys = new ApiKeys({ client, encryption, label: 'acme' });
      const { key, info } = await apiKeys.create({ owner: 'ana', name: 'x', scopes: [] });
      assert.ok(await apiKeys.verify(key));
      assert.equal((await apiKeys.list('ana')).length, 1);
      assert.equal(await apiKeys.revoke('ana', info.id), true);
      const once = new IdempotencyKeys({ client, encryption });
      const request = { key: 'a key of 16 or more', scope: 'ana', fingerprint: 'x' };
      await assert.rejects(
        once.run(request, () => Promise.reject(new Error('failed'))),
        /failed/,
      );
      assert.equal((await once.run(request, async () => 1)).value, 1);
      const semaphores = new Semaphores({ client });
      const permit = await semaphores.acquire('a', { places: 1 });
      assert.equal(await semaphores.count('a'), 1);
      assert.equal(await permit.release(), true);
    });

    test('a holder writes what it guards under the rules of its locks', async () => {
      const locks = new Locks({ client: as('reporter'), prefix: 'lock2:' });
      const lock = await locks.acquire('nightly');
      await lock.guardedSet('report:latest', 'ready', hour);
      await refused(() => lock.guardedSet('note:1', 'x', hour), 'REDKEEP_STORE_DENIED');
      await lock.release();
    });

    test('queues work', async () => {
      const client = as('queue');
      await client.lPush('job:1', 'x');
      assert.equal(await client.rPop('job:1'), 'x');
      await client.xGroupCreate('event:1', 'g', '$', { MKSTREAM: true });
      await client.xAdd('event:1', '*', { a: '1' });
      assert.equal((await client.xLen('event:1')) as number, 1);
    });

    test('nobody reaches the keys of another, or does with one space what only another needs', async () => {
      const denied: [string, string[]][] = [
        ['app', ['GET', 'limit:x']],
        ['app', ['GET', 'sess:{x}']],
        ['app', ['HDEL', 'note:1', 'a']],
        ['app', ['EVAL', "return redis.call('GET', 'limit:x')", '0']],
        ['limiter', ['GET', 'note:1']],
        ['worker', ['LPUSH', 'cache:1', 'x']],
        ['queue', ['XADD', 'job:1', '*', 'a', 'b']],
        ['auditor', ['GET', 'note:1']],
      ];
      for (const [user, command] of denied)
        await assert.rejects(as(user).sendCommand(command), (error) => {
          // What a script ran into is kept off the message, since a script can say anything.
          assert.ok(error instanceof ErrorReply, command.join(' '));
          assert.match(error.serverMessage, /NOPERM|No permissions|can't access/i, command.join(' '));
          return true;
        });
      for (const user of clients.keys())
        for (const command of [
          ['FLUSHALL'],
          ['CONFIG', 'GET', '*'],
          ['KEYS', '*'],
          ['ACL', 'LIST'],
          ['DEBUG', 'SLEEP', '0'],
        ])
          await assert.rejects(as(user).sendCommand(command), `${user} ${command.join(' ')}`);
    });
  });
}

test('lines of a cluster ask for its topology', () => {
  const lines = defineKeyspaces({ a: { prefix: 'a:', user: 'app' } }).aclLines({ cluster: true });
  assert.match(lines.join(), /\+cluster\|slots/);
});
