/** Guard's adapters in the frameworks they are for: real servers, real requests, a server of Redis. */
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { serve } from '@hono/node-server';
import { Controller, Get, HttpException, Module, Post, Req } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import {
  CsrfTokens,
  csrfMiddleware,
  Encryption,
  honoRateLimit,
  IdempotencyKeys,
  idempotencyMiddleware,
  keysFromValue,
  koaRateLimit,
  NestRateLimitGuard,
  RateLimiter,
  SessionCookie,
  Sessions,
  WebSessionHandler,
  webCsrf,
  webIdempotency,
} from '@redkeep/guard';
import { type Server, startServer } from '@redkeep/testing';
import { type Context, Hono } from 'hono';
import Koa from 'koa';
import { createClient, type RedisClient } from 'redkeep';

const KEY = 'ab'.repeat(31).concat('cd');
const encryption = new Encryption({ keys: keysFromValue(KEY), environment: 'test' });
const csrf = new CsrfTokens({ keys: [KEY], origins: ['https://app.example'] });
const TWICE = { 'x-user': 'twice' };
const IDEMPOTENCY_KEY = { 'idempotency-key': 'a key of sixteen and more', 'x-user': 'ana' };

let redis: Server;
let client: RedisClient;
before(async () => {
  redis = await startServer();
  client = await createClient({ url: redis.url }).connect();
});
after(async () => {
  client.destroy();
  await redis[Symbol.asyncDispose]();
});

const limiterOf = (name: string) =>
  new RateLimiter({ client, timeoutMs: 5000, limits: [{ name, limit: 2, periodMs: 3_600_000 }] });
const keysOf = (name: string) => new IdempotencyKeys({ client, encryption, prefix: `idem:${name}:` });

/** Two requests pass with the state of the limit, the third does not; another user is not concerned. */
async function isLimited(url: string): Promise<void> {
  const seen: [number, string | undefined][] = [];
  for (let request = 0; request < 3; request++) {
    const { status, headers } = await fetch(url, { headers: TWICE });
    seen.push([
      status,
      headers
        .get('ratelimit')
        ?.replace(/;t=\d+/, '')
        .replace(/^"[\w-]+";/, ''),
    ]);
    if (status === 429) assert.ok(Number(headers.get('retry-after')) > 60);
  }
  assert.deepEqual(seen, [
    [200, 'r=1'],
    [200, 'r=0'],
    [429, 'r=0'],
  ]);
  assert.equal((await fetch(url, { headers: { 'x-user': 'other' } })).status, 200);
}

/** A payment runs once; its repetition gets the same answer. */
async function runsOnce(url: string, count: () => number): Promise<void> {
  const pay = () => fetch(url, { method: 'POST', headers: IDEMPOTENCY_KEY });
  assert.equal(await (await pay()).text(), 'paid 1');
  const again = await pay();
  assert.deepEqual([await again.text(), again.headers.get('idempotency-replayed'), count()], ['paid 1', 'true', 1]);
}

const addressOf = (server: HttpServer) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

describe('koa', () => {
  test('limits requests', async () => {
    const app = new Koa();
    app.use(koaRateLimit<Koa.Context>(limiterOf('koa'), { identityOf: (context) => context.get('x-user') }));
    app.use((context) => {
      context.body = 'hello';
    });
    const server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    await isLimited(addressOf(server));
    server.close();
  });

  test('distinguishes clients behind a proxy that it trusts', async () => {
    const app = new Koa({ proxy: true });
    app.use(koaRateLimit<Koa.Context>(limiterOf('koa-proxy'), { identityOf: ({ ip }) => ip }));
    app.use((context) => {
      context.body = context.ip;
    });
    const server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const from = (address: string) => fetch(addressOf(server), { headers: { 'x-forwarded-for': address } });
    for (const address of ['192.0.2.1', '192.0.2.1', '192.0.2.2'])
      assert.equal(await (await from(address)).text(), address);
    assert.equal((await from('192.0.2.1')).status, 429);
    server.close();
  });
});

describe('Hono', () => {
  let server: HttpServer;
  let paid = 0;
  before(async () => {
    const sessions = new Sessions<{ visits: number }>({ client, encryption });
    const handler = new WebSessionHandler({ sessions, cookie: new SessionCookie() });
    const run = webIdempotency(keysOf('hono'), { scopeOf: ({ headers }) => headers.get('x-user') ?? 'nobody' });
    const sessionIdOf = async (request: Request) => (await handler.load(request))?.id;
    const check = webCsrf(csrf, { sessionIdOf });
    const app = new Hono();
    const limit = honoRateLimit<Context>(limiterOf('hono'), {
      identityOf: (context) => context.req.header('x-user') ?? 'nobody',
    });
    app.use('/limited/*', limit);
    app.get('/limited/made', () => new Response('a Response of its own'));
    app.post('/pay', (context) => run(context.req.raw, () => new Response(`paid ${++paid}`)));
    app.post('/login', async ({ req: { raw } }) => {
      const session = await handler.logIn(raw, await handler.load(raw), { user: 'ana', data: { visits: 1 } });
      const headers = { 'set-cookie': handler.cookieOf(session), 'x-csrf': csrf.issue(session.id) };
      return new Response('in', { headers });
    });
    app.get('/me', async ({ req: { raw } }) => new Response((await handler.load(raw))?.user ?? 'nobody'));
    app.post('/change', async ({ req: { raw } }) => (await check(raw)) ?? new Response('changed'));
    app.post(
      '/logout',
      async ({ req: { raw } }) => new Response('out', { headers: { 'set-cookie': await handler.logOut(raw) } }),
    );
    server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as HttpServer;
    if (!server.listening) await once(server, 'listening');
  });
  after(() => server.close());

  test('limits requests', () => isLimited(`${addressOf(server)}/limited/made`));
  test('runs a request once', () => runsOnce(`${addressOf(server)}/pay`, () => paid));
  test('keeps sessions, and refuses forged requests', async () => {
    const url = addressOf(server);
    const login = await fetch(`${url}/login`, { method: 'POST' });
    const cookie = login.headers.get('set-cookie')!.split(';')[0]!;
    const token = { cookie, 'x-csrf-token': login.headers.get('x-csrf')! };
    const me = async (headers: Record<string, string>) => (await fetch(`${url}/me`, { headers })).text();
    assert.equal(await me({ cookie }), 'ana');
    assert.equal(await me({ cookie, 'user-agent': 'a thief' }), 'nobody');
    const change = async (headers: Record<string, string>) =>
      (await fetch(`${url}/change`, { method: 'POST', headers })).status;
    assert.equal(await change({ cookie }), 403);
    assert.equal(await change({ ...token, origin: 'https://evil.example' }), 403);
    assert.equal(await change(token), 200);
    await fetch(`${url}/logout`, { method: 'POST', headers: { cookie } });
    assert.equal(await me({ cookie }), 'nobody');
  });
});

for (const platform of ['express', 'fastify'] as const)
  describe(`Nest on ${platform}`, () => {
    let url: string;
    let close: () => Promise<void>;
    let paid = 0;
    before(async () => {
      class Pages {
        hello(): string {
          return 'hello';
        }
        pay(): string {
          paid += 1;
          return `paid ${paid}`;
        }
        change(_request: unknown): string {
          return 'changed';
        }
      }
      // Decorators as the functions that they are: this repository compiles without them.
      const on = (name: keyof Pages, decorate: MethodDecorator) =>
        decorate(Pages.prototype, name, Object.getOwnPropertyDescriptor(Pages.prototype, name)!);
      on('hello', Get());
      on('pay', Post('pay'));
      on('change', Post('change'));
      Req()(Pages.prototype, 'change', 0);
      Controller()(Pages);
      class App {}
      Module({ controllers: [Pages] })(App);
      const adapter = platform === 'express' ? new ExpressAdapter() : new FastifyAdapter();
      const app = await NestFactory.create(App, adapter as ExpressAdapter, { logger: false });
      app.useGlobalGuards(
        new NestRateLimitGuard<{ headers: Record<string, string>; method: string }>(limiterOf(`nest-${platform}`), {
          identityOf: ({ headers, method }) => `${method} ${headers['x-user']}`,
          refuse: () => new HttpException('Too many requests', 429),
        }),
      );
      if (platform === 'express') {
        app.use('/pay', idempotencyMiddleware(keysOf('nest'), { scopeOf: ({ headers }) => String(headers['x-user']) }));
        app.use('/change', csrfMiddleware(csrf, { sessionIdOf: () => 'the id of a session' }));
      }
      await app.listen(0, '127.0.0.1');
      url = addressOf(app.getHttpServer());
      close = () => app.close();
    });
    after(() => close());

    test('limits requests', () => isLimited(url));
    if (platform === 'express') {
      test('runs a request once', () => runsOnce(`${url}/pay`, () => paid));
      test('refuses forged requests', async () => {
        const change = async (headers: Record<string, string>) =>
          (await fetch(`${url}/change`, { method: 'POST', headers })).status;
        assert.equal(await change({}), 403);
        assert.equal(await change({ 'x-csrf-token': csrf.issue('the id of a session') }), 201);
      });
    }
  });
