/** Every guard on what else the client offers than one connection: a pool, a cluster, servers behind Sentinel. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import {
  type Cluster,
  findEngines,
  type SentinelSetup,
  type Server,
  startCluster,
  startSentinel,
  startServer,
  waitFor,
} from '@redkeep/testing';
import { createClient, createClientPool, createCluster, createSentinel } from 'redkeep';
import type { Anchor } from './audit-trail/anchor.js';
import { AuditReader } from './audit-trail/audit-reader.js';
import { AuditTrail } from './audit-trail/audit-trail.js';
import { Cache } from './cache/cache.js';
import { EncryptedHash } from './encryption/encrypted-hash.js';
import { EnvelopeKeys } from './encryption/envelope-keys.js';
import { redisKeyStore } from './encryption/key-store.js';
import { PersonKeys } from './encryption/person-keys.js';
import { keysFromValue } from './encryption/providers/local.js';
import { localWrapper } from './encryption/providers/wrappers.js';
import { reencrypt } from './encryption/reencrypt.js';
import { hasCode } from './errors.js';
import { IdempotencyKeys } from './idempotency/idempotency.js';
import { defineKeyspaces } from './keyspace/keyspaces.js';
import { Locks } from './lock/locks.js';
import { Semaphores } from './lock/semaphores.js';
import { LoginThrottle } from './login/login-throttle.js';
import { guardLibrary } from './needs.js';
import { RateLimiter } from './rate-limit/rate-limiter.js';
import type { GuardClient } from './redis/redis.js';
import { Sessions } from './session/sessions.js';
import { keyA, keyB, refused, testEncryption } from './testing/support.js';
import { ApiKeys } from './tokens/api-keys.js';
import { OneTimeTokens } from './tokens/one-time-tokens.js';
import { RefreshTokens } from './tokens/refresh-tokens.js';
import { TokenDenylist } from './tokens/token-denylist.js';

const hour = 3_600_000;
/** More than the slots of one master hold by chance. */
const MANY = Array.from({ length: 40 }, (_, i) => `user-${i}`);

interface Setup {
  readonly client: GuardClient;
  close(): Promise<void>;
}

function guardsOn(name: string, start: () => Promise<Setup>): void {
  describe(`on ${name}`, () => {
    let setup: Setup;
    before(async () => {
      setup = await start();
    });
    after(() => setup.close());

    test('sessions are made, changed, rotated and ended everywhere', async () => {
      const sessions = new Sessions<{ n: number }>({ client: setup.client, encryption: testEncryption() });
      const made = await Promise.all(MANY.map((user, n) => sessions.create({ user, data: { n } })));
      for (const [n, { id }] of made.entries()) assert.equal((await sessions.load(id))?.data.n, n);
      const rotated = await Promise.all(made.map((session) => sessions.rotate(session)));
      const second = await sessions.create({ user: MANY[0]!, data: { n: 0 } });
      await sessions.update(second.id, () => ({ n: 7 }));
      assert.equal((await sessions.load(second.id))?.data.n, 7);
      assert.equal(await sessions.destroyAll(MANY[0]!), 2);
      assert.equal(await sessions.load(rotated[0]!.id), undefined);
      await refused(() => sessions.save(second), 'REDKEEP_SESSION_GONE');
      assert.equal(await sessions.count(MANY[1]!), 1);
    });

    test('key spaces read, write, count, and list keys of all servers', async () => {
      const spaces = defineKeyspaces({
        notes: { prefix: 'note:', encrypted: true, codec: 'text', defaultTtlMs: hour },
        counters: { prefix: 'count:', defaultTtlMs: hour },
      });
      const { notes, counters } = spaces.open(setup.client, { encryption: testEncryption() });
      await Promise.all(MANY.map((user) => notes.set(user, `of ${user}`)));
      assert.deepEqual(
        await notes.getMany(MANY),
        MANY.map((user) => `of ${user}`),
      );
      assert.equal(await counters.increment('n', 2), 2);
      const found = new Set<string>();
      for await (const key of notes.keys('user-*')) found.add(key);
      assert.deepEqual([...found].sort(), [...MANY].sort());
    });

    test('limits count together, several at once', async () => {
      const limits = [
        { name: 'second', limit: 2, periodMs: hour },
        { name: 'day', limit: 5, periodMs: hour, algorithm: 'sliding-window' },
      ] as const;
      const limiter = new RateLimiter({ client: setup.client, timeoutMs: 5000, limits });
      const decisions = await Promise.all(MANY.flatMap((user) => [1, 2, 3].map(() => limiter.check(user))));
      assert.equal(decisions.filter(({ allowed }) => allowed).length, 2 * MANY.length);
      assert.ok(decisions.every(({ source }) => source === 'redis'));
      await limiter.block('user-0', hour);
      assert.equal((await limiter.check('user-0')).blocked, true);
      await limiter.unblock('user-0');
      await limiter.reset('user-0');
      assert.equal((await limiter.check('user-0')).allowed, true);
    });

    test('locks exclude, wake and fence', async () => {
      const locks = new Locks({ client: setup.client });
      for (const name of MANY.slice(0, 6)) {
        const held = await locks.acquire(name, { ttlMs: 60_000 });
        await refused(() => locks.acquire(name), 'REDKEEP_LOCK_TIMEOUT');
        const waiting = locks.acquire(name, { waitMs: 60_000 });
        await held.release();
        const next = await waiting;
        for (const key of [`resource:${name}`, `{${name}}:resource`, `resource{${name}`]) {
          await next.guardedSet(key, 'new', hour);
          await refused(() => held.guardedSet(key, 'old', hour), 'REDKEEP_LOCK_FENCED');
        }
        await next.release();
      }
    });

    test('the cache loads once and clears', async () => {
      const cache = new Cache({ client: setup.client, ttlMs: hour, timeoutMs: 5000 });
      let loads = 0;
      const load = async () => ++loads;
      await Promise.all(MANY.map((user) => cache.get(user, load)));
      await Promise.all(MANY.map((user) => cache.get(user, load)));
      assert.equal(loads, MANY.length);
      await cache.clear();
      await cache.get('user-0', load);
      assert.equal(loads, MANY.length + 1);
      await cache.delete('user-0');
      const odd = ['', '.', '}', '.}', '}x', '{', '{}', '{}x', 'a}b', '}{', ' ', '\n'];
      for (const key of odd) {
        assert.equal(await cache.get(key, async () => `of ${key}`), `of ${key}`);
        await cache.set(key, `now ${key}`);
      }
      for (const key of odd) assert.equal(await cache.get(key, load), `now ${key}`, 'none is in the place of another');
      for (const key of odd) await cache.delete(key);
      assert.equal(loads, MANY.length + 1);
    });

    test('logins are slowed down, tokens redeemed once, requests run once, places limited, keys verified', async () => {
      const { client } = setup;
      const encryption = testEncryption();
      const throttle = new LoginThrottle({ client, key: keyA });
      const attempts = await Promise.all(
        MANY.map((user, at) =>
          Promise.all(
            Array.from({ length: 7 }, (_, i) =>
              throttle.begin({ account: user, address: `10.${at >> 8}.${at & 255}.${i}` }),
            ),
          ),
        ),
      );
      assert.ok(attempts.every((own) => own.filter(({ allowed }) => allowed).length === 5));
      const tokens = new OneTimeTokens({ client, encryption, key: keyA });
      const refresh = new RefreshTokens({ client, encryption, keys: [keyA] });
      const once = new IdempotencyKeys({ client, encryption, waitMs: 10_000 });
      const semaphores = new Semaphores({ client });
      const apiKeys = new ApiKeys({ client, encryption, label: 'acme' });
      const denylist = new TokenDenylist({ client, timeoutMs: 5000 });
      for (const user of MANY.slice(0, 8)) {
        const token = await tokens.issue({ purpose: 'link', subject: user });
        const redeemed = await Promise.all([1, 2, 3].map(() => tokens.redeem('link', token)));
        assert.equal(redeemed.filter((found) => found?.subject === user).length, 1);
        const first = await refresh.start(user);
        assert.equal((await refresh.refresh(first.token))?.user, user);
        assert.equal(await refresh.endAll(user), 1);
        let runs = 0;
        const request = { key: `a request of ${user}`, scope: user, fingerprint: 'x' };
        await Promise.all([1, 2, 3].map(() => once.run(request, async () => ++runs)));
        assert.equal(runs, 1);
        const permit = await semaphores.acquire(user, { places: 1 });
        await refused(() => semaphores.acquire(user, { places: 1 }), 'REDKEEP_LOCK_TIMEOUT');
        await permit.release();
        const { key, info } = await apiKeys.create({ owner: user, name: 'x', scopes: ['read'] });
        assert.equal((await apiKeys.verify(key, { scope: 'read' }))?.owner, user);
        assert.equal(await apiKeys.revoke(user, info.id), true);
        await denylist.revoke(info.id, Date.now() + hour);
        assert.equal(await denylist.isRevoked({ id: info.id }), true);
      }
    });

    test('a count beside logins takes none of them out of "log out everywhere"', async () => {
      const sessions = new Sessions({ client: setup.client, encryption: testEncryption() });
      const others = new Sessions({ client: setup.client, encryption: testEncryption() });
      const made = Array.from({ length: 100 }, () => sessions.create({ user: 'beside', data: {} }));
      const counts = Array.from({ length: 100 }, () => others.count('beside'));
      await Promise.all([...made, ...counts]);
      assert.equal(await others.destroyAll('beside'), 100);
      assert.equal(await others.count('beside'), 0);
    });

    test('the audit trail is one chain that verifies and is trimmed', async () => {
      const pair = generateKeyPairSync('ed25519');
      const anchors: Anchor[] = [];
      const trail = new AuditTrail({
        client: setup.client,
        chainKey: keyA,
        spool: 'none',
        signWith: pair.privateKey,
        onAnchor: (anchor) => void anchors.push(anchor),
      });
      await Promise.all(MANY.map((actor) => trail.record({ actor, action: 'x' })));
      const anchor = await trail.anchor();
      assert.equal(await trail.trim(anchor), MANY.length);
      await trail.record({ actor: 'last', action: 'x' });
      await trail.close();
      const report = await new AuditReader({ client: setup.client, chainKey: keyA }).verify({
        anchors,
        publicKey: pair.publicKey,
      });
      assert.deepEqual([report.ok, report.checked], [true, 1]);
    });

    test('keys are shared, people erased, values re-encrypted on all servers', async () => {
      const wrapper = localWrapper(keysFromValue([keyA]), 'test');
      const store = redisKeyStore(setup.client);
      const keys = new EnvelopeKeys({ wrapper, store });
      const encryption = testEncryption({ keys });
      const hash = new EncryptedHash({ client: setup.client, encryption, space: 'people', ttlMs: hour });
      await Promise.all(MANY.map((user) => hash.set(`people:${user}`, { name: user })));
      await keys.rotate();
      const done = await reencrypt({
        client: setup.client,
        encryption,
        match: 'people:*',
        contextOf: (key, field) => ({ space: 'people', key, ...(field === undefined ? {} : { field }) }),
        rate: 100_000,
      });
      assert.deepEqual([done.renewed, done.failed], [MANY.length, 0]);
      assert.equal(await hash.get('people:user-3', 'name'), 'user-3');
      const persons = new PersonKeys({
        encryption,
        wrapper,
        store,
        data: setup.client,
        dangerouslyKeepKeysWithData: true,
        pseudonymKey: keyB,
      });
      const place = { space: 'notes', key: 'notes:1' };
      const sealed = await persons.sealer('ana').seal('hers', place);
      await persons.erase('ana');
      await refused(() => persons.sealer('ana').open(sealed, place), 'REDKEEP_PERSON_ERASED');
    });
  });
}

/** The engines beside the one that every other test runs on. */
for (const engine of findEngines().filter(({ name }) => /^(redis-8|valkey-9)/.test(name)))
  guardsOn(engine.name, async () => {
    const server = await startServer({ engine });
    // By functions here: the default user may run EVALSHA, so it is taken away.
    await server.command('FUNCTION', 'LOAD', 'REPLACE', guardLibrary().code);
    await server.command('ACL', 'SETUSER', 'app', 'on', '>secret', '~*', '&*', '+@all', '-eval', '-evalsha');
    const client = await createClient({ url: server.url, username: 'app', password: 'secret' }).connect();
    return {
      client,
      async close() {
        client.destroy();
        await server[Symbol.asyncDispose]();
      },
    };
  });

guardsOn('a pool', async () => {
  const server = await startServer();
  const pool = createClientPool({ url: server.url }, { minimum: 2, maximum: 4 });
  await pool.connect();
  return {
    client: pool,
    async close() {
      pool.destroy();
      await server[Symbol.asyncDispose]();
    },
  };
});

async function clustered(options: Parameters<typeof startCluster>[0], library = false): Promise<Setup> {
  const nodes: Cluster = await startCluster(options);
  if (library)
    for (const master of nodes.masters) await master.command('FUNCTION', 'LOAD', 'REPLACE', guardLibrary().code);
  const cluster = await createCluster({ rootNodes: [{ url: nodes.masters[0]!.url }] }).connect();
  return {
    client: cluster,
    async close() {
      cluster.destroy();
      await nodes[Symbol.asyncDispose]();
    },
  };
}
guardsOn('a cluster of six', () => clustered({ masters: 3, replicas: 3 }));
for (const engine of findEngines().filter(({ name }) => /^(redis-8|valkey-9)/.test(name)))
  guardsOn(`a cluster of ${engine.name}, by functions`, () => clustered({ engine, masters: 3 }, true));

describe('behind Sentinel', () => {
  let setup: SentinelSetup;
  const open = async () => {
    const client = createSentinel({
      name: setup.name,
      sentinelRootNodes: setup.sentinels.map(({ tlsPort }) => ({ host: '127.0.0.1', port: tlsPort })),
      nodeClientOptions: { tls: { ca: setup.primary.pki!.ca } },
      sentinelClientOptions: { tls: { ca: setup.sentinels[0]!.pki!.ca } },
    });
    client.on('error', () => undefined);
    return client.connect();
  };
  before(async () => {
    setup = await startSentinel({ replicas: 1, sentinels: 3, tls: true });
  });
  after(() => setup[Symbol.asyncDispose]());

  guardsOn('three sentinels', async () => {
    const client = await open();
    return { client, close: async () => client.destroy() };
  });

  test('the receipt shows an erasure that the new primary has missed, and repeats it', async () => {
    const client = await open();
    try {
      const persons = new PersonKeys({
        encryption: testEncryption(),
        wrapper: localWrapper(keysFromValue([keyA]), 'test'),
        store: redisKeyStore(client, 'failover:'),
        data: client,
        dangerouslyKeepKeysWithData: true,
        pseudonymKey: keyB,
        cacheMs: 0,
        confirmMs: 10,
      });
      const place = { space: 'notes', key: 'notes:1' };
      const sealed = await persons.sealer('ana').seal('hers', place);
      const primary = await setup.currentPrimary();
      const replica = setup.servers.find((server) => server !== primary && server.isUp)!;
      await replicated(primary);
      // Cut off, or what is in its socket would still reach it.
      replica.pause();
      await primary.command('CLIENT', 'KILL', 'TYPE', 'replica');
      const receipt = await persons.erase('ana');
      assert.deepEqual(receipt.replication, { replicas: 0, confirmed: 0 });
      await primary.kill();
      replica.resume();
      await setup.failedOver(primary);
      const eventually = async <T>(action: () => Promise<T>): Promise<T> => {
        for (let attempt = 0; ; attempt++) {
          try {
            return await action();
          } catch (error) {
            assert.ok(hasCode(error, 'REDKEEP_STORE_UNAVAILABLE'), String(error));
            assert.ok(attempt < 100, 'no primary was found again');
          }
        }
      };
      assert.equal(String(await eventually(async () => persons.sealer('ana').open(sealed, place))), 'hers');
      assert.deepEqual(await persons.enforce([receipt]), [persons.pseudonym('ana')]);
      await refused(() => persons.sealer('ana').open(sealed, place), 'REDKEEP_PERSON_ERASED');
      await primary.start();
      await waitFor(async () => (await primary.info('replication'))['role'] === 'slave', {
        timeout: 60_000,
        message: 'the former primary to follow',
      });
      await waitFor(async () => (await primary.info('replication'))['master_link_status'] === 'up', {
        timeout: 60_000,
        message: 'the former primary to be in step',
      });
    } finally {
      client.destroy();
    }
  });

  test('a session outlives the primary, and the limit holds meanwhile', async () => {
    const client = await open();
    try {
      const sessions = new Sessions({ client, encryption: testEncryption(), timeoutMs: 500 });
      const limits = [{ name: 'failover', limit: 2, periodMs: hour }];
      const limiter = new RateLimiter({ client, limits, timeoutMs: 100 });
      const { id } = await sessions.create({ user: 'ana', data: { n: 1 } });
      const held = await heldBefore(client);
      const before: Server = await setup.currentPrimary();
      await replicated(before);
      await before.kill();
      const during = [await limiter.check('x'), await limiter.check('x'), await limiter.check('x')];
      assert.deepEqual(
        during.map(({ allowed, source }) => `${source} ${allowed}`),
        ['local true', 'local true', 'local false'],
      );
      await setup.failedOver(before);
      for (let attempt = 0; ; attempt++) {
        try {
          assert.equal((await sessions.load(id))?.user, 'ana');
          break;
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'REDKEEP_STORE_UNAVAILABLE');
          assert.ok(attempt < 100, 'no primary was found again');
        }
      }
      await held();
    } finally {
      client.destroy();
    }
  });
});

/** Uses what applications log in and work with; the result checks that all of it is still so. */
async function heldBefore(client: GuardClient): Promise<() => Promise<void>> {
  const encryption = testEncryption();
  const throttle = new LoginThrottle({ client, key: keyA, account: { baseMs: hour, maxMs: hour } });
  const attempt = () => throttle.begin({ account: 'failover', address: '192.0.2.9' });
  for (let i = 0; i < 5; i++) assert.equal((await attempt()).allowed, true);
  const tokens = new OneTimeTokens({ client, encryption, key: keyA });
  const [link, used] = [
    await tokens.issue({ purpose: 'link', subject: 'failover' }),
    await tokens.issue({ purpose: 'used', subject: 'failover' }),
  ];
  assert.ok(await tokens.redeem('used', used));
  const refresh = new RefreshTokens({ client, encryption, keys: [keyA], graceMs: 0 });
  const first = await refresh.start('failover');
  const second = await refresh.refresh(first.token);
  const denylist = new TokenDenylist({ client, timeoutMs: 5000 });
  await denylist.revoke('failover', Date.now() + hour);
  const apiKeys = new ApiKeys({ client, encryption, label: 'acme' });
  const [kept, revoked] = [
    await apiKeys.create({ owner: 'failover', name: 'kept', scopes: [] }),
    await apiKeys.create({ owner: 'failover', name: 'revoked', scopes: [] }),
  ];
  await apiKeys.revoke('failover', revoked.info.id);
  const once = new IdempotencyKeys({ client, encryption });
  const request = { key: 'a request before', scope: 'failover', fingerprint: 'x' };
  await once.run(request, async () => 'done');
  const semaphores = new Semaphores({ client });
  const permit = await semaphores.acquire('failover', { places: 1, ttlMs: 600_000 });
  const locks = new Locks({ client });
  const leader = await locks.acquire('leader', { ttlMs: 600_000 });
  return async () => {
    assert.equal((await attempt()).allowed, false, 'the attempts still count');
    assert.equal(await tokens.redeem('used', used), undefined, 'used once is used');
    assert.equal((await tokens.redeem('link', link))?.subject, 'failover');
    assert.equal((await refresh.refresh(second!.token))?.user, 'failover');
    await refused(() => refresh.refresh(first.token), 'REDKEEP_TOKEN_REUSED');
    assert.equal(await denylist.isRevoked({ id: 'failover' }), true);
    assert.equal((await apiKeys.verify(kept.key))?.name, 'kept');
    assert.equal(await apiKeys.verify(revoked.key), undefined);
    assert.deepEqual(await once.run(request, async () => 'again'), { value: 'done', replayed: true });
    await refused(() => semaphores.acquire('failover', { places: 1 }), 'REDKEEP_LOCK_TIMEOUT');
    assert.deepEqual([permit.isHeld, await permit.release()], [true, true]);
    await refused(() => locks.acquire('leader'), 'REDKEEP_LOCK_TIMEOUT');
    assert.equal(await leader.release(), true);
    assert.ok((await locks.acquire('leader')).token > leader.token);
  };
}

/** Waits until every replica has what was written so far. WAIT would only count what its own connection wrote. */
async function replicated(primary: Server): Promise<void> {
  const written = Number((await primary.info('replication'))['master_repl_offset']);
  await waitFor(
    async () => {
      const info = await primary.info('replication');
      const replicas = Object.keys(info).filter((field) => /^slave\d+$/.test(field));
      const confirmed = replicas.filter((field) => Number(/offset=(\d+)/.exec(info[field]!)?.[1]) >= written);
      return replicas.length > 0 && confirmed.length === replicas.length;
    },
    { message: 'the replicas to have what was written' },
  );
}
