import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startFaultProxy, startScriptedServer, startServer, waitFor } from '@redkeep/testing';
import { createClient } from '../client/client.js';
import { RotatingSource } from '../testing/rotating-source.js';

const quick = { reconnectStrategy: 5 };

describe('what a server may do', () => {
  for (const refusal of [
    'LOADING Redis is loading the dataset in memory',
    'BUSY Redis is busy running a script.',
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    'CLUSTERDOWN The cluster is down',
    'ERR max number of clients reached',
  ])
    test(`a handshake refused with ${refusal.split(' ', 2).join(' ')} is tried again`, async () => {
      await using server = await startScriptedServer();
      for (let i = 0; i < 3; i++) server.reply('HELLO', `-${refusal}\r\n`);
      const codes: unknown[] = [];
      const client = createClient({ url: server.url, socket: quick });
      client.on('error', (error) => codes.push(error.code));
      await client.connect();
      assert.deepEqual(codes, Array(3).fill('REDKEEP_SERVER_NOT_READY'));
      client.destroy();
    });

  test('HELLO refused in any words means RESP2', async () => {
    await using server = await startScriptedServer();
    server.reply('HELLO', '-ERR this proxy supports no such thing\r\n');
    await using client = await createClient({ url: server.url, password: 'secret' }).connect();
    assert.equal(await client.ping(), 'OK');
    assert.deepEqual(
      server.received.map(([name]) => name).filter((name) => name === 'AUTH'),
      ['AUTH'],
    );
  });

  for (const push of [
    '>1\r\n+message\r\n',
    '>2\r\n+message\r\n:1\r\n',
    '>3\r\n+message\r\n*0\r\n+x\r\n',
    '>4\r\n+pmessage\r\n:1\r\n:2\r\n:3\r\n',
    '>1\r\n+invalidate\r\n',
    '>1\r\n+subscribe\r\n',
  ])
    test(`a push of the wrong form ends the connection and nothing else: ${JSON.stringify(push)}`, async () => {
      await using server = await startScriptedServer();
      const codes: unknown[] = [];
      const client = createClient({ url: server.url, socket: quick });
      client.on('error', (error) => codes.push(error.code));
      await client.connect();
      server.peers[0]!.write(push);
      await server.waitForPeers(2);
      assert.deepEqual(codes, ['REDKEEP_PROTOCOL']);
      await waitFor(() => client.isReady);
      assert.equal(await client.set('k', 'v'), 'OK');
      client.destroy();
    });

  test('commands that were answered while the event loop was blocked are not rejected', async () => {
    await using server = await startServer();
    await using client = await createClient({ url: server.url, commandOptions: { timeout: 100 } }).connect();
    const answers = Array.from({ length: 100 }, (_, i) => client.set(`k${i}`, 'v'));
    await client.ping();
    const more = Array.from({ length: 100 }, (_, i) => client.get(`k${i}`));
    setImmediate(() => {
      const end = performance.now() + 400;
      while (performance.now() < end);
    });
    await Promise.all([...answers, ...more]);
    assert.equal(client.socketEpoch, 1);
  });
});

describe('what an application may do', () => {
  test('credentials announced one after the other leave the connection as the last', async () => {
    await using server = await startScriptedServer();
    const source = new RotatingSource({ username: 'u', password: 'p0' });
    await using client = await createClient({ url: server.url, credentialsProvider: source }).connect();
    for (let i = 1; i <= 500; i++) source.rotate({ username: 'u', password: `p${i}` });
    await waitFor(() => server.received.some(([name, , password]) => name === 'AUTH' && password === 'p500'));
    await client.ping();
    assert.equal(server.received.filter(([name]) => name === 'AUTH').at(-1)?.[2], 'p500');
  });

  for (const [what, credentials] of [
    ['hangs', () => new Promise<never>(() => {})],
    ['returns null', async () => null as never],
    [
      'throws',
      () => {
        throw new Error('of the application');
      },
    ],
  ] as const)
    test(`a credentials provider that ${what} rejects connect()`, async () => {
      await using server = await startScriptedServer();
      const client = createClient({
        url: server.url,
        socket: { connectTimeout: 50, reconnectStrategy: false },
        credentialsProvider: { type: 'async-credentials-provider', credentials },
      });
      await assert.rejects(client.connect(), { code: 'REDKEEP_CREDENTIALS_UNAVAILABLE' });
    });

  test('listeners and a strategy that throw stop neither reconnection nor other listeners', async () => {
    await using server = await startServer();
    await using proxy = await startFaultProxy(server.port);
    const fail = () => {
      throw new Error('of the application');
    };
    const client = createClient({ url: `redis://127.0.0.1:${proxy.port}`, socket: { reconnectStrategy: fail } });
    const codes = new Set<unknown>();
    let ready = 0;
    client.on('error', (error) => codes.add(error.code));
    for (const event of ['connect', 'ready', 'reconnecting']) client.on(event, fail);
    client.on('ready', () => ready++);
    await client.connect();
    const received: string[] = [];
    await client.subscribe('news', fail);
    await client.subscribe('news', (message) => received.push(message));
    proxy.cut();
    await waitFor(() => ready === 2);
    await client.publish('news', 'one');
    await waitFor(() => received.length === 1);
    assert.ok(codes.has('REDKEEP_CALLBACK_FAILED'));
    assert.equal(ready, 2);
    client.destroy();
  });
});
