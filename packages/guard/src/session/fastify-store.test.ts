/** The store in a real application of fastify with @fastify/cookie and @fastify/session. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import fastifyCookie from '@fastify/cookie';
import fastifySession from '@fastify/session';
import { waitFor } from '@redkeep/testing';
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { testEncryption, useServer } from '../testing/support.js';
import { type Application, keepsSessions } from '../testing/web-store.js';
import { fastifySessionStore } from './express-store.js';
import { SessionCookie } from './session-cookie.js';
import type { ExpressStoreOptions } from './web-sessions.js';

const redis = useServer();
const running: FastifyInstance[] = [];
after(() => Promise.all(running.map((app) => app.close())));

function newStore(options: Partial<ExpressStoreOptions> = {}) {
  const userOf = (data: Record<string, unknown>) => data['user'] as string | undefined;
  return fastifySessionStore({ client: redis.client, encryption: testEncryption(), userOf, ...options });
}

const fields = (request: FastifyRequest) => request.session as unknown as Record<string, unknown>;

/** An application with the routes the tests need, and a browser with one cookie. */
async function application(store: ReturnType<typeof newStore>): Promise<Application> {
  const app = fastify();
  running.push(app);
  await app.register(fastifyCookie);
  const cookie = new SessionCookie({ dangerouslyAllowHttp: true, maxAgeMs: 86_400_000 });
  await app.register(fastifySession, { store, secret: 'a secret of 32 characters or more', ...cookie.forFastify() });
  const gates = new Map<string, () => void>();
  app.get<{ Params: { user: string } }>('/login/:user', async (request) => {
    await request.session.regenerate();
    fields(request)['user'] = request.params.user;
    return 'in';
  });
  app.get('/logout', async (request) => {
    await request.session.destroy();
    return 'out';
  });
  app.get<{ Params: { field: string; gate: string } }>('/set/:field/:gate', async (request) => {
    fields(request)[request.params.field] = true;
    await new Promise<void>((resolve) => gates.set(request.params.gate, resolve));
    return 'set';
  });
  app.get('/me', async (request) => {
    const { cookie: _, ...mine } = JSON.parse(JSON.stringify(fields(request))) as Record<string, unknown>;
    return mine;
  });
  const base = await app.listen({ port: 0, host: '127.0.0.1' });
  let jar = '';
  const visit = async (path: string, cookies = jar) => {
    const response = await fetch(base + path, { headers: cookies === '' ? {} : { cookie: cookies } });
    const given = response.headers.get('set-cookie');
    if (given && !/sid=;/.test(given)) jar = given.split(';')[0]!;
    return response.text();
  };
  return { visit, reached: (gate: string) => waitFor(() => gates.get(gate)), jar: () => jar };
}

describe('with @fastify/session', () => {
  keepsSessions(() => application(newStore()));

  test('all sessions of a user end at once, and Redis holds nothing readable', async () => {
    const store = newStore();
    const [one, two] = [await application(store), await application(store)];
    await one.visit('/login/recognisable');
    await two.visit('/login/recognisable');
    const names = (await redis.server.command('KEYS', 'sess:{*')) as string[];
    const dumps = await Promise.all(names.map((name) => redis.server.command('DUMP', name)));
    assert.ok(names.length >= 2 && !String(dumps).includes('recognisable'));
    assert.equal(await store.destroyAll('recognisable'), 2);
    assert.equal(await one.visit('/me'), '{}');
    assert.equal(await two.visit('/me'), '{}');
  });
});
