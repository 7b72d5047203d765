import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { freePort, startFaultProxy, startServer } from '@redkeep/testing';
import { createClient } from '../client/client.js';
import { RedkeepError } from '../errors.js';

/** What `connect()` rejects with, and after how many milliseconds. */
async function failure(connect: () => Promise<unknown>): Promise<{ error: RedkeepError; ms: number }> {
  const start = performance.now();
  try {
    await connect();
  } catch (error) {
    assert.ok(error instanceof RedkeepError, String(error));
    assert.notEqual(error.hint, '');
    return { error, ms: performance.now() - start };
  }
  throw new assert.AssertionError({ message: 'it connected' });
}

describe('the first minute with a client', { concurrency: true }, () => {
  test('no server: a typed error within 5 s, the first event at once, and the client can connect later', async () => {
    await using server = await startServer();
    await server.stop();
    const client = createClient({ url: server.url });
    const start = performance.now();
    const events: number[] = [];
    client.on('error', () => events.push(performance.now() - start));
    const { error, ms } = await failure(() => client.connect());
    assert.ok(ms < 5000, `${ms} ms`);
    assert.ok(events[0]! < 1000, `${events[0]} ms`);
    assert.match(error.message, /socket\.reconnectStrategy/);
    assert.ok(!client.isOpen);
    await server.start();
    await client.connect();
    assert.equal(await client.set('k', 'v'), 'OK');
    client.destroy();
  });

  test('a server that takes no connection: within 5 s too', async () => {
    await using server = await startServer();
    await using proxy = await startFaultProxy(server.port);
    proxy.stall();
    const { error, ms } = await failure(() => createClient({ url: `redis://127.0.0.1:${proxy.port}` }).connect());
    assert.ok(ms < 5000, `${ms} ms`);
    assert.match(error.message, /socket\.reconnectStrategy/);
  });

  test('a refused port and no reconnection wanted: at once', async () => {
    const url = `redis://127.0.0.1:${await freePort()}`;
    const { ms } = await failure(() => createClient({ url, socket: { reconnectStrategy: false } }).connect());
    assert.ok(ms < 1000, `${ms} ms`);
  });

  test('redis:// on a TLS port and rediss:// on a plaintext one say so', async () => {
    await using secure = await startServer({ tls: true });
    await using plain = await startServer();
    const first = await failure(() => createClient({ url: `redis://127.0.0.1:${secure.tlsPort}` }).connect());
    assert.equal(first.error.code, 'REDKEEP_SERVER_TLS');
    assert.match(first.error.hint, /rediss:\/\//);
    const second = await failure(() => createClient({ url: `rediss://127.0.0.1:${plain.port}` }).connect());
    assert.equal(second.error.code, 'REDKEEP_SERVER_PLAINTEXT');
    for (const { ms } of [first, second]) assert.ok(ms < 3000, `${ms} ms`);
  });

  test('a second connect() says that the client is connected', async () => {
    await using server = await startServer();
    await using client = await createClient({ url: server.url }).connect();
    const { error } = await failure(() => client.connect());
    assert.equal(error.code, 'REDKEEP_ALREADY_CONNECTED');
  });

  test('the error about an option in the wrong place names the right one', () => {
    for (const [given, place] of [
      [{ host: 'cache.internal' }, /socket: \{ host \}/],
      [{ reconnectStrategy: 1 }, /socket: \{ reconnectStrategy \}/],
      [{ ca: 'x' }, /\{ ca \}/],
    ] as const)
      assert.throws(() => createClient(given as never), { code: 'REDKEEP_INVALID_OPTION', message: place });
  });
});
