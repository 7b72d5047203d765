import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startFaultProxy, startScriptedServer, startServer, waitFor } from '@redkeep/testing';
import { createClient, createClientPool } from '../client/client.js';

const run = promisify(execFile);
const SHORT = { timeout: 150 };

async function openSockets(server: { command(...words: string[]): Promise<unknown> }, name: string): Promise<string[]> {
  return String(await server.command('CLIENT', 'LIST'))
    .split('\n')
    .filter((line) => line.includes(` name=${name} `));
}

describe('a command that waits on the server', () => {
  test('starts at its place: what is added after the call is not missed', async () => {
    await using server = await startServer();
    await using reader = await createClient({ url: server.url }).connect();
    await using writer = await createClient({ url: server.url }).connect();
    let missed = 0;
    for (let i = 0; i < 20; i++) {
      // The first call of a client is the hardest: it has no second socket yet.
      await using fresh = i % 2 === 0 ? await reader.duplicate().connect() : undefined;
      const waiting = (fresh ?? reader).xRead({ key: 's', id: '$' }, { BLOCK: 300 });
      await turn();
      await writer.xAdd('s', '*', { i: String(i) });
      if ((await waiting) === null) missed++;
    }
    assert.equal(missed, 0);
  });

  test('keeps its order among others of its client, before and after', async () => {
    await using server = await startServer();
    await using client = await createClient({ url: server.url }).connect();
    for (let i = 0; i < 20; i++) {
      const before = client.xAdd('s', '*', { before: String(i) });
      const waiting = client.xRead({ key: 's', id: '$' }, { BLOCK: 1000 });
      const after = client.xAdd('s', '*', { after: String(i) });
      const [, streams] = await Promise.all([before, waiting, after]);
      assert.deepEqual(
        streams?.[0]?.messages.map(({ message }) => ({ ...message })),
        [{ after: String(i) }],
      );
    }
  });

  test('holds up nobody, and several wait at once', async () => {
    await using server = await startServer();
    await using client = await createClient({ url: server.url }).connect();
    const waiting = ['a', 'b', 'c'].map((queue) => client.blPop(queue, 0));
    await Promise.all(Array.from({ length: 100 }, (_, i) => client.set(`k${i}`, String(i))));
    assert.equal(await client.get('k99'), '99');
    for (const queue of ['c', 'a', 'b']) await client.rPush(queue, queue);
    assert.deepEqual(
      (await Promise.all(waiting)).map((popped) => popped?.element),
      ['a', 'b', 'c'],
    );
    assert.equal(client.socketEpoch, 1);
  });

  test('uses the connection of the client, so that its id and name are those of the wait', async () => {
    await using server = await startServer();
    await using client = await createClient({ url: server.url, name: 'worker' }).connect();
    const id = await client.clientId();
    const waiting = client.blPop('none', 0);
    await waitFor(async () => (await openSockets(server, 'worker')).some((line) => line.includes('cmd=blpop')));
    assert.equal((await openSockets(server, 'worker')).length, 1);
    assert.equal(Number(await server.command('CLIENT', 'UNBLOCK', String(id))), 1);
    assert.equal(await waiting, null);
  });

  test('an element that comes after the call was aborted or timed out is not lost', async () => {
    await using server = await startServer();
    await using client = await createClient({ url: server.url }).connect();
    const controller = new AbortController();
    const aborted = client.withAbortSignal(controller.signal).blPop('q', 0);
    const late = client.withCommandOptions({ timeout: 30 }).blPop('q', 0);
    setTimeout(() => controller.abort(), 20);
    await assert.rejects(aborted, { code: 'REDKEEP_ABORTED' });
    await assert.rejects(late, { code: 'REDKEEP_TIMEOUT' });
    await waitFor(async () => !String(await server.command('CLIENT', 'LIST')).includes('cmd=blpop'));
    await client.rPush('q', 'kept');
    assert.equal(await client.lPop('q'), 'kept');
  });

  test('ends when the server is silent, though the command named a time of its own', async () => {
    await using server = await startScriptedServer({ onCommand: () => undefined });
    await using client = await createClient({ url: server.url, commandOptions: SHORT }).connect();
    await assert.rejects(client.blPop('q', 0.1), { code: 'REDKEEP_TIMEOUT' });
    client.destroy();
  });

  test('a timeout given for the call bounds it, also one that equals the default', async () => {
    await using server = await startServer();
    await using client = await createClient({ url: server.url, commandOptions: SHORT }).connect();
    await assert.rejects(client.withCommandOptions(SHORT).blPop('q', 0), { code: 'REDKEEP_TIMEOUT' });
  });

  test('is refused before connect() and after close()', async () => {
    await using server = await startServer();
    const client = createClient({ url: server.url });
    await assert.rejects(client.blPop('q', 0), { code: 'REDKEEP_CLIENT_CLOSED' });
    await client.connect();
    await client.close();
    await assert.rejects(client.blPop('q', 0), { code: 'REDKEEP_CLIENT_CLOSED' });
  });

  test('while the server is away a loop of calls waits instead of hammering', async () => {
    await using server = await startServer();
    await using proxy = await startFaultProxy(server.port);
    const client = createClient({ url: `redis://127.0.0.1:${proxy.port}`, commandOptions: SHORT });
    let attempts = 0;
    client.on('error', () => {}).on('reconnecting', () => attempts++);
    await client.connect();
    proxy.refuse();
    proxy.cut();
    await waitFor(() => !client.isReady);
    const codes = new Set<string>();
    let calls = 0;
    const end = performance.now() + 600;
    while (performance.now() < end) {
      calls++;
      await client.blPop('q', 1).catch((error) => codes.add(error.code));
    }
    assert.deepEqual([...codes], ['REDKEEP_TIMEOUT']);
    assert.ok(calls <= 10, `${calls} calls`);
    assert.ok(attempts <= 60, `${attempts} attempts to connect`);
    proxy.accept();
    await waitFor(() => client.isReady);
    await client.rPush('q', 'x');
    assert.deepEqual(await client.blPop('q', 1), { key: 'q', element: 'x' });
    client.destroy();
  });

  test('close() ends a wait that has no end', async () => {
    await using server = await startServer();
    const client = await createClient({ url: server.url, commandOptions: SHORT }).connect();
    const waiting = [client.blPop('a', 0), client.blPop('b', 0)];
    for (const one of waiting) one.catch(() => {});
    await client.ping();
    await client.close();
    for (const one of waiting) await assert.rejects(one, { name: /DisconnectsClientError|MaybeExecutedError/ });
  });

  test('keeps no process alive after unref()', async () => {
    await using server = await startServer();
    const code = `import { createClient } from 'redkeep';
      const client = await createClient({ url: '${server.url}' }).connect();
      client.blPop('a', 0); client.blPop('b', 0); await client.ping();
      client.unref();`;
    await run(process.execPath, ['--disable-warning=REDKEEP_PLAINTEXT', '--input-type=module', '-e', code], {
      cwd: import.meta.dirname,
      timeout: 20_000,
    });
  });

  test('a subscribed client waits on a connection apart, and loses no message', async () => {
    await using server = await startServer();
    await using client = await createClient({ url: server.url }).connect();
    const received: string[] = [];
    await client.subscribe('news', (message) => received.push(message));
    const waiting = client.blPop('q', 0);
    await client.publish('news', 'one');
    await client.rPush('q', 'x');
    assert.deepEqual(await waiting, { key: 'q', element: 'x' });
    await waitFor(() => received.length === 1);
  });

  test('three of them leave a pool of three able to work', async () => {
    await using server = await startServer();
    await using pool = createClientPool({ url: server.url }, { minimum: 3, maximum: 3, acquireTimeout: 500 });
    await pool.connect();
    const waiting = ['a', 'b', 'c'].map((queue) => pool.blPop(queue, 0));
    assert.equal(await pool.set('k', 'v'), 'OK');
    assert.equal(await pool.execute((client) => client.get('k')), 'v');
    for (const queue of ['a', 'b', 'c']) await pool.rPush(queue, queue);
    await Promise.all(waiting);
  });
});
