import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import express from 'express';
import { rateLimit } from 'express-rate-limit';
import fastify from 'fastify';
import { clientAddress } from '../http/client-address.js';
import { useServer } from '../testing/support.js';
import { ExpressRateLimitStore, enforceRateLimit, rateLimitHook, rateLimitMiddleware } from './http.js';
import { RateLimiter } from './rate-limiter.js';

const redis = useServer();
const limiter = (name: string) =>
  new RateLimiter({ client: redis.client, timeoutMs: 2000, limits: [{ name, limit: 1, periodMs: 3_600_000 }] });

async function twice(listener: RequestListener): Promise<Response[]> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    return [await fetch(url), await fetch(url)];
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

function assertLimited([first, second]: Response[]): void {
  assert.deepEqual([first?.status, second?.status], [200, 429]);
}

describe('limits over HTTP', () => {
  test('node:http', async () => {
    const l = limiter('http');
    const responses = await twice(async (request, response) => {
      if (await enforceRateLimit(l, request, response)) response.end('ok');
    });
    assertLimited(responses);
    assert.match(responses[1]!.headers.get('ratelimit')!, /^"http";r=0;t=\d+$/);
    assert.ok(Number(responses[1]!.headers.get('retry-after')) > 3000);
  });

  test('express', async () => {
    const app = express();
    app.use(rateLimitMiddleware(limiter('express')));
    app.get('/', (_request, response) => void response.send('ok'));
    assertLimited(await twice(app));
  });

  test('fastify', async () => {
    const app = fastify();
    app.addHook('onRequest', rateLimitHook(limiter('fastify')));
    app.get('/', async () => 'ok');
    try {
      const url = await app.listen({ port: 0, host: '127.0.0.1' });
      const responses = [await fetch(url), await fetch(url)];
      assertLimited(responses);
      assert.match(responses[0]!.headers.get('ratelimit-policy')!, /^"fastify";q=1;w=3600$/);
      assert.ok(Number(responses[1]!.headers.get('retry-after')) > 3000);
      assert.match(responses[1]!.headers.get('content-type')!, /json/);
    } finally {
      await app.close();
    }
  });

  test('an identity of one’s own and a cost a request', async () => {
    const l = new RateLimiter({
      client: redis.client,
      timeoutMs: 2000,
      limits: [{ name: 'cost', limit: 10, periodMs: 3_600_000 }],
    });
    const listener: RequestListener = async (request, response) => {
      const options = { identityOf: () => 'key-1', costOf: () => 10 };
      if (await enforceRateLimit(l, request, response, options)) response.end('ok');
    };
    assertLimited(await twice(listener));
    assert.equal((await l.peek('key-1')).remaining, 0);
  });

  test('express-rate-limit with our store', async () => {
    const app = express();
    const store = new ExpressRateLimitStore({ client: redis.client, timeoutMs: 2000 });
    app.use(rateLimit({ windowMs: 60_000, limit: 1, store, standardHeaders: 'draft-8', legacyHeaders: false }));
    app.get('/', (_request, response) => void response.send('ok'));
    assertLimited(await twice(app));
    await store.increment('k');
    assert.equal((await store.increment('k')).totalHits, 2);
    await store.decrement('k');
    assert.equal((await store.get('k'))?.totalHits, 1);
    await store.resetKey('k');
    assert.equal(await store.get('k'), undefined);
  });

  test('two limits of express-rate-limit with a store each count apart, also within one window', async () => {
    const app = express();
    const limit = (most: number) =>
      rateLimit({
        windowMs: 60_000,
        limit: most,
        store: new ExpressRateLimitStore({ client: redis.client, prefix: 'limit:two:', timeoutMs: 2000 }),
      });
    app.get('/api', limit(100), (_request, response) => void response.send('ok'));
    app.get('/login', limit(2), (_request, response) => void response.send('ok'));
    const server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const ask = async (path: string) =>
      (await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`)).status;
    try {
      for (let i = 0; i < 3; i++) assert.equal(await ask('/api'), 200);
      assert.deepEqual([await ask('/login'), await ask('/login'), await ask('/login')], [200, 200, 429]);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });

  test('express-rate-limit with our store does not open while Redis hangs', async () => {
    const app = express();
    app.set('env', 'test');
    const store = new ExpressRateLimitStore({ client: redis.client, timeoutMs: 100, prefix: 'limit:still:' });
    app.use(rateLimit({ windowMs: 60_000, limit: 1, store, legacyHeaders: false }));
    app.get('/', (_request, response) => void response.send('ok'));
    redis.server.pause();
    try {
      assert.deepEqual(
        (await twice(app)).map(({ status }) => status),
        [500, 500],
      );
    } finally {
      redis.server.resume();
    }
  });
});

test('an IPv6 client is one /64, however it writes its address', () => {
  const request = { socket: { remoteAddress: undefined } } as never;
  assert.equal(
    clientAddress(request, '2001:db8:1:2:aaaa::1'),
    clientAddress(request, '2001:0db8:0001:0002:ffff:1:2:3'),
  );
  assert.notEqual(clientAddress(request, '2001:db8:1:2::1'), clientAddress(request, '2001:db8:1:3::1'));
  assert.equal(clientAddress(request, '::ffff:192.0.2.1'), '192.0.2.1');
});

test('IPv4 inside IPv6 is the IPv4 address in every spelling', () => {
  for (const address of ['::ffff:192.0.2.1', '::FFFF:c000:201', '0:0:0:0:0:ffff:c000:0201', '64:ff9b::192.0.2.1'])
    assert.equal(clientAddress({}, address), '192.0.2.1', address);
  assert.notEqual(clientAddress({}, '::ffff:192.0.2.1'), clientAddress({}, '::ffff:192.0.2.2'));
  assert.equal(clientAddress({}, 'fe80::1%eth0'), 'fe80:0:0:0::/64');
  assert.equal(clientAddress({}, '::1'), '0:0:0:0::/64');
  for (const nothing of [{}, { ip: '' }, { socket: {} }])
    assert.throws(() => clientAddress(nothing), { code: 'REDKEEP_GUARD_ARGUMENT' });
});

test('behind a proxy that fastify trusts, clients are told apart; behind another one there is a warning', async () => {
  for (const trustProxy of [true, false]) {
    const app = fastify({ trustProxy });
    app.addHook('onRequest', rateLimitHook(limiter(`proxy-${trustProxy}`)));
    app.get('/', async () => 'ok');
    const warned = once(process, 'warning');
    try {
      const url = await app.listen({ port: 0, host: '127.0.0.1' });
      const ask = async (address: string) => (await fetch(url, { headers: { 'x-forwarded-for': address } })).status;
      assert.deepEqual([await ask('192.0.2.1'), await ask('192.0.2.2')], [200, trustProxy ? 200 : 429]);
      if (!trustProxy) assert.equal(((await warned)[0] as { code?: string }).code, 'REDKEEP_PROXY_NOT_TRUSTED');
    } finally {
      await app.close();
    }
  }
});

test('express-rate-limit with our store keeps no address in clear', async () => {
  const store = new ExpressRateLimitStore({ client: redis.client, timeoutMs: 2000, prefix: 'limit:private:' });
  await store.increment('192.0.2.77');
  const keys = (await redis.server.command('KEYS', 'limit:private:*')) as string[];
  assert.ok(keys.length === 1 && !keys[0]!.includes('192.0.2.77'));
});
