/** Idempotency and CSRF for express, fastify and web-standard requests: real servers, and the same attacks on each. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as ask, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, test } from 'node:test';
import { waitFor } from '@redkeep/testing';
import express from 'express';
import fastify from 'fastify';
import { CsrfTokens } from '../csrf/csrf-tokens.js';
import { IdempotencyKeys } from '../idempotency/idempotency.js';
import { keyA, refused, testEncryption, useServer } from '../testing/support.js';
import { csrfHook, csrfMiddleware, webCsrf } from './csrf.js';
import { idempotencyHooks, idempotencyMiddleware, webIdempotency } from './idempotency.js';

const redis = useServer();
const closing: (() => unknown)[] = [];
after(() => Promise.all(closing.map((close) => close())));

const SESSION = 'the id of a session';
const csrf = new CsrfTokens({ keys: [keyA], origins: ['https://app.example'] });
const sessionIdOf = (cookie: string | null | undefined) => (cookie?.includes('sid') ? SESSION : undefined);

/** What the handler of a payment does, by the `do` of its body. */
interface Payments {
  count: number;
  open(): void;
  readonly gate: Promise<void>;
}
function payments(): Payments {
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { count: 0, open, gate };
}
async function pay(state: Payments, body: { do?: string }) {
  state.count += 1;
  if (body.do === 'wait') await state.gate;
  if (body.do === 'fail') return { status: 503, body: { failed: true } };
  if (body.do === 'throw') throw new Error('lost a connection');
  return { status: 201, body: { payment: state.count } };
}
const userOf = (name: unknown) => {
  if (typeof name !== 'string') throw new Error('nobody');
  return name;
};

interface Application {
  readonly url: string;
  readonly state: Payments;
}
type Options = { readonly waitMs?: number; readonly requireKey?: boolean; readonly maxBytes?: number };

const frameworks: Readonly<Record<string, (options: Options) => Promise<Application>>> = {
  async express(options) {
    const state = payments();
    const app = express();
    app.use(express.json());
    app.use('/form', csrfMiddleware(csrf, { sessionIdOf: ({ headers }) => sessionIdOf(headers['cookie'] as string) }));
    app.all('/form', (_request, response) => void response.send('changed'));
    app.use(
      '/v1',
      idempotencyMiddleware(keysOf(options), {
        scopeOf: ({ headers }) => userOf(headers['x-user']),
        ...(options.requireKey === undefined ? {} : { requireKey: options.requireKey }),
      }),
    );
    app.all('/v1/pay', async (request, response) => {
      const { status, body } = await pay(state, request.body ?? {});
      response.status(status).cookie('seen', '1').set('X-Payment', String(state.count)).json(body);
    });
    app.post('/v1/parts', (_request, response) => {
      response.writeHead(200, 'Fine', { 'Content-Type': 'text/plain' });
      response.write('one,');
      response.write(Buffer.from('two,'), () => response.end('dHdvISE=', 'base64'));
    });
    app.use((error: Error, _request: unknown, response: express.Response, _next: unknown) => {
      response.status(500).json({ error: error.message });
    });
    const server = app.listen(0, '127.0.0.1');
    closing.push(() => server.close());
    await once(server, 'listening');
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, state };
  },
  async fastify(options) {
    const state = payments();
    const app = fastify();
    const hooks = idempotencyHooks(keysOf(options), {
      scopeOf: ({ headers }) => userOf(headers['x-user']),
      ...(options.requireKey === undefined ? {} : { requireKey: options.requireKey }),
    });
    app.all('/v1/pay', hooks, async (request, reply) => {
      const { status, body } = await pay(state, (request.body ?? {}) as object);
      return reply.code(status).header('set-cookie', 'seen=1').header('x-payment', String(state.count)).send(body);
    });
    app.post('/v1/parts', hooks, async (_request, reply) => {
      const { Readable } = await import('node:stream');
      return reply.type('text/plain').send(Readable.from(['one,', Buffer.from('two,'), 'two!!']));
    });
    const check = csrfHook(csrf, { sessionIdOf: ({ headers }) => sessionIdOf(headers['cookie'] as string) });
    app.all('/form', { preHandler: check }, async () => 'changed');
    closing.push(() => app.close());
    return { url: await app.listen({ port: 0, host: '127.0.0.1' }), state };
  },
  async 'web-standard requests'(options) {
    const state = payments();
    const run = webIdempotency(keysOf(options), {
      scopeOf: ({ headers }) => userOf(headers.get('x-user') ?? undefined),
      ...(options.requireKey === undefined ? {} : { requireKey: options.requireKey }),
    });
    const check = webCsrf(csrf, { sessionIdOf: ({ headers }) => sessionIdOf(headers.get('cookie')) });
    const handle = async (request: Request): Promise<Response> => {
      const { pathname } = new URL(request.url);
      if (pathname === '/form') return (await check(request)) ?? new Response('changed');
      if (pathname === '/v1/parts')
        return run(request, async () => new Response('one,two,two!!', { headers: { 'content-type': 'text/plain' } }));
      return run(request, async (own) => {
        const text = await own.text();
        const { status, body } = await pay(state, text === '' ? {} : JSON.parse(text));
        return Response.json(body, {
          status,
          headers: { 'set-cookie': 'seen=1', 'x-payment': String(state.count) },
        });
      });
    };
    // The least that turns node:http into web-standard requests.
    const server = createServer((incoming, outgoing) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk) => chunks.push(chunk));
      incoming.on('end', () => {
        const { method = 'GET', url, headers } = incoming;
        const body = chunks.length === 0 ? {} : { body: Buffer.concat(chunks) };
        const request = new Request(`http://app.example${url}`, {
          method,
          headers: headers as Record<string, string>,
          ...body,
        });
        handle(request)
          .catch(() => new Response('{}', { status: 500 }))
          .then(async (response) => {
            outgoing.writeHead(response.status, [...response.headers].flat());
            outgoing.end(Buffer.from(await response.arrayBuffer()));
          });
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    closing.push(() => server.close());
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, state };
  },
};

let made = 0;
function keysOf({ waitMs = 0, maxBytes = 65_536 }: Options): IdempotencyKeys {
  made += 1;
  const prefix = `idem:${made}:`;
  return new IdempotencyKeys({
    client: redis.client,
    encryption: testEncryption(),
    prefix,
    waitMs,
    maxBytes,
    lockMs: 5000,
  });
}

const KEY = 'a key of sixteen and more';
interface Given {
  readonly key?: string;
  readonly user?: string;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
}
const post = (
  { url }: Application,
  body: unknown,
  { key, user = 'ana', method = 'POST', path = '/v1/pay', headers }: Given = {},
) =>
  fetch(url + path, {
    method,
    headers: {
      'content-type': 'application/json',
      'x-user': user,
      ...(key === undefined ? {} : { 'idempotency-key': key }),
      ...headers,
    },
    ...(method === 'GET' ? {} : { body: JSON.stringify(body) }),
  });

/** Without the charset that fastify adds. */
const typeOf = ({ headers }: Response) => headers.get('content-type')?.split(';')[0];

for (const [name, start] of Object.entries(frameworks))
  describe(name, () => {
    test('a repeated request gets the answer of the first, without its cookies', async () => {
      const app = await start({});
      const first = await post(app, { amount: 1 }, { key: KEY });
      assert.deepEqual([first.status, await first.json()], [201, { payment: 1 }]);
      assert.equal(first.headers.get('idempotency-replayed'), null);
      assert.match(first.headers.get('set-cookie') ?? '', /^seen=1/);
      const again = await post(app, { amount: 1 }, { key: KEY });
      assert.deepEqual([again.status, await again.json()], [201, { payment: 1 }]);
      assert.deepEqual(
        ['idempotency-replayed', 'set-cookie', 'x-payment'].map((header) => again.headers.get(header)),
        ['true', null, '1'],
      );
      assert.match(again.headers.get('content-type') ?? '', /^application\/json/);
      assert.equal(app.state.count, 1);
    });

    test('another request with the key is refused; another user, path or no key is another request', async () => {
      const app = await start({});
      await post(app, { amount: 1 }, { key: KEY });
      const other = await post(app, { amount: 2 }, { key: KEY });
      assert.deepEqual([other.status, typeOf(other)], [422, 'application/problem+json']);
      assert.equal((await post(app, { amount: 1 }, { key: KEY, path: '/v1/pay?to=leo' })).status, 422);
      assert.equal((await post(app, { amount: 1 }, { key: KEY, user: 'leo' })).status, 201);
      await post(app, { amount: 1 });
      await post(app, { amount: 1 });
      await post(app, {}, { key: KEY, method: 'GET' });
      assert.equal(app.state.count, 5);
    });

    test('another Content-Type is another request', async () => {
      const app = await start({});
      await post(app, { amount: 1 }, { key: KEY });
      const headers = { 'content-type': 'application/json; charset=utf-8' };
      assert.equal((await post(app, { amount: 1 }, { key: KEY, headers })).status, 422);
    });

    test('of parallel requests one runs, and the others wait or get a Retry-After', async () => {
      for (const waitMs of [0, 10_000]) {
        const app = await start({ waitMs });
        const all = [1, 2, 3, 4].map(() => post(app, { do: 'wait' }, { key: KEY }));
        const refusals = waitMs === 0 ? 3 : 0;
        const settled: Response[] = [];
        for (const one of all) one.then((response) => settled.push(response));
        await waitFor(() => settled.length === refusals && app.state.count === 1, { message: 'one to run' });
        app.state.open();
        const answers = await Promise.all(all);
        assert.deepEqual(answers.map(({ status }) => status).sort(), [
          ...Array(4 - refusals).fill(201),
          ...Array(refusals).fill(409),
        ]);
        assert.ok(
          answers.filter(({ status }) => status === 409).every(({ headers }) => headers.get('retry-after') === '1'),
        );
        assert.equal(app.state.count, 1);
      }
    });

    test('what failed is not kept', async () => {
      const app = await start({});
      for (const what of ['fail', 'throw']) {
        const key = `${KEY} ${what}`;
        const before = app.state.count;
        for (let attempt = 0; attempt < 2; attempt++) {
          const answer = await post(app, { do: what }, { key });
          assert.equal(answer.status, what === 'fail' ? 503 : 500);
          if (what === 'fail') assert.deepEqual(await answer.json(), { failed: true });
        }
        assert.equal(app.state.count, before + 2);
      }
    });

    test('a client that goes away before the answer gets it with its next request', async () => {
      const app = await start({ waitMs: 10_000 });
      const url = new URL(`${app.url}/v1/pay`);
      const body = JSON.stringify({ do: 'wait' });
      const gone = ask(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-user': 'ana',
          'idempotency-key': KEY,
          'content-length': body.length,
        },
      });
      gone.on('error', () => undefined);
      gone.end(body);
      await waitFor(() => app.state.count === 1, { message: 'the payment to begin' });
      gone.destroy();
      await new Promise((resolve) => gone.once('close', resolve));
      const again = post(app, { do: 'wait' }, { key: KEY });
      app.state.open();
      assert.deepEqual(await (await again).json(), { payment: 1 });
      assert.equal(app.state.count, 1);
    });

    test('a malformed key, or a missing one where it is asked for, is refused before anything runs', async () => {
      const app = await start({ requireKey: true });
      for (const key of ['short', 'x'.repeat(256), undefined]) {
        const answer = await post(app, {}, key === undefined ? {} : { key });
        assert.deepEqual([answer.status, typeOf(answer)], [400, 'application/problem+json']);
      }
      assert.equal((await post(app, {}, { method: 'GET' })).status, 201);
      assert.equal(app.state.count, 1);
    });

    test('an answer in parts, and one that is too large', async () => {
      const app = await start({ maxBytes: 1000 });
      for (const replayed of [null, 'true']) {
        const answer = await post(app, {}, { key: KEY, path: '/v1/parts' });
        assert.equal(await answer.text(), 'one,two,two!!');
        assert.match(answer.headers.get('content-type') ?? '', /^text\/plain/);
        assert.equal(answer.headers.get('idempotency-replayed'), replayed);
      }
      const small = await start({ maxBytes: 20 });
      for (let attempt = 0; attempt < 2; attempt++) assert.equal((await post(small, {}, { key: KEY })).status, 500);
      assert.equal(small.state.count, 1, 'the payment is not made again');
    });

    test('a form from elsewhere, of another session or of none changes nothing', async () => {
      const app = await start({});
      const own = { cookie: 'sid=1', origin: 'https://app.example', 'x-csrf-token': csrf.issue(SESSION) };
      const send = (headers: Record<string, string>, method = 'POST') =>
        post(app, {}, { path: '/form', method, headers }).then(({ status }) => status);
      assert.equal(await send(own), 200);
      assert.equal(await send({ ...own, origin: 'https://evil.example' }), 403);
      assert.equal(await send({ ...own, 'x-csrf-token': csrf.issue(`${SESSION} of another`) }), 403);
      assert.equal(await send({ ...own, cookie: 'none=1' }), 403);
      const { 'x-csrf-token': _, ...without } = own;
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) assert.equal(await send(without, method), 403, method);
      assert.equal(await send({}, 'GET'), 200);
      const field = await fetch(`${app.url}/form`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', cookie: 'sid=1' },
        body: JSON.stringify({ _csrf: csrf.issue(SESSION) }),
      });
      // A web-standard handler has no parsed body: there the field counts in forms.
      assert.equal(field.status, name.startsWith('web') ? 403 : 200);
    });
  });

test('fastify: a web-standard response is kept whole, and what is sent past fastify or breaks off is not done twice', async () => {
  const app = fastify();
  closing.push(() => app.close());
  const hooks = idempotencyHooks(keysOf({}), { scopeOf: () => 'ana' });
  let runs = 0;
  app.post('/response', hooks, async () => {
    runs += 1;
    return new Response('made', { status: 201, headers: { 'x-payment': String(runs) } });
  });
  app.post('/hijacked', hooks, async (_request, reply) => {
    runs += 1;
    reply.hijack();
    reply.raw.end('past fastify');
  });
  app.post('/broken', hooks, async (_request, reply) => {
    runs += 1;
    const { Readable } = await import('node:stream');
    return reply.send(
      new Readable({
        read() {
          this.destroy(new Error('broke off'));
        },
      }),
    );
  });
  const twice = async (url: string) => {
    runs = 0;
    const answers = [];
    for (let i = 0; i < 2; i++) {
      const headers = { 'idempotency-key': `${KEY} ${url}`, 'content-type': 'application/json' };
      const ask = () => app.inject({ method: 'POST', url, headers, payload: {} });
      let answer = await ask();
      // That an answer was sent past fastify is noted a moment after it.
      await waitFor(async () => {
        if (answer.statusCode === 409) answer = await ask();
        return answer.statusCode !== 409;
      });
      const { statusCode, body, headers: sent } = answer;
      answers.push([
        statusCode,
        statusCode < 400 ? body : '',
        sent['x-payment'] ?? '',
        sent['idempotency-replayed'] ?? '',
      ]);
    }
    return { runs, answers };
  };
  assert.deepEqual(await twice('/response'), {
    runs: 1,
    answers: [
      [201, 'made', '1', ''],
      [201, 'made', '1', 'true'],
    ],
  });
  assert.deepEqual(await twice('/hijacked'), {
    runs: 1,
    answers: [
      [200, 'past fastify', '', ''],
      [500, '', '', ''],
    ],
  });
  assert.deepEqual(await twice('/broken'), {
    runs: 2,
    answers: [
      [500, '', '', ''],
      [500, '', '', ''],
    ],
  });
});

test('the field of a web-standard form counts, and the handler can still read it', async () => {
  const check = webCsrf(csrf, { sessionIdOf: () => SESSION });
  const body = new URLSearchParams({ _csrf: csrf.issue(SESSION), note: 'x' });
  const request = new Request('https://app.example/', { method: 'POST', body });
  assert.equal(await check(request), undefined);
  assert.equal((await request.formData()).get('note'), 'x');
  const forged = new Request('https://app.example/', { method: 'POST', body: new URLSearchParams({ _csrf: 'x' }) });
  assert.equal((await check(forged))?.status, 403);
});

test('a body that nobody has parsed is not taken for none', async () => {
  const app = express();
  app.use(idempotencyMiddleware(keysOf({}), { scopeOf: () => 'ana' }));
  app.post('/', (_request, response) => void response.send('done'));
  const errors: unknown[] = [];
  app.use((error: unknown, _request: unknown, response: express.Response, _next: unknown) => {
    errors.push(error);
    response.sendStatus(500);
  });
  const server = app.listen(0, '127.0.0.1');
  closing.push(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const answer = await fetch(`http://127.0.0.1:${port}/`, {
    method: 'POST',
    body: 'x',
    headers: { 'idempotency-key': KEY },
  });
  assert.equal(answer.status, 500);
  await refused(() => Promise.reject(errors[0]), 'REDKEEP_GUARD_OPTION');
});

test('bodies that are not text are told apart by their bytes', async () => {
  const run = webIdempotency(keysOf({}), { scopeOf: () => 'ana' });
  let runs = 0;
  const send = async (body: Uint8Array) => {
    const request = new Request('https://app.example/pay', {
      method: 'POST',
      headers: { 'idempotency-key': KEY, 'content-type': 'application/octet-stream' },
      body: Buffer.from(body),
    });
    return (await run(request, () => new Response(`paid ${++runs}`))).status;
  };
  const bytes = [Uint8Array.of(0xff, 1), Uint8Array.of(0xfe, 1)];
  assert.equal(await send(bytes[0]!), 200);
  assert.deepEqual([await send(bytes[0]!), await send(bytes[1]!), runs], [200, 422, 1]);
});
