import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect, promisify } from 'node:util';
import {
  connectWith,
  type Reachable,
  startFaultProxy,
  startScriptedServer,
  startServer,
  waitFor,
} from '@redkeep/testing';
import { AbortError, CommandRefusedError, InvalidOptionError, TimeoutError, WatchError } from '../errors.js';
import type { ClientOptions } from '../options/options.js';
import { RESP_TYPES } from '../protocol/types.js';
import { defineScript } from '../scripting/custom-commands.js';
import { createClient, RedisClient } from './client.js';

const open = connectWith<ClientOptions, RedisClient>(createClient);
const connect = (server: Reachable, options: ClientOptions = {}): Promise<RedisClient> =>
  open(server, { socket: { reconnectStrategy: () => 1 }, ...options });
const ready = (client: RedisClient) => new Promise<void>((resolve) => client.once('ready', resolve));
async function kill(killer: RedisClient, victim: RedisClient): Promise<void> {
  const back = ready(victim);
  const id = await victim.clientId();
  await killer.sendCommand(['CLIENT', 'KILL', 'ID', String(id)]);
  await back;
}

describe('WATCH', () => {
  test('a changed key fails the transaction, an unchanged one does not', async () => {
    await using server = await startServer();
    await using client = await connect(server);
    await using other = await connect(server);
    await client.watch('key');
    assert.equal(client.isWatching, true);
    await other.set('key', '1');
    await assert.rejects(client.multi().get('key').exec(), WatchError);
    assert.equal(client.isWatching, false);
    await client.watch('key');
    assert.deepEqual(await client.multi().get('key').exec(), ['1']);
  });

  test('a reconnect between WATCH and EXEC fails the transaction before it is sent', async () => {
    await using server = await startServer();
    await using client = await connect(server);
    await using other = await connect(server);
    await client.watch('key');
    await kill(other, client);
    await assert.rejects(client.multi().set('key', 'wrong').exec(), WatchError);
    assert.equal(await client.get('key'), null);
  });

  test('a transaction that waits for the next connection is not run there without its WATCH', async () => {
    await using server = await startServer();
    await using proxy = await startFaultProxy(server.port);
    await using client = await connect(proxy);
    await client.watch('key');
    // Not written, because the socket's buffer is full, when the connection breaks.
    proxy.stall();
    const filler = client.set('filler', Buffer.alloc(8 * 1024 * 1024)).catch(() => {});
    const transaction = assert.rejects(client.multi().set('key', 'wrong').exec(), WatchError);
    await new Promise((resolve) => setImmediate(resolve));
    proxy.unstall();
    proxy.cut();
    await filler;
    await transaction;
    await waitFor(() => client.isReady);
    assert.equal(await client.get('key'), null);
  });

  test('a watch that is declared void fails the transaction with the reason', async () => {
    await using server = await startServer();
    await using client = await connect(server);
    await client.watch('key');
    client.setDirtyWatch('the slot has moved');
    assert.equal(client.isDirtyWatch, true);
    await assert.rejects(client.multi().get('key').exec(), /the slot has moved/);
    assert.equal(client.isDirtyWatch, false);
  });
});

describe('transactions', () => {
  test('SELECT inside is remembered after a reconnect', async () => {
    await using server = await startServer();
    await using client = await connect(server);
    await using other = await connect(server);
    await client.multi().select(3).set('key', 'in three').exec();
    await kill(other, client);
    assert.equal(await client.get('key'), 'in three');
  });

  test('addCommand takes a transformation, sendCommand words', async () => {
    await using server = await startServer();
    await using client = await connect(server);
    const replies = await client
      .multi()
      .addCommand(['SET', 'key', '20'])
      .addCommand(['GET', 'key'], (reply: string) => Number(reply) + 1)
      .sendCommand(['GET', 'key'])
      .exec();
    assert.deepEqual(replies, ['OK', 21, '20']);
    assert.deepEqual(await client.multi().exec(), []);
  });
});

describe('modes', () => {
  test('MONITOR calls back with each command until reset', async () => {
    await using server = await startServer();
    await using client = await connect(server);
    await using monitor = await connect(server);
    const lines: string[] = [];
    await monitor.monitor((line) => lines.push(line));
    await client.set('key', 'value');
    await waitFor(() => lines.length === 1);
    assert.match(lines[0]!, /"SET" "key" "value"$/);
    await kill(client, monitor);
    await client.get('key');
    await waitFor(() => lines.some((line) => line.endsWith('"GET" "key"')));
    await monitor.reset();
    assert.equal(await monitor.get('key'), 'value');
  });

  test('MONITOR is refused by the guarded policy', async () => {
    await using server = await startServer();
    await using client = await connect(server, { commandPolicy: 'guarded' });
    await assert.rejects(
      client.monitor(() => {}),
      CommandRefusedError,
    );
  });

  test('reset ends subscriptions and WATCH and goes back to the database, name and user of the options', async () => {
    await using server = await startServer({ users: ['user app on >pw +@all ~* &*'] });
    await using client = await connect(server, { username: 'app', password: 'pw', database: 2, name: 'given' });
    await client.subscribe('c', () => {});
    await client.select(3);
    await client.watch('key');
    await client.reset();
    assert.equal(client.isPubSubActive, false);
    assert.equal(client.isWatching, false);
    assert.equal(await client.clientGetName(), 'given');
    const info = await client.sendCommand<string>(['CLIENT', 'INFO']);
    assert.match(info, / db=2 /);
    assert.match(info, / user=app /);
  });
});

describe('blocking commands', () => {
  test('hold up nobody and run in the database, name and user of the moment', async () => {
    await using server = await startServer({ users: ['user app on >pw +@all ~* &*'] });
    await using client = await connect(server, { name: 'worker' });
    await client.sendCommand(['AUTH', 'app', 'pw']);
    await client.select(4);
    const popped = client.sendCommand<string[]>(['BLPOP', 'queue', '0']);
    const blocked = () => client.sendCommand<string>(['CLIENT', 'LIST']).then((list) => /.* cmd=blpop .*/.exec(list));
    const line = await waitFor(blocked);
    assert.match(line![0], / name=worker .* db=4 .* user=app /);
    await client.sendCommand(['RPUSH', 'queue', 'job']);
    assert.deepEqual(await popped, ['queue', 'job']);
  });

  test('an abort ends the wait on the server too', async () => {
    await using server = await startServer();
    await using client = await connect(server);
    const controller = new AbortController();
    const answer = assert.rejects(
      client.withAbortSignal(controller.signal).sendCommand(['BLPOP', 'queue', '0']),
      AbortError,
    );
    const blocked = async () => /cmd=blpop/.test(await client.sendCommand<string>(['CLIENT', 'LIST']));
    await waitFor(blocked);
    controller.abort();
    await answer;
    await waitFor(async () => !(await blocked()));
    assert.equal(await client.ping(), 'PONG');
  });

  test('a timeout given for the call bounds the wait', async () => {
    await using server = await startServer();
    await using client = await connect(server);
    await assert.rejects(client.withCommandOptions({ timeout: 30 }).sendCommand(['BLPOP', 'q', '0']), TimeoutError);
    assert.equal(await client.ping(), 'PONG');
  });

  test('destroy ends them', async () => {
    await using server = await startServer();
    const client = await connect(server);
    const answer = assert.rejects(client.sendCommand(['BLPOP', 'queue', '0']));
    const blocked = async () => /cmd=blpop/.test(await client.sendCommand<string>(['CLIENT', 'LIST']));
    await waitFor(blocked);
    client.destroy();
    await answer;
  });
});

describe('custom commands', () => {
  const square = defineScript({
    SCRIPT: 'return redis.call("GET", KEYS[1]) ^ 2',
    NUMBER_OF_KEYS: 1,
    parseCommand(parser, key: string) {
      parser.pushKey(key);
    },
    transformReply: (reply: number) => reply,
  });
  const echo = {
    // biome-ignore lint/suspicious/noExplicitAny: the parser's type is inferred in applications
    parseCommand(parser: any, message: string) {
      parser.push('ECHO', message);
    },
    transformReply: (reply: string) => reply.toUpperCase(),
  };

  test('scripts run by digest, and whole where the server does not know them, with key prefix and in transactions', async () => {
    await using server = await startServer();
    const client = createClient({ url: `redis://127.0.0.1:${server.port}`, keyPrefix: 'app:', scripts: { square } });
    await client.connect();
    await client.set('n', 3);
    assert.equal(await client.square('n'), 9);
    assert.equal(await client.square('n'), 9);
    assert.deepEqual(
      await client.sendCommand(['INFO', 'commandstats']).then((info) => /eval:calls=1/.test(String(info))),
      true,
    );
    const multi = client.multi() as unknown as { square(key: string): { exec(): Promise<unknown[]> } };
    assert.deepEqual(await multi.square('n').exec(), [9]);
    await client.close();
  });

  test('modules are namespaces that follow the view they are read from', async () => {
    await using server = await startServer();
    const client = createClient({ url: `redis://127.0.0.1:${server.port}`, modules: { tools: { echo } } });
    await client.connect();
    assert.equal(await client.tools.echo('hi'), 'HI');
    const signal = AbortSignal.abort();
    const view = client.withAbortSignal(signal) as unknown as typeof client;
    await assert.rejects(view.tools.echo('hi'), AbortError);
    assert.equal(client.tools, client.tools);
    await client.close();
  });

  test('functions are called with FCALL', async () => {
    await using server = await startServer();
    await using admin = await connect(server);
    await admin.sendCommand([
      'FUNCTION',
      'LOAD',
      '#!lua name=math\nredis.register_function{function_name="twice", callback=function(k, a) return redis.call("GET", k[1]) * 2 end, flags={"no-writes"}}',
    ]);
    const twice = { ...square, IS_READ_ONLY: true };
    const make = RedisClient.factory({ functions: { math: { twice } } });
    const client = make({ url: `redis://127.0.0.1:${server.port}` });
    await client.connect();
    await client.set('n', 21);
    assert.equal(await client.math.twice('n'), 42);
    await client.close();
  });
});

describe('what a client shows of itself', () => {
  test('options hold the URL taken apart and print no password', () => {
    const client = createClient({ url: 'redis://user:hunter22@localhost:6380/5' });
    const { options } = client;
    assert.equal(options.database, 5);
    assert.deepEqual({ ...options.socket }, { host: 'localhost', port: 6380, tls: false });
    assert.doesNotMatch(inspect([client, options], { depth: 9, showHidden: true }), /hunter22/);
    assert.doesNotMatch(JSON.stringify([client, options]), /hunter22/);
  });

  test('parseURL and parseOptions are those of node-redis, and refuse contradictions', async () => {
    const parsed = RedisClient.parseURL('rediss://user:secret@[::1]:6379/3');
    const { credentialsProvider, ...rest } = parsed;
    assert.deepEqual(rest, {
      socket: { host: '::1', port: 6379, tls: true },
      username: 'user',
      password: 'secret',
      database: 3,
    });
    assert.equal(credentialsProvider?.type, 'async-credentials-provider');
    assert.deepEqual(RedisClient.parseURL('redis://localhost'), { socket: { host: 'localhost', tls: false } });
    assert.deepEqual(RedisClient.parseURL('unix:///run/redis.sock?db=2'), {
      socket: { path: '/run/redis.sock', tls: false },
      database: 2,
    });
    for (const url of ['redi://localhost', 'redis://localhost/NaN', 'unix://', 'unix:///', 'unix:///a?db=x'])
      assert.throws(() => RedisClient.parseURL(url), InvalidOptionError);
    assert.throws(
      () => RedisClient.parseOptions({ url: 'redis://localhost', socket: { tls: true } }),
      InvalidOptionError,
    );
    assert.equal(RedisClient.parseOptions({ url: 'rediss://localhost' }).socket.tls, true);
  });

  test('healthCheck says up while the server answers, and down with a code when it does not', async () => {
    await using server = await startServer();
    await using proxy = await startFaultProxy(server.port);
    await using client = await connect(proxy);
    const up = await client.healthCheck();
    assert.equal(up.ok, true);
    assert.equal(up.state, 'ready');
    proxy.stall('toClient');
    const down = await client.healthCheck(20);
    assert.equal(down.ok, false);
    assert.equal(down.error?.code, 'REDKEEP_TIMEOUT');
    client.destroy();
    assert.equal((await client.healthCheck()).error?.code, 'REDKEEP_CLIENT_CLOSED');
    proxy.unstall();
    await client.connect();
  });
});

describe('views', () => {
  test('a type mapping reaches commands, raw commands and duplicates', async () => {
    await using server = await startServer();
    await using client = await connect(server);
    const view = client.withCommandOptions({ asap: true }).withTypeMapping({ [RESP_TYPES.SIMPLE_STRING]: Buffer });
    assert.deepEqual(await view.ping(), Buffer.from('PONG'));
    assert.deepEqual(await view.sendCommand(['PING']), Buffer.from('PONG'));
    const copy = view.duplicate();
    await copy.connect();
    assert.deepEqual(await copy.ping(), Buffer.from('PONG'));
    copy.destroy();
  });
});

describe('asap', () => {
  test('goes ahead of what waits, and keeps the order of a transaction and a pipeline', async () => {
    await using server = await startScriptedServer();
    await using client = await connect(server);
    const asap = client.withCommandOptions({ asap: true });
    const names = () => server.received.map(([name]) => name).filter((name) => name !== 'HELLO' && name !== 'CLIENT');
    const answers = [
      client.get('k'),
      asap
        .multi()
        .set('k', '1')
        .incr('k')
        .exec()
        .catch(() => {}),
    ];
    await Promise.all(answers);
    assert.deepEqual(names(), ['MULTI', 'SET', 'INCR', 'EXEC', 'GET']);
    await Promise.all([client.get('k'), asap.multi().ping().echo('m').execAsPipeline()]);
    assert.deepEqual(names().slice(5), ['PING', 'ECHO', 'GET']);
    const given = [client.set('k', '1'), client.get('k')];
    await assert.rejects(
      client.withCommandOptions({ asap: true, abortSignal: AbortSignal.abort() }).ping(),
      AbortError,
    );
    await Promise.all(given);
    assert.deepEqual(names().slice(8), ['SET', 'GET']);
  });
});

describe('scan iterators', () => {
  test('yield pages that hold everything', async () => {
    await using server = await startServer();
    await using client = await connect(server);
    const names = Array.from({ length: 300 }, (_, i) => `n${i}`);
    await client.hSet('hash', Object.fromEntries(names.map((name) => [name, `v${name}`])));
    await client.sAdd('set', names);
    await client.zAdd(
      'zset',
      names.map((value, score) => ({ value, score })),
    );
    const all = async <T>(iterator: AsyncIterable<readonly T[]>) => {
      const items: T[] = [];
      for await (const page of iterator) items.push(...page);
      return items;
    };
    const sorted = [...names].sort();
    assert.deepEqual((await all(client.scanIterator({ TYPE: 'hash' }))).sort(), ['hash']);
    assert.deepEqual((await all(client.hScanIterator('hash'))).map(({ field }) => field).sort(), sorted);
    assert.deepEqual((await all(client.hScanValuesIterator('hash', { COUNT: 10 }))).length, 300);
    assert.deepEqual((await all(client.sScanIterator('set', { MATCH: 'n1*' }))).length, 111);
    assert.deepEqual((await all(client.zScanIterator('zset'))).map(({ value }) => value).sort(), sorted);
  });
});

describe('legacy callbacks', () => {
  test('commands, arrays of arguments and transactions call back', async () => {
    await using server = await startServer();
    await using client = await connect(server);
    const legacy = client.legacy();
    const call = promisify((args: string[][], done: (error: Error | null, reply?: unknown) => void) =>
      legacy.set(...args, done),
    );
    assert.equal(
      await call([
        ['a', 'b'],
        ['EX', '10'],
      ]),
      'OK',
    );
    await assert.rejects(call([['a']]));
    const multi = legacy.multi().get('a').sendCommand('PING');
    const replies = await promisify(multi.exec)();
    assert.deepEqual(replies, ['b', 'PONG']);
    const failed = new Promise<Error>((resolve) => client.once('error', resolve));
    legacy.sendCommand('NOSUCHCOMMAND');
    assert.equal((await failed).name, 'SimpleError');
  });
});
