import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, describe, test } from 'node:test';
import { waitFor } from '@redkeep/testing';
import express from 'express';
import session from 'express-session';
import { requestFingerprint } from '../http/request-fingerprint.js';
import { refused, testEncryption, useServer } from '../testing/support.js';
import { type Application, keepsSessions } from '../testing/web-store.js';
import { expressSessionStore } from './express-store.js';
import { SessionCookie } from './session-cookie.js';
import type { ExpressStoreOptions, WebSession } from './web-sessions.js';

const redis = useServer();
const closing: (() => void)[] = [];
after(() => {
  for (const close of closing) close();
});

function newStore(options: Partial<ExpressStoreOptions> = {}) {
  const Store = expressSessionStore(session.Store, {
    client: redis.client,
    encryption: testEncryption(),
    userOf: (data) => data['user'] as string | undefined,
    ...options,
  });
  return new Store();
}

type Store = ReturnType<typeof newStore>;
const call = {
  get: (store: Store, sid: string) =>
    new Promise<WebSession | null | undefined>((resolve, reject) =>
      store.get(sid, (error: unknown, value?: WebSession | null) => (error ? reject(error) : resolve(value))),
    ),
  set: (store: Store, sid: string, data: object) =>
    new Promise<void>((resolve, reject) =>
      store.set(sid, data as session.SessionData, (error: unknown) => (error ? reject(error) : resolve())),
    ),
  touch: (store: Store, sid: string, data: object) =>
    new Promise<void>((resolve, reject) =>
      store.touch(
        sid,
        data as session.SessionData,
        ((error: unknown) => (error ? reject(error) : resolve())) as () => void,
      ),
    ),
  destroy: (store: Store, sid: string) =>
    new Promise<void>((resolve, reject) => store.destroy(sid, (error: unknown) => (error ? reject(error) : resolve()))),
};

/** An application with the routes the tests need, and a browser with one cookie. */
async function application(store: Store): Promise<Application> {
  const app = express();
  const cookie = new SessionCookie({ dangerouslyAllowHttp: true });
  app.use(session({ store, secret: 'test', resave: false, saveUninitialized: false, ...cookie.forExpress() }));
  const gates = new Map<string, () => void>();
  const fields = (request: express.Request) => request.session as unknown as Record<string, unknown>;
  app.get('/login/:user', (request, response) => {
    request.session.regenerate(() => {
      fields(request)['user'] = request.params.user;
      response.send('in');
    });
  });
  app.get('/logout', (request, response) => {
    request.session.destroy(() => response.send('out'));
  });
  app.get('/set/:field/:gate', async (request, response) => {
    fields(request)[request.params.field] = true;
    await new Promise<void>((resolve) => gates.set(request.params.gate, resolve));
    response.send('set');
  });
  app.get('/me', (request, response) => {
    const { cookie: _, ...mine } = fields(request);
    response.json(mine);
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let jar = '';
  const visit = async (path: string, cookies = jar, headers: Record<string, string> = {}) => {
    const response = await fetch(base + path, { headers: { cookie: cookies, ...headers } });
    const given = response.headers.get('set-cookie');
    if (given) jar = given.split(';')[0]!;
    return response.text();
  };
  return { visit, reached: (gate: string) => waitFor(() => gates.get(gate)), jar: () => jar };
}

describe('with express-session', () => {
  keepsSessions(() => application(newStore()));

  test('all sessions of a user end at once, also one whose request is running', async () => {
    const store = newStore();
    const [one, two] = [await application(store), await application(store)];
    await one.visit('/login/eva');
    await two.visit('/login/eva');
    const slow = two.visit('/set/late/slow');
    const release = await two.reached('slow');
    assert.equal(await store.destroyAll('eva'), 2);
    release();
    await slow;
    assert.equal(await one.visit('/me'), '{}');
    assert.equal(await two.visit('/me'), '{}');
  });
});

describe('fingerprints with express-session', () => {
  for (const policy of ['reject', 'destroy'] as const) {
    test(`a cookie in another browser gets no session, and its owner ${policy === 'reject' ? 'goes on' : 'neither'}`, async () => {
      const reasons: string[] = [];
      const { visit, jar } = await application(
        newStore({
          fingerprintOf: requestFingerprint,
          onFingerprintMismatch: policy,
          onRefused: (reason) => reasons.push(reason),
        }),
      );
      await visit('/login/ana');
      const owners = jar();
      assert.equal(await visit('/me', owners), '{"user":"ana"}');
      assert.equal(await visit('/me', owners, { 'user-agent': 'thief' }), '{}');
      assert.notEqual(jar(), owners, 'who presented it is given another id');
      assert.deepEqual(reasons, ['fingerprint']);
      const after = await visit('/me', owners);
      assert.equal(after, policy === 'reject' ? '{"user":"ana"}' : '{}');
    });
  }
});

describe('the store alone', () => {
  // What connect-redis's own tests ask of a store: set, get, touch, destroy, expiry by cookie and by default.
  test('does what connect-redis is tested for', async () => {
    const store = newStore({ dangerouslyAcceptShortIds: true });
    assert.equal(await call.get(store, '123'), null);
    await call.set(store, '123', { foo: 'bar' });
    assert.deepEqual(await call.get(store, '123'), { foo: 'bar' });
    await call.set(store, '123', { foo: 'bar', lastVisit: 1, cookie: { originalMaxAge: 2000 } });
    await call.set(store, '123', { foo: 'baz', cookie: {} });
    assert.equal(((await call.get(store, '123')) as { foo?: string }).foo, 'baz');
    await call.touch(store, '123', { cookie: { expires: new Date(Date.now() + 1000).toISOString() } });
    const key = String(await redis.server.command('KEYS', 'sess:{*')).split(',');
    const ttls = await Promise.all(key.map((name) => redis.server.command('PTTL', name)));
    assert.ok(ttls.some((ttl) => Number(ttl) > 0 && Number(ttl) <= 1000));
    await call.destroy(store, '123');
    assert.equal(await call.get(store, '123'), null);
    await call.set(store, '456', { cookie: { expires: new Date(Date.now() - 1000) } });
    assert.equal(await call.get(store, '456'), null);
  });

  test('a cookie of a year or without end does not make a session of a year', async () => {
    await redis.server.command('FLUSHALL');
    const store = newStore();
    const year = new Date(Date.now() + 365 * 86_400_000);
    await call.set(store, 'a'.repeat(32), { cookie: { expires: year } });
    await call.set(store, 'b'.repeat(32), { cookie: { expires: null } });
    for (const key of String(await redis.server.command('KEYS', '*')).split(',')) {
      const ttl = Number(await redis.server.command('PTTL', key));
      assert.ok(ttl > 0 && ttl <= 3_600_000, String(ttl));
    }
  });

  test('short ids are refused, conflicts on request, and a stopped server is an error in time', async () => {
    const store = newStore({ onConflict: 'reject', timeoutMs: 100 });
    await refused(() => call.get(store, '123'), 'REDKEEP_SESSION_ID');
    const sid = 'c'.repeat(32);
    await call.set(store, sid, { n: 0 });
    const [one, two] = [(await call.get(store, sid))!, (await call.get(store, sid))!];
    await call.set(store, sid, Object.assign(one, { n: 1 }));
    await refused(() => call.set(store, sid, Object.assign(two, { n: 2 })), 'REDKEEP_SESSION_CONFLICT');
    redis.server.pause();
    try {
      await refused(() => call.get(store, sid), 'REDKEEP_STORE_UNAVAILABLE');
    } finally {
      redis.server.resume();
    }
  });
});

describe('cookies', () => {
  test('are secure unless a weakness is asked for by name', async () => {
    const cookie = new SessionCookie();
    assert.equal(cookie.serialize('abc'), '__Host-sid=abc; Path=/; HttpOnly; Secure; SameSite=Lax');
    assert.match(cookie.clear(), /Max-Age=0$/);
    const weak = [{ httpOnly: false }, { secure: false }, { sameSite: 'none' }, { domain: 'example.com' }];
    for (const options of [...weak, { maxAgeMs: 31_536_000_000 }])
      await refused(() => new SessionCookie(options as object), 'REDKEEP_COOKIE_POLICY');
    assert.equal(
      new SessionCookie({ dangerouslyShareWithDomain: 'example.com', sameSite: 'strict' }).serialize('a'),
      'sid=a; Path=/; HttpOnly; Secure; SameSite=Strict; Domain=example.com',
    );
  });

  test('are read exactly, and not at all when one was tossed in', () => {
    const cookie = new SessionCookie();
    assert.equal(cookie.read('a=1; __Host-sid=x%20y; b=2'), 'x y');
    assert.equal(cookie.read('__Host-sid=one; __Host-sid=two'), undefined);
    for (const header of [undefined, '', 'x__Host-sid=1', '__Host-sid=%E0%A4%A'])
      assert.equal(cookie.read(header), undefined);
  });
});
