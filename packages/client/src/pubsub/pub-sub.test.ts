import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connectWith, type Reachable, startScriptedServer, startServer, waitFor } from '@redkeep/testing';
import { createClient, type RedisClient } from '../client/client.js';
import { ErrorReply, InvalidArgumentError } from '../errors.js';
import type { ClientOptions } from '../options/options.js';
import type { PubSubEvent } from './message-iterator.js';

const open = connectWith<ClientOptions, RedisClient>(createClient);
const connect = (server: Reachable, options: ClientOptions = {}): Promise<RedisClient> =>
  open(server, { socket: { reconnectStrategy: () => 1 }, ...options });
const ready = (client: RedisClient) => new Promise<void>((resolve) => client.once('ready', resolve));
const publish = (client: RedisClient, channel: string, message: string) =>
  client.sendCommand<number>(['PUBLISH', channel, message]);
async function killSubscribers(client: RedisClient, subscriber: RedisClient): Promise<void> {
  const back = ready(subscriber);
  await client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub']);
  await back;
}

for (const RESP of [2, 3] as const) {
  describe(`pub/sub over RESP${RESP}`, () => {
    test('channels, patterns and sharded channels reach their own listeners, as text or bytes', async () => {
      await using server = await startServer();
      await using publisher = await connect(server, { RESP });
      await using subscriber = await connect(server, { RESP });
      const received: unknown[] = [];
      await subscriber.subscribe(['news', 'other'], (message, channel) => received.push(['text', message, channel]));
      await subscriber.subscribe('news', (message, channel) => received.push(['bytes', message, channel]), true);
      await subscriber.pSubscribe('n*', (message, channel) => received.push(['pattern', message, channel]));
      await subscriber.sSubscribe('shard', (message, channel) => received.push(['shard', message, channel]));
      assert.equal(subscriber.isPubSubActive, true);
      assert.deepEqual([...subscriber.getPubSubListeners('CHANNELS').keys()], ['news', 'other']);
      await publish(publisher, 'news', 'é');
      await publisher.sendCommand(['SPUBLISH', 'shard', 's']);
      await waitFor(() => received.length === 4);
      assert.deepEqual(received, [
        ['bytes', Buffer.from('é'), Buffer.from('news')],
        ['text', 'é', 'news'],
        ['pattern', 'é', 'news'],
        ['shard', 's', 'shard'],
      ]);
    });

    test('unsubscribing without arguments ends one type and keeps replies in step', async () => {
      await using server = await startServer();
      await using subscriber = await connect(server, { RESP });
      await subscriber.subscribe(['a', 'b'], () => {});
      await subscriber.pSubscribe('p*', () => {});
      await subscriber.unsubscribe();
      assert.equal(subscriber.isPubSubActive, true);
      await subscriber.pUnsubscribe();
      assert.equal(subscriber.isPubSubActive, false);
      await subscriber.set('key', 'message');
      assert.deepEqual(await subscriber.mGet(['key']), ['message']);
      assert.equal(await subscriber.get('key'), 'message');
    });

    test('subscriptions are restored after a lost connection', async () => {
      await using server = await startServer();
      await using publisher = await connect(server, { RESP });
      await using subscriber = await connect(server, { RESP });
      const received: string[] = [];
      await subscriber.subscribe('news', (message) => received.push(message));
      await subscriber.sSubscribe(['s1', 's2'], (message) => received.push(message));
      await killSubscribers(publisher, subscriber);
      assert.equal(await publish(publisher, 'news', 'one'), 1);
      await publisher.sendCommand(['SPUBLISH', 's2', 'two']);
      await waitFor(() => received.length === 2);
      assert.deepEqual(received, ['one', 'two']);
    });
  });
}

describe('pub/sub', () => {
  test('one listener of several can leave; the last one unsubscribes', async () => {
    await using server = await startServer();
    await using publisher = await connect(server);
    await using subscriber = await connect(server);
    const received: string[] = [];
    const first = (message: string) => received.push(`first ${message}`);
    await subscriber.subscribe('c', first);
    await subscriber.subscribe('c', (message) => received.push(`second ${message}`));
    await subscriber.unsubscribe('c', first);
    assert.equal(await publish(publisher, 'c', 'm'), 1);
    await waitFor(() => received.length > 0);
    assert.deepEqual(received, ['second m']);
    await subscriber.unsubscribe('c');
    assert.equal(await publish(publisher, 'c', 'm'), 0);
  });

  test('subscribing again while an unsubscribe is under way leaves the channel subscribed', async () => {
    await using server = await startServer();
    await using publisher = await connect(server);
    await using subscriber = await connect(server);
    await subscriber.subscribe('c', () => {});
    await Promise.all([subscriber.unsubscribe('c'), subscriber.subscribe('c', () => {})]);
    assert.equal(await publish(publisher, 'c', 'm'), 1);
    assert.equal(subscriber.getPubSubListeners('CHANNELS').get('c')?.strings.size, 1);
  });

  test('a refused subscription rejects and leaves no listener', async () => {
    await using server = await startServer({ users: ['user app on >pw +@all ~* &allowed'] });
    await using subscriber = await connect(server, { username: 'app', password: 'pw' });
    await assert.rejects(
      subscriber.subscribe('forbidden', () => {}),
      (error) => error instanceof ErrorReply && error.prefix === 'NOPERM',
    );
    assert.equal(subscriber.isPubSubActive, false);
    await subscriber.subscribe('allowed', () => {});
    assert.equal(await subscriber.ping(), 'PONG');
  });

  test('a raw SUBSCRIBE, which nothing would answer, is refused', async () => {
    await using server = await startServer();
    await using client = await connect(server);
    await assert.rejects(client.sendCommand(['SUBSCRIBE', 'c']), InvalidArgumentError);
  });

  test('a reply that looks like a message is the reply to its command', async () => {
    await using server = await startServer();
    await using client = await connect(server, { RESP: 2 });
    await client.sendCommand(['RPUSH', 'list', 'message', 'a', 'b']);
    const [items, pong] = await Promise.all([client.sendCommand(['LRANGE', 'list', '0', '-1']), client.ping()]);
    assert.deepEqual(items, ['message', 'a', 'b']);
    assert.equal(pong, 'PONG');
  });

  test('a shard that ends a subscription by itself is reported with its listeners', async () => {
    await using server = await startScriptedServer({
      onCommand: (command) =>
        command[0] === 'SSUBSCRIBE' ? `>3\r\n$10\r\nssubscribe\r\n$1\r\nc\r\n:1\r\n` : '+PONG\r\n',
    });
    const client: RedisClient = createClient({ url: server.url });
    await client.connect();
    const listener = () => {};
    await client.sSubscribe('c', listener);
    const moved = new Promise<unknown[]>((resolve) => {
      client.once('sharded-channel-moved', (...args) => resolve(args));
    });
    server.peers[0]!.write(`>3\r\n$12\r\nsunsubscribe\r\n$1\r\nc\r\n:0\r\n`);
    const [channel, listeners] = (await moved) as [string, { strings: Set<unknown> }];
    assert.equal(channel, 'c');
    assert.equal(listeners.strings.has(listener), true);
    assert.equal(await client.ping(), 'PONG');
    client.destroy();
  });
});

describe('messages as an iterator', () => {
  test('yields messages, reports the gap of a reconnect and unsubscribes when left', async () => {
    await using server = await startServer();
    await using publisher = await connect(server);
    await using subscriber = await connect(server);
    const events: PubSubEvent[] = [];
    const reading = (async () => {
      for await (const event of subscriber.messages('c')) {
        events.push(event);
        if (event.kind === 'message' && event.message === 'last') break;
      }
    })();
    await waitFor(async () => (await publish(publisher, 'c', 'first')) === 1);
    await waitFor(() => events.length === 1);
    await killSubscribers(publisher, subscriber);
    await publish(publisher, 'c', 'last');
    await reading;
    assert.deepEqual(events, [
      { kind: 'message', channel: 'c', message: 'first' },
      { kind: 'gap', reason: 'reconnect', dropped: 0 },
      { kind: 'message', channel: 'c', message: 'last' },
    ]);
    assert.equal(subscriber.isPubSubActive, false);
  });

  test('a slow consumer loses nothing: the connection is paused meanwhile', async () => {
    await using server = await startServer();
    await using publisher = await connect(server);
    await using subscriber = await connect(server);
    const reading = subscriber.messages('c', { highWaterMark: 10 });
    const first = reading.next();
    await waitFor(() => subscriber.isPubSubActive);
    await waitFor(async () => (await publish(publisher, 'c', '0')) === 1);
    await first;
    const filler = 'x'.repeat(1000);
    for (let i = 1; i <= 2000; i++) void publish(publisher, 'c', `${i} ${filler}`);
    await publisher.ping();
    for (let i = 1; i <= 2000; i++) {
      const { value } = await reading.next();
      assert.equal(value?.kind === 'message' && value.message.split(' ')[0], String(i));
    }
    await reading.return();
  });

  test('drops the oldest and says how many, when asked to', async () => {
    await using server = await startServer();
    await using publisher = await connect(server);
    await using subscriber = await connect(server);
    const reading = subscriber.messages('c', { highWaterMark: 2, overflow: 'drop' });
    const first = reading.next();
    await waitFor(async () => (await publish(publisher, 'c', 'first')) === 1);
    await first;
    let received = 0;
    await subscriber.subscribe('c', () => received++);
    for (const message of ['1', '2', '3', '4', '5']) await publish(publisher, 'c', message);
    await waitFor(() => received === 5);
    assert.deepEqual((await reading.next()).value, { kind: 'gap', reason: 'overflow', dropped: 3 });
    assert.deepEqual((await reading.next()).value, { kind: 'message', channel: 'c', message: '4' });
    await reading.return();
  });
});
