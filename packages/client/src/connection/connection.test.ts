import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connectWith, startFaultProxy, startScriptedServer, startServer, waitFor } from '@redkeep/testing';
import { createClient, type RedisClient } from '../client/client.js';
import {
  AbortError,
  ClientClosedError,
  DisconnectsClientError,
  InvalidArgumentError,
  MaybeExecutedError,
  ProtocolError,
  QueueFullError,
  TimeoutError,
} from '../errors.js';
import type { ClientOptions } from '../options/options.js';

const connect = connectWith<ClientOptions, RedisClient>(createClient);

/** Unlike events.once, an `error` event meanwhile does not count. */
const event = (client: RedisClient, name: string) => new Promise<unknown>((resolve) => client.once(name, resolve));

const quick = { reconnectStrategy: () => 1 } as const;

describe('delivery', () => {
  test('commands of one turn go out in one write and come back in order', async () => {
    await using server = await startServer();
    await using proxy = await startFaultProxy(server.port);
    await using client = await connect(proxy);
    const answers = await Promise.all(
      Array.from({ length: 1000 }, (_, i) => client.set(`k${i}`, i).then(() => client.get(`k${i}`))),
    );
    assert.deepEqual(
      answers,
      Array.from({ length: 1000 }, (_, i) => String(i)),
    );
  });

  test('replies cut into single bytes are put together again', async () => {
    await using server = await startServer();
    await using proxy = await startFaultProxy(server.port);
    proxy.faults.toClient.chunk = 1;
    await using client = await connect(proxy);
    await client.mSet({ a: 'é€😀', b: '' });
    assert.deepEqual(await client.mGet(['a', 'b', 'c']), ['é€😀', '', null]);
  });

  test('a write whose answer is lost rejects with MaybeExecutedError and is never sent again', async () => {
    await using server = await startScriptedServer({ onCommand: () => undefined });
    await using client = await connect(server, { socket: quick });
    const answer = assert.rejects(
      client.incr('n'),
      (error) => error instanceof MaybeExecutedError && error.command === 'INCR',
    );
    await server.waitForCommand('INCR');
    server.dropPeers();
    await answer;
    await server.waitForCommand('HELLO', 2);
    assert.equal(server.received.filter(([name]) => name === 'INCR').length, 1);
    client.destroy();
  });

  test('a read whose answer is lost is sent again', async () => {
    await using server = await startScriptedServer();
    server.reply('GET', (_, peer) => {
      peer.reset();
      return undefined;
    });
    server.reply('GET', '$5\r\nagain\r\n');
    await using client = await connect(server, { socket: quick });
    assert.equal(await client.get('k'), 'again');
  });

  test('a write declared idempotent is sent again', async () => {
    await using server = await startScriptedServer();
    server.reply('SET', (_, peer) => {
      peer.reset();
      return undefined;
    });
    await using client = await connect(server, { socket: quick });
    assert.equal(await client.withCommandOptions({ idempotent: true }).set('k', 'v'), 'OK');
    assert.equal(server.received.filter(([name]) => name === 'SET').length, 2);
  });

  test('a command that may be repeated is sent at most maxRetriesPerCommand times again', async () => {
    await using server = await startScriptedServer({
      onCommand: (command, peer) => {
        if (command[0] === 'GET') peer.reset();
        return undefined;
      },
    });
    await using client = await connect(server, { socket: quick, maxRetriesPerCommand: 2 });
    await assert.rejects(client.get('k'), { code: 'REDKEEP_SOCKET_CLOSED' });
    assert.equal(server.received.filter(([name]) => name === 'GET').length, 3);
  });

  test('commands issued while the connection is down run after it is back', async () => {
    await using server = await startServer();
    await using proxy = await startFaultProxy(server.port);
    await using client = await connect(proxy, { socket: quick });
    const lost = event(client, 'reconnecting');
    proxy.cut('rst');
    await lost;
    assert.equal(await client.set('k', 'v'), 'OK');
    assert.equal(await client.get('k'), 'v');
  });

  test('with disableOfflineQueue they are rejected at once', async () => {
    await using server = await startScriptedServer();
    await using client = await connect(server, {
      disableOfflineQueue: true,
      socket: { reconnectStrategy: () => 60_000 },
    });
    server.dropPeers();
    await waitFor(() => !client.isReady);
    await assert.rejects(client.get('k'), { code: 'REDKEEP_CLIENT_OFFLINE' });
    client.destroy();
  });

  test('close answers what was issued before; later commands reject', async () => {
    await using server = await startServer();
    const client = await connect(server);
    const before = Promise.all(Array.from({ length: 100 }, (_, i) => client.set(`k${i}`, 'v')));
    const closed = client.close();
    await assert.rejects(client.get('k'), ClientClosedError);
    assert.equal((await before).length, 100);
    await closed;
    await assert.rejects(client.close(), ClientClosedError);
  });

  test('destroy rejects what is unanswered', async () => {
    await using server = await startScriptedServer({ onCommand: () => undefined });
    const client = await connect(server);
    const answer = assert.rejects(client.get('k'), DisconnectsClientError);
    client.destroy();
    await answer;
  });

  test('a closed client connects again', async () => {
    await using server = await startServer();
    const client = await connect(server);
    await client.close();
    await client.connect();
    assert.equal(await client.ping(), 'PONG');
    await client.close();
  });
});

describe('deadlines and cancelling', () => {
  test('a silent server: the command times out, its late reply is dropped and no reply is swapped', async () => {
    await using server = await startScriptedServer();
    let answerFirst!: () => void;
    server.reply('GET', () => new Promise((resolve) => (answerFirst = () => resolve('$4\r\nlate\r\n'))));
    server.reply('GET', '$6\r\nsecond\r\n');
    await using client = await connect(server, { socket: { socketTimeout: 0 } });
    await assert.rejects(client.withCommandOptions({ timeout: 20 }).get('first'), TimeoutError);
    await server.waitForCommand('GET');
    const second = client.get('second');
    answerFirst();
    assert.equal(await second, 'second');
  });

  test('a silent server is given up after socketTimeout, and waiting reads go to the next connection', async () => {
    await using server = await startScriptedServer();
    server.reply('GET', undefined);
    server.reply('GET', undefined);
    server.reply('GET', '$2\r\nok\r\n');
    await using client = await connect(server, { socket: { socketTimeout: 50, ...quick } });
    await assert.rejects(client.withCommandOptions({ timeout: 20 }).get('a'), TimeoutError);
    assert.equal(await client.get('b'), 'ok');
    assert.equal(server.peers.length, 2);
  });

  test('aborting a queued command takes it out; it is never sent', async () => {
    await using server = await startScriptedServer();
    await using client = await connect(server);
    const controller = new AbortController();
    const aborted = assert.rejects(client.withAbortSignal(controller.signal).set('k', 'v'), AbortError);
    controller.abort();
    await aborted;
    assert.equal(await client.ping(), 'OK');
    assert.equal(
      server.received.some(([name]) => name === 'SET'),
      false,
    );
  });

  test('a transaction that times out or is aborted before it is sent is never sent, not even in part', async () => {
    await using server = await startServer();
    await using proxy = await startFaultProxy(server.port);
    await using client = await connect(proxy, {
      commandOptions: { timeout: 100 },
      socket: quick,
    });
    proxy.refuse();
    proxy.cut('rst');
    await event(client, 'reconnecting');
    const aborting = new AbortController();
    const aborted = client.withAbortSignal(aborting.signal).multi().incr('aborted').exec();
    aborting.abort();
    await assert.rejects(aborted, AbortError);
    // A blocking command has no deadline of its own, and goes with its transaction all the same.
    await assert.rejects(client.multi().incr('late').blPop('none', 1).exec(), /not sent within/);
    const back = event(client, 'ready');
    proxy.accept();
    await back;
    assert.deepEqual(await client.mGet(['aborted', 'late']), [null, null]);
    assert.doesNotMatch(proxy.received('toServer').toString('latin1'), /BLPOP/);
  });

  test('aborting a sent command rejects now and drops its reply', async () => {
    await using server = await startScriptedServer();
    let answer!: () => void;
    server.reply('GET', () => new Promise((resolve) => (answer = () => resolve('$1\r\na\r\n'))));
    await using client = await connect(server);
    const controller = new AbortController();
    const aborted = assert.rejects(client.withAbortSignal(controller.signal).get('a'), AbortError);
    await server.waitForCommand('GET');
    controller.abort();
    await aborted;
    server.reply('GET', '$1\r\nb\r\n');
    const next = client.get('b');
    answer();
    assert.equal(await next, 'b');
  });

  test('aborting a blocking command ends it and does not disturb others', async () => {
    await using server = await startServer();
    await using client = await connect(server);
    const controller = new AbortController();
    const blocked = client.withAbortSignal(controller.signal).sendCommand(['BLPOP', 'empty', '0']);
    assert.equal(await client.ping(), 'PONG');
    controller.abort();
    await assert.rejects(blocked);
  });
});

describe('bounds', () => {
  test('the queue is bounded in commands', async () => {
    await using server = await startScriptedServer({ onCommand: () => undefined });
    const client = await connect(server, { commandsQueueMaxLength: 3 });
    const pending = [client.get('a'), client.get('b'), client.get('c')].map((p) =>
      assert.rejects(p, DisconnectsClientError),
    );
    await assert.rejects(client.get('d'), QueueFullError);
    client.destroy();
    await Promise.all(pending);
  });

  test('what is refused in one go gets one error, what is refused later its own', async () => {
    await using server = await startScriptedServer({ onCommand: () => undefined });
    const client = await connect(server, { commandsQueueMaxLength: 1 });
    const waits = assert.rejects(client.get('a'), DisconnectsClientError);
    const refuse = async () => {
      const refused = await Promise.allSettled([client.get('b'), client.set('c', ''), client.multi().ping().exec()]);
      const reasons = new Set(refused.map((one) => (one.status === 'rejected' ? (one.reason as unknown) : undefined)));
      assert.equal(reasons.size, 1);
      return [...reasons][0];
    };
    const first = await refuse();
    assert.ok(first instanceof QueueFullError);
    assert.notEqual(await refuse(), first);
    client.destroy();
    await waits;
  });

  test('the queue is bounded in bytes, and ready() resolves when there is room', async () => {
    await using server = await startServer();
    await using client = await connect(server, { maxQueueBytes: 1_000_000 });
    server.pause();
    const value = 'x'.repeat(100_000);
    const sets: Promise<unknown>[] = [];
    for (let refused = false; !refused; ) {
      const set = client.set('k', value);
      await Promise.race([set, new Promise((resolve) => setImmediate(resolve))]).catch((error) => {
        refused = error instanceof QueueFullError;
      });
      sets.push(set.catch(() => 'refused'));
      assert.ok(sets.length < 20, 'never refused');
    }
    const room = client.ready();
    server.resume();
    await room;
    assert.equal(await client.set('k', 'v'), 'OK');
    await Promise.all(sets);
  });

  test('a timed-out command frees its memory although the server still owes its reply', async () => {
    await using server = await startServer();
    await using client = await connect(server, { maxQueueBytes: 500_000, socket: { socketTimeout: 0 } });
    server.pause();
    const set = client.withCommandOptions({ timeout: 20 }).set('k', 'x'.repeat(500_000));
    await assert.rejects(client.get('k'), QueueFullError);
    await assert.rejects(set, TimeoutError);
    const get = client.get('k');
    server.resume();
    await get;
  });

  test('a command with an argument that cannot be sent sends nothing, alone or in MULTI', async () => {
    await using server = await startScriptedServer();
    await using client = await connect(server);
    await assert.rejects(client.get(undefined as never), InvalidArgumentError);
    await assert.rejects(
      client
        .multi()
        .set('a', '1')
        .set('b', {} as never)
        .exec(),
      InvalidArgumentError,
    );
    await client.ping();
    assert.deepEqual(
      server.received.map(([name]) => name).filter((name) => name !== 'HELLO' && name !== 'CLIENT'),
      ['PING'],
    );
  });
});

describe('a peer that breaks the protocol', () => {
  for (const [name, bytes] of Object.entries({
    garbage: '@what\r\n',
    'a reply nobody asked for': '+OK\r\n+OK\r\n',
    'a negative length': '$-7\r\n',
    'too many elements': '*33000000\r\n',
    'an endless line': `+${'x'.repeat(100_000)}`,
    'an impossible length': '$1000000000000\r\n',
  })) {
    test(`${name}: the connection is torn down and everything in flight rejects; no reply is swapped`, async () => {
      await using server = await startScriptedServer({ onCommand: () => undefined });
      const client = await connect(server, { socket: { reconnectStrategy: false } });
      const failed = event(client, 'error');
      const pending = [client.get('a'), client.set('b', '1')].map((p) =>
        p.then(
          (value) => ({ value }),
          (error) => ({ error }),
        ),
      );
      await server.waitForCommand('SET');
      server.peers[0]!.write(name === 'a reply nobody asked for' ? '$1\r\na\r\n+OK\r\n+OK\r\n' : `${bytes}$1\r\na\r\n`);
      const error = await failed;
      assert.ok(error instanceof ProtocolError, String(error));
      const outcomes = await Promise.all(pending);
      if (name !== 'a reply nobody asked for')
        assert.ok(
          outcomes.every((o) => 'error' in o),
          JSON.stringify(outcomes),
        );
      assert.equal(client.isOpen, false);
    });
  }
});

describe('handshake', () => {
  test('falls back to RESP2 where HELLO is unknown', async () => {
    await using server = await startScriptedServer({ handshake: 'resp2' });
    server.reply('GET', '$1\r\nv\r\n');
    await using client = await connect(server, { username: 'u', password: 'p', database: 3 });
    assert.equal(await client.get('k'), 'v');
    const names = server.received.map(([name, first]) => (name === 'CLIENT' ? `${name} ${first}` : name));
    assert.deepEqual(
      names.filter((name) => !name!.startsWith('CLIENT')),
      ['HELLO', 'SELECT', 'AUTH', 'SELECT', 'GET'],
    );
    assert.deepEqual(
      server.received.find(([name]) => name === 'AUTH'),
      ['AUTH', 'u', 'p'],
    );
  });

  test('a wrong password rejects connect() at once, for good', async () => {
    await using server = await startServer({ password: 'right' });
    const client = createClient({ url: server.url, password: 'wrong-secret' });
    const errors: Error[] = [];
    client.on('error', (error) => errors.push(error));
    await assert.rejects(
      client.connect(),
      (error: Error & { code: string }) => error.code === 'REDKEEP_AUTH_FAILED' && !error.message.includes('secret'),
    );
    assert.equal(client.isOpen, false);
    assert.equal(errors.length, 1);
  });

  test('name, database and user are there after a reconnect', async () => {
    await using server = await startServer({
      users: ['user default off', 'user app on >pw ~* &* +@all'],
      admin: { username: 'app', password: 'pw' },
    });
    await using proxy = await startFaultProxy(server.port);
    await using client = await connect(proxy, {
      url: `redis://app:pw@127.0.0.1:${proxy.port}/2`,
      name: 'me',
      socket: quick,
    });
    const state = async () => [
      await client.clientGetName(),
      await client.sendCommand(['ACL', 'WHOAMI']),
      (await client.sendCommand<string>(['CLIENT', 'INFO'])).match(/ db=(\d+)/)![1],
    ];
    assert.deepEqual(await state(), ['me', 'app', '2']);
    await client.select(5);
    const ready = event(client, 'ready');
    proxy.cut('rst');
    await ready;
    assert.deepEqual(await state(), ['me', 'app', '5']);
  });

  test('connect() gives up on an address where nothing listens', async () => {
    const client = createClient({
      url: 'redis://127.0.0.1:1',
      socket: { reconnectStrategy: (retries) => (retries < 2 ? 1 : false) },
    });
    await assert.rejects(client.connect(), { code: 'ECONNREFUSED' });
  });
});
