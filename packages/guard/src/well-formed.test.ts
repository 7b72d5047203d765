/**
 * Half a surrogate pair has no bytes in UTF-8: every one becomes U+FFFD. Two people whose names differ in it only would
 * be one to every hash and to Redis, so that every component refuses such a name before anything is sent.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createClient } from 'redkeep';
import * as guard from './index.js';
import { keyA, refused, testEncryption } from './testing/support.js';
import { isWellFormed } from './well-formed.js';

// Connects to nothing: what gets as far as Redis fails with another code.
const client = createClient({ socket: { host: '127.0.0.1', port: 1, tls: true } });
const encryption = testEncryption();
const place = { space: 's', key: 'k' };
const sessions = new guard.Sessions({ client, encryption });
const limiter = new guard.RateLimiter({ client, limits: [{ name: 'a', limit: 1, periodMs: 1000 }] });
const expressStore = new guard.ExpressRateLimitStore({ client });
const once = new guard.IdempotencyKeys({ client, encryption });
const locks = new guard.Locks({ client });
const semaphores = new guard.Semaphores({ client });
const cache = new guard.Cache({ client, ttlMs: 1000 });
const codes = new guard.OneTimeTokens({ client, encryption, key: keyA });
const refresh = new guard.RefreshTokens({ client, encryption, keys: [keyA] });
const apiKeys = new guard.ApiKeys({ client, encryption, label: 'acme' });
const denylist = new guard.TokenDenylist({ client });
const login = new guard.LoginThrottle({ client, key: keyA });
const csrf = new guard.CsrfTokens({ keys: [keyA], origins: ['https://app.example'] });
const index = new guard.BlindIndex({ field: 'x', keys: [keyA] });
const persons = new guard.PersonKeys({
  encryption,
  wrapper: guard.localWrapper(guard.keysFromValue(keyA), 'test'),
  store: guard.redisKeyStore(client),
  data: client,
  pseudonymKey: keyA,
  dangerouslyKeepKeysWithData: true,
});
const view = guard.defineKeyspaces({ a: { prefix: 'a:', maxTtlMs: 1000 } }).open(client).a;
const key = 'a key of sixteen and more';
const later = Date.now() + 60_000;
type Calls = Readonly<Record<string, (name: string) => unknown>>;

const CALLS: Readonly<Record<string, Calls>> = {
  Sessions: {
    create: (user) => sessions.create({ user, data: {} }),
    device: (device) => sessions.create({ device, data: {} }),
    destroyAll: (user) => sessions.destroyAll(user),
    count: (user) => sessions.count(user),
    list: (user) => sessions.list(user),
    end: (user) => sessions.end(user, 'A'.repeat(22)),
  },
  RateLimiter: {
    check: (identity) => limiter.check(identity),
    peek: (identity) => limiter.peek(identity),
    penalize: (identity) => limiter.penalize(identity, 1),
    block: (identity) => limiter.block(identity, 1000),
    reset: (identity) => limiter.reset(identity),
  },
  ExpressRateLimitStore: {
    increment: (identity) => expressStore.increment(identity),
    decrement: (identity) => expressStore.decrement(identity),
    get: (identity) => expressStore.get(identity),
    resetKey: (identity) => expressStore.resetKey(identity),
  },
  IdempotencyKeys: {
    key: (name) => once.run({ key: key + name, scope: 'ana', fingerprint: 'x' }, async () => 1),
    scope: (scope) => once.run({ key, scope, fingerprint: 'x' }, async () => 1),
    fingerprint: (fingerprint) => once.run({ key, scope: 'ana', fingerprint }, async () => 1),
  },
  Locks: { acquire: (name) => locks.acquire(name) },
  LeaderElection: { name: (name) => new guard.LeaderElection({ locks, name }) },
  Semaphores: { acquire: (name) => semaphores.acquire(name, { places: 1 }) },
  Cache: {
    get: (name) => cache.get(name, async () => 1),
    set: (name) => cache.set(name, 1),
    delete: (name) => cache.delete(name),
  },
  OneTimeTokens: {
    subject: (subject) => codes.issue({ purpose: 'p', subject }),
    purpose: (purpose) => codes.issueCode({ purpose, subject: 'ana' }),
    redeem: (subject) => codes.redeemCode('p', subject, '123456'),
    'redeem for': (purpose) => codes.redeemCode(purpose, 'ana', '123456'),
  },
  RefreshTokens: { start: (user) => refresh.start(user), endAll: (user) => refresh.endAll(user) },
  ApiKeys: {
    create: (owner) => apiKeys.create({ owner, name: 'n', scopes: ['read'] }),
    scopes: (scope) => apiKeys.create({ owner: 'ana', name: 'n', scopes: [scope] }),
    list: (owner) => apiKeys.list(owner),
    verify: (scope) => apiKeys.verify('acme_x', { scope }),
  },
  TokenDenylist: {
    revoke: (id) => denylist.revoke(id, later),
    revokeAllOf: (subject) => denylist.revokeAllOf(subject),
    isRevoked: (id) => denylist.isRevoked({ id }),
    'isRevoked of': (subject) => denylist.isRevoked({ id: 'x', subject }),
  },
  LoginThrottle: {
    account: (account) => login.begin({ account, address: '192.0.2.1' }),
    address: (address) => login.begin({ account: 'ana', address }),
  },
  CsrfTokens: { issue: (id) => csrf.issue(`a session of sixteen${id}`) },
  BlindIndex: { of: (value) => index.of(value), allOf: (value) => index.allOf(value) },
  Encryption: {
    seal: (name) => encryption.seal('x', { ...place, key: name }),
    space: (space) => encryption.seal('x', { ...place, space }),
    field: (field) => encryption.seal('x', { ...place, field }),
  },
  PersonKeys: {
    pseudonym: (person) => persons.pseudonym(person),
    sealer: (person) => persons.sealer(person),
    keyIdOf: (person) => persons.keyIdOf(person),
    erase: (person) => persons.erase(person),
    reinstate: (person) => persons.reinstate(person),
    evict: (person) => persons.evict(person),
  },
  KeyspaceView: {
    get: (name) => view.get(name),
    getMany: (name) => view.getMany(['x', name]),
    set: (name) => view.set(name, 1, { ttlMs: 1 }),
    delete: (name) => view.delete(name),
    increment: (name) => view.increment(name, 1, { ttlMs: 1 }),
  },
};
/** Take no name of their own, or names of the audit trail, whose persons go through PersonKeys. */
const NO_NAMES = [
  ...['AuditReader', 'AuditTrail', 'DataKey', 'EncryptedHash', 'EnvelopeKeys', 'GuardError', 'Keyspaces'],
  ...['NestRateLimitGuard', 'SessionCookie', 'SlidingWindowCounter', 'WebSessionHandler'],
];

describe('a name with half a surrogate pair is refused by', () => {
  for (const [component, calls] of Object.entries(CALLS))
    test(component, async () => {
      const code = component === 'KeyspaceView' ? 'REDKEEP_KEYSPACE_KEY' : 'REDKEEP_GUARD_ARGUMENT';
      // Of an option.
      for (const [call, run] of Object.entries(calls))
        for (const name of ['\ud800', 'ana\udc00', '\udc00\ud800', '\ud83d'])
          await refused(() => run(name), component === 'LeaderElection' ? 'REDKEEP_GUARD_OPTION' : code).catch(
            (error: Error) => assert.fail(`${call}: ${error.message}`),
          );
    });

  test('every component that takes one', () => {
    const classes = Object.entries(guard).flatMap(([name, value]) =>
      typeof value === 'function' && /^class /.test(String(value)) ? [name] : [],
    );
    assert.deepEqual(
      classes.filter((name) => !(name in CALLS) && !NO_NAMES.includes(name)),
      [],
    );
  });

  test('and no other is', () => {
    for (const name of ['', 'ana', 'ñandú', '\u{1f600}', '\ufffd', '\u0000', '名前', '\ud83d\ude00\ud83d\ude00'])
      assert.equal(isWellFormed(name), true, name);
  });
});
