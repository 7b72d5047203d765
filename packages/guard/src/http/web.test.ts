import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CsrfTokens } from '../csrf/csrf-tokens.js';
import { RateLimiter } from '../rate-limit/rate-limiter.js';
import { SessionCookie } from '../session/session-cookie.js';
import { Sessions } from '../session/sessions.js';
import { keyA, testEncryption, useServer } from '../testing/support.js';
import {
  honoRateLimit,
  koaRateLimit,
  NestRateLimitGuard,
  WebSessionHandler,
  webCsrfCheck,
  webRateLimit,
} from './web.js';

const redis = useServer();
const limiter = (name: string) =>
  new RateLimiter({ client: redis.client, timeoutMs: 2000, limits: [{ name, limit: 1, periodMs: 3_600_000 }] });

test('a web-standard request is limited', async () => {
  const limit = webRateLimit(limiter('web'), { identityOf: (request) => request.headers.get('x-user') ?? 'none' });
  const request = new Request('https://app.example/', { headers: { 'x-user': 'ana' } });
  const first = await limit(request);
  assert.equal(first.refused, undefined);
  assert.match(first.headers['RateLimit']!, /^"web";r=0/);
  const { refused } = await limit(request);
  assert.equal(refused?.status, 429);
  assert.ok(Number(refused?.headers.get('retry-after')) > 3000);
});

test('a web-standard session logs in with a new id, is refused elsewhere, and ends', async () => {
  const sessions = new Sessions<{ n: number }>({ client: redis.client, encryption: testEncryption() });
  const handler = new WebSessionHandler({ sessions, cookie: new SessionCookie() });
  const browser = (cookie: string, agent = 'Firefox') =>
    new Request('https://app.example/', { headers: { cookie: cookie.split(';')[0]!, 'user-agent': agent } });
  const before = await handler.logIn(browser(''), undefined, { user: 'guest', data: { n: 0 } });
  const after = await handler.logIn(browser(''), before, { user: 'ana', data: { n: 1 } });
  assert.notEqual(after.id, before.id);
  const cookie = handler.cookieOf(after);
  assert.equal((await handler.load(browser(cookie)))?.user, 'ana');
  assert.equal(await handler.load(browser(cookie, 'curl')), undefined);
  assert.equal(await handler.load(browser(handler.cookieOf(before))), undefined);
  const csrf = new CsrfTokens({ keys: [keyA], origins: ['https://app.example'] });
  const post = (origin: string) => new Request('https://app.example/', { method: 'POST', headers: { origin } });
  assert.equal(webCsrfCheck(csrf, post('https://app.example'), after.id, csrf.issue(after.id)), true);
  assert.equal(webCsrfCheck(csrf, post('https://evil.example'), after.id, csrf.issue(after.id)), false);
  assert.match(await handler.logOut(browser(cookie)), /Max-Age=0/);
  assert.equal(await handler.load(browser(cookie)), undefined);
});

test('middleware of Hono, koa and Nest passes the first request and refuses the second', async () => {
  const identityOf = () => 'ana';
  const hono = honoRateLimit(limiter('hono'), { identityOf });
  let passed = 0;
  // Hono forgets headers that were set before a handler answers with a Response of its own.
  let headers: string[] = [];
  const context = {
    req: { raw: new Request('https://app.example/') },
    header: (name: string) => void headers.push(name),
  };
  const next = async () => {
    passed += 1;
    headers = [];
  };
  assert.equal(await hono(context, next), undefined);
  assert.deepEqual(headers.sort(), ['RateLimit', 'RateLimit-Policy']);
  assert.equal((await hono(context, next))?.status, 429);
  const koa = koaRateLimit(limiter('koa'), { identityOf });
  const koaContext = { ip: '192.0.2.1', status: 200, body: undefined as unknown, set: () => undefined };
  await koa(koaContext, next);
  await koa(koaContext, next);
  assert.deepEqual([koaContext.status, passed], [429, 2]);
  const nest = new NestRateLimitGuard(limiter('nest'), { identityOf, refuse: () => new Error('Too many requests') });
  const http = { getRequest: () => ({}), getResponse: () => ({ header: () => undefined }) };
  const nestContext = { switchToHttp: () => http } as never;
  assert.equal(await nest.canActivate(nestContext), true);
  await assert.rejects(nest.canActivate(nestContext), /Too many requests/);
});
