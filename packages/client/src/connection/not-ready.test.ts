import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ScriptedServer, startScriptedServer, startServer, waitFor } from '@redkeep/testing';
import { createClient } from '../client/client.js';
import type { ClientOptions } from '../options/options.js';

const LOADING = '-LOADING Redis is loading the dataset in memory\r\n';
const REFUSALS = [
  'LOADING Redis is loading the dataset in memory',
  'LOADING Valkey is loading the dataset in memory',
  "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
  'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
  'BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.',
  'BUSY Redis is busy running a module command.',
];

const connect = (server: ScriptedServer, options?: ClientOptions) =>
  createClient({ url: server.url, ...options }).connect();
/** What the server was asked, without the handshake. */
const asked = (server: ScriptedServer) =>
  server.received.filter(([name]) => !/^(HELLO|CLIENT|PING)$/.test(name!)).map((words) => words.join(' '));

describe('a server that is not ready', () => {
  for (const refusal of REFUSALS)
    test(`${refusal.slice(0, 40)}: the command is sent again, unless it may not wait`, async () => {
      await using server = await startScriptedServer();
      for (const _ of [1, 2, 3]) server.reply('INCR', `-${refusal}\r\n`);
      server.reply('INCR', ':7\r\n');
      await using client = await connect(server);
      assert.equal(await client.incr('k'), 7);
      assert.equal(asked(server).length, 4);
      server.reply('INCR', `-${refusal}\r\n`);
      await using hasty = await connect(server, { disableOfflineQueue: true });
      await assert.rejects(hasty.incr('k'), { code: 'REDKEEP_SERVER_NOT_READY' });
    });

  test('commands keep their order, and one is tried at a time', async () => {
    await using server = await startScriptedServer();
    for (let i = 0; i < 3; i++) server.reply('SET', LOADING);
    server.reply('GET', LOADING).reply('SET', LOADING).reply('SET', LOADING);
    server.reply('GET', '$1\r\n3\r\n');
    await using client = await connect(server);
    const first = [client.set('k', '1'), client.set('k', '2'), client.set('k', '3'), client.get('k')];
    await waitFor(() => asked(server).length >= 4);
    const later = client.set('k', '4');
    assert.deepEqual(await Promise.all([...first, later]), ['OK', 'OK', 'OK', '3', 'OK']);
    assert.deepEqual(asked(server), [
      ...['SET k 1', 'SET k 2', 'SET k 3', 'GET k'],
      ...['SET k 1', 'SET k 1'],
      ...['SET k 1', 'SET k 2', 'SET k 3', 'GET k', 'SET k 4'],
    ]);
  });

  test('a write that a later one overtook is given back, a read is sent again', async () => {
    await using server = await startScriptedServer();
    server.reply('SET', LOADING).reply('GET', LOADING).reply('GET', '$1\r\n2\r\n');
    await using client = await connect(server);
    const [refused, read, ran] = await Promise.allSettled([
      client.set('k', '1'),
      client.get('k'),
      client.set('k', '2'),
    ]);
    assert.equal((refused as PromiseRejectedResult).reason.code, 'REDKEEP_SERVER_NOT_READY');
    assert.equal((read as PromiseFulfilledResult<unknown>).value, '2');
    assert.equal(ran!.status, 'fulfilled');
    assert.deepEqual(asked(server), ['SET k 1', 'GET k', 'SET k 2', 'GET k']);
  });

  test('a transaction is sent again as a whole', async () => {
    await using server = await startScriptedServer();
    const aborted = '-EXECABORT Transaction discarded because of previous errors.\r\n';
    server.reply('INCR', LOADING).reply('EXEC', aborted);
    server.reply('INCR', '+QUEUED\r\n').reply('EXEC', '*1\r\n:1\r\n');
    await using client = await connect(server);
    assert.deepEqual(await client.multi().incr('k').exec(), [1]);
    assert.deepEqual(asked(server), ['MULTI', 'INCR k', 'EXEC', 'MULTI', 'INCR k', 'EXEC']);
  });

  test('a transaction that relies on a WATCH, or that was begun by a raw MULTI, is not', async () => {
    await using server = await startScriptedServer();
    const aborted = '-EXECABORT Transaction discarded because of previous errors.\r\n';
    server.reply('INCR', LOADING).reply('EXEC', aborted).reply('INCR', LOADING).reply('EXEC', aborted);
    await using client = await connect(server);
    await client.watch('k');
    await assert.rejects(client.multi().incr('k').exec(), /EXECABORT/);
    const raw = await Promise.allSettled([
      client.sendCommand(['MULTI']),
      client.incr('k'),
      client.sendCommand(['EXEC']),
    ]);
    assert.deepEqual(
      raw.map(({ status }) => status),
      ['fulfilled', 'rejected', 'rejected'],
    );
    assert.equal(asked(server).filter((words) => words === 'INCR k').length, 2);
    server.reply('INCR', LOADING).reply('INCR', ':3\r\n');
    assert.equal(await client.incr('k'), 3);
  });

  test('what a script answers in words of its own is not sent again', async () => {
    await using server = await startScriptedServer();
    server.reply('EVAL', '-BUSY the job is taken\r\n').reply('EVAL', '-LOADING later\r\n');
    await using client = await connect(server);
    for (const _ of [1, 2])
      await assert.rejects(client.eval('return redis.error_reply(ARGV[1])', { arguments: ['x'] }), {
        code: 'REDKEEP_SERVER_NOT_READY',
      });
    assert.equal(asked(server).length, 2);
  });

  test('each command waits as long as its time limit, then rejects with what the server said', async () => {
    await using server = await startScriptedServer();
    for (let i = 0; i < 100; i++) server.reply('SET', LOADING);
    await using client = await connect(server, { commandOptions: { timeout: 150 } });
    const behind = client.set('k', '1').then(
      () => assert.fail('the server was not ready'),
      (error) => error,
    );
    await waitFor(() => asked(server).length > 1);
    await assert.rejects(
      client.withCommandOptions({ timeout: 20 }).get('k'),
      ({ code, cause }) => code === 'REDKEEP_TIMEOUT' && cause.code === 'REDKEEP_SERVER_NOT_READY',
    );
    assert.equal((await behind).code, 'REDKEEP_SERVER_NOT_READY');
    const signal = AbortSignal.timeout(20);
    await assert.rejects(client.withAbortSignal(signal).set('k', '2'), { code: 'REDKEEP_ABORTED' });
  });

  test('it does not hold up a health check', async () => {
    await using server = await startScriptedServer();
    for (let i = 0; i < 100; i++) server.reply('SET', LOADING);
    await using client = await connect(server, { commandOptions: { timeout: 300 } });
    const refused = assert.rejects(client.set('k', 'v'));
    await waitFor(() => asked(server).length > 1);
    assert.equal((await client.healthCheck()).error?.code, 'REDKEEP_SERVER_NOT_READY');
    await refused;
    server.reply('PING', LOADING);
    assert.equal((await client.healthCheck()).error?.code, 'REDKEEP_SERVER_NOT_READY');
  });

  test('a lost connection keeps what was refused, in order', async () => {
    await using server = await startScriptedServer();
    server.reply('GET', LOADING);
    await using client = await connect(server, { socket: { reconnectStrategy: 1 } });
    const answers = [client.get('k'), client.ping()];
    await waitFor(() => asked(server).length >= 1);
    server.dropPeers();
    await Promise.allSettled(answers);
    assert.equal(await answers[0], 'OK');
  });

  test('a real server that loads its data: everything waits, and nothing is doubled', async () => {
    await using server = await startServer({
      config: { 'enable-debug-command': 'yes', 'loading-process-events-interval-bytes': 1024 },
    });
    await using client = await createClient({ url: server.url, commandOptions: { timeout: 20_000 } }).connect();
    let retries = 0;
    client.on('retry', () => retries++);
    await server.command('DEBUG', 'POPULATE', '3000');
    await server.command('CONFIG', 'SET', 'key-load-delay', '200');
    await server.command('SAVE');
    const loaded = server.command('DEBUG', 'RELOAD', 'NOSAVE');
    await waitFor(async () => (await server.info('persistence'))['loading'] === '1');
    const [counted, pair, popped] = await Promise.all([
      Promise.all(Array.from({ length: 20 }, () => client.incr('counter'))),
      client.multi().incr('pair').incr('pair').exec(),
      client.blPop('queue', 20),
      client.lPush('queue', 'job'),
    ]);
    await loaded;
    assert.deepEqual(
      counted,
      [...counted].sort((a, b) => a - b),
    );
    assert.equal(counted.at(-1), 20);
    assert.deepEqual(pair, [1, 2]);
    assert.equal(popped?.element, 'job');
    assert.ok(retries > 0);
  });
});
