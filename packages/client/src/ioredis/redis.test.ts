import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { startFaultProxy, startScriptedServer, startServer, waitFor } from '@redkeep/testing';
import { MaybeExecutedError, type RedkeepError } from '../errors.js';
import Default, { Command, Redis, type RedisOptions, ReplyError } from './index.js';
import { commandTimeoutOf } from './options.js';

const connect = (port: number, options: RedisOptions = {}): Redis =>
  new Redis({ port, host: '127.0.0.1', commandPolicy: 'unrestricted', ...options });

describe('commands in the shapes of ioredis', () => {
  test('an empty host is this host', async () => {
    await using server = await startServer();
    await using redis = new Redis({ host: '', port: server.port });
    assert.equal(await redis.ping(), 'PONG');
  });

  test('tests of applications break the connection by its stream', async () => {
    await using server = await startServer();
    await using redis = connect(server.port, { retryStrategy: () => 1 });
    await redis.ping();
    let count = 0;
    for (const how of ['end', 'destroy', 'by the server'] as const) {
      const stream = redis.stream!;
      const lost = once(redis, 'close');
      if (how !== 'by the server') stream[how]();
      else {
        const ended = once(stream, 'end');
        await server.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
        await ended;
      }
      // Nothing of it was sent to the old socket: it runs, once, on the next.
      assert.equal(await redis.incr('counter'), ++count, how);
      await lost;
      assert.notEqual(redis.stream, stream);
    }
    assert.ok(!inspect(redis, { showHidden: true }).includes('Socket'));
  });

  test('errors name their command; its arguments are masked unless the client says otherwise', async () => {
    await using server = await startServer();
    for (const [options, args] of [
      [{}, ['<argument>', '<argument>', '<argument>']],
      [{ argumentsInErrors: true }, ['text', 'field', 'hunter2']],
      [{ argumentsInErrors: true, showFriendlyErrorStack: true }, ['text', 'field', 'hunter2']],
    ] satisfies [RedisOptions, string[]][]) {
      await using redis = connect(server.port, options);
      await redis.set('text', 'x');
      const refused = (error: unknown) => {
        assert.ok(error instanceof ReplyError);
        assert.deepEqual((error as { command?: unknown }).command, { name: 'hset', args });
        if (options.argumentsInErrors !== true) assert.ok(!inspect(error, { showHidden: true }).includes('hunter2'));
        return true;
      };
      await assert.rejects(redis.hset('text', 'field', 'hunter2'), refused);
      const inPipeline = await redis.pipeline().hset('text', 'field', 'hunter2').exec();
      refused(inPipeline![0]![0]);
      const inMulti = await redis.multi().hset('text', 'field', 'hunter2').exec();
      refused(inMulti![0]![0]);
    }
  });

  test('a blocking command that waits for a connection is given up after blockingTimeout, whatever it asks', async () => {
    await using server = await startScriptedServer({ handshake: 'none', onCommand: () => undefined });
    const redis = connect(server.port, { blockingTimeout: 50, commandTimeout: 60_000 });
    redis.on('error', () => {});
    assert.deepEqual(await Promise.all([redis.blpop('list', 0), redis.blpop('list', 3600)]), [null, null]);
    redis.disconnect();
  });

  test('take variadic, nested, object and Map arguments, numbers, and nothing for an empty string', async () => {
    await using server = await startServer();
    await using redis = connect(server.port);
    assert.equal(await redis.rpush('list', ['a', 'b'], 'c'), 3);
    assert.deepEqual(await redis.lrange('list', 0, -1), ['a', 'b', 'c']);
    assert.equal(await redis.mset({ one: 1, two: 2 }), 'OK');
    assert.deepEqual(await redis.mget('one', ['two', 'none']), ['1', '2', null]);
    assert.equal(await redis.hset('hash', new Map([['f', 'v']])), 1);
    assert.equal(await redis.hset('hash', { g: 2 }), 1);
    assert.deepEqual(await redis.hgetall('hash'), { f: 'v', g: '2' });
    const empty = undefined as unknown as string;
    await redis.set('empty', empty);
    assert.equal(await redis.get('empty'), '');
    assert.equal(await redis.incrby('big', '9007199254740993'), 9007199254740992);
    await assert.rejects(redis.set('key', { a: 1 } as never), { code: 'REDKEEP_INVALID_ARGUMENT' });
    await assert.rejects(redis.set('key', Number.NaN), { code: 'REDKEEP_INVALID_ARGUMENT' });
  });

  test('answer as RESP2 does on either protocol, as objects and numbers when that is asked for', async () => {
    await using server = await startServer();
    for (const options of [{}, { protocol: 2 }] satisfies RedisOptions[]) {
      await using redis = connect(server.port, options);
      await redis.zadd('z', 1, 'a', 2.5, 'b');
      assert.deepEqual(await redis.zrange('z', 0, -1, 'WITHSCORES'), ['a', '1', 'b', '2.5']);
      assert.equal(await redis.zscore('z', 'b'), '2.5');
      assert.deepEqual(await redis.zscoreBuffer('z', 'b'), Buffer.from('2.5'));
      assert.deepEqual(await redis.config('GET', 'maxmemory'), ['maxmemory', '0']);
      const id = await redis.xadd('s', '*', 'f', 'v');
      assert.deepEqual(await redis.xread('STREAMS', 's', '0'), [['s', [[id, ['f', 'v']]]]]);
      await redis.del('s');
    }
    await using resp3 = connect(server.port, { replyMapping: 'resp3' });
    assert.equal(await resp3.zscore('z', 'b'), 2.5);
    assert.deepEqual(Object.entries((await resp3.config('GET', 'maxmemory')) as object), [['maxmemory', '0']]);
    await using numbers = connect(server.port, { stringNumbers: true });
    assert.equal(await numbers.subscribe('channel'), '1');
    assert.equal(await numbers.unsubscribe('channel'), '0');
    await using doubles = connect(server.port, { stringNumbers: true, replyMapping: 'resp3' });
    await doubles.zadd('scores', 1.5, 'a');
    assert.equal(await doubles.zscore('scores', 'a'), '1.5');
    assert.equal(await numbers.incr('n'), '1');
  });

  test('give a field named __proto__ as any other', async () => {
    await using server = await startServer();
    await using redis = connect(server.port);
    await redis.hset('h', '__proto__', 'x', 'constructor', 'y');
    const all = await redis.hgetall('h');
    assert.equal(Object.getPrototypeOf(all), Object.prototype);
    assert.deepEqual(Object.entries(all), [
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
  });

  test('call back, and leave no unhandled rejection', async () => {
    await using server = await startServer();
    await using redis = connect(server.port);
    const answered = await new Promise((resolve) => {
      redis.set('key', 'value', (error, reply) => resolve([error, reply]));
    });
    assert.deepEqual(answered, [null, 'OK']);
    const failed = await new Promise<unknown>((resolve) => redis.hgetall('key', (error) => resolve(error)));
    assert.ok(failed instanceof ReplyError && failed.name === 'ReplyError');
    assert.match(failed.message, /^WRONGTYPE /);
  });

  test('reach any command by call, and bytes by the Buffer variants', async () => {
    await using server = await startServer();
    await using redis = connect(server.port);
    assert.equal(await redis.call('SET', 'key', 'v\u00e9'), 'OK');
    assert.equal(await redis.call('get', ['key']), 'v\u00e9');
    assert.deepEqual(await redis.callBuffer('GET', 'key'), Buffer.from('v\u00e9'));
    assert.deepEqual(await redis.getBuffer('key'), Buffer.from('v\u00e9'));
    const command = new Command('get', ['key'], { replyEncoding: 'utf8' });
    assert.equal(await redis.sendCommand(command), 'v\u00e9');
  });

  test('pass transformers that the application registered', async () => {
    await using server = await startServer();
    await using redis = connect(server.port);
    Command.setArgumentTransformer('getset', ([key, value]) => [key, `<${String(value)}>`]);
    Command.setReplyTransformer('getset', (reply) => (reply === null ? 'none' : reply));
    try {
      assert.equal(await redis.getset('key', 'a'), 'none');
      assert.equal(await redis.get('key'), '<a>');
    } finally {
      Command.setArgumentTransformer('getset', (args) => args);
      Command.setReplyTransformer('getset', (reply) => reply);
    }
  });

  test('put the prefix before keys, those of scripts too', async () => {
    await using server = await startServer();
    await using redis = connect(server.port, { keyPrefix: 'p:' });
    await using plain = connect(server.port);
    redis.defineCommand('both', { numberOfKeys: 1, lua: 'return redis.call("SET", KEYS[1], ARGV[1])' });
    await redis.set('a', '1');
    await (redis as unknown as { both(key: string, value: string): Promise<unknown> }).both('b', '2');
    await redis.multi().set('c', '3').exec();
    assert.deepEqual((await plain.keys('*')).sort(), ['p:a', 'p:b', 'p:c']);
    await redis.rpush('list', 3, 1, 2);
    await redis.sort('list', 'STORE', 'sorted');
    assert.equal(await plain.exists('p:sorted'), 1);
  });
});

describe('pipelines and transactions', () => {
  test('answer in pairs; errors stand at their place', async () => {
    await using server = await startServer();
    await using redis = connect(server.port);
    const results = await redis.pipeline().set('key', 'value').hgetall('key').getBuffer('key').exec();
    assert.ok(results !== null);
    assert.deepEqual(results[0], [null, 'OK']);
    assert.match(String(results[1]![0]), /WRONGTYPE/);
    assert.deepEqual(results[2], [null, Buffer.from('value')]);
  });

  test('are one transaction with multi, and null when a watched key changed', async () => {
    await using server = await startServer();
    await using redis = connect(server.port);
    await using other = connect(server.port);
    assert.deepEqual(await redis.multi().set('n', 1).incr('n').get('n').exec(), [
      [null, 'OK'],
      [null, 2],
      [null, '2'],
    ]);
    await redis.watch('n');
    await other.set('n', 5);
    assert.equal(await redis.multi().set('n', 6).exec(), null);
    assert.equal(await redis.get('n'), '5');
    const inner = redis.pipeline().multi().get('n');
    // Ends the transaction, and is the pipeline again.
    (inner.exec() as unknown as typeof inner).get('n');
    assert.deepEqual(await inner.exec(), [
      [null, 'OK'],
      [null, 'QUEUED'],
      [null, ['5']],
      [null, '5'],
    ]);
  });

  test('send nothing of a transaction with an argument that cannot be sent', async () => {
    await using server = await startServer();
    await using redis = connect(server.port);
    const transaction = redis
      .multi()
      .set('a', 1)
      .set('b', {} as never);
    await assert.rejects(transaction.exec(), { code: 'REDKEEP_INVALID_ARGUMENT' });
    assert.equal(await redis.exists('a', 'b'), 0);
  });

  test('take no command that is answered otherwise than once', async () => {
    await using server = await startServer();
    await using redis = connect(server.port);
    await redis.mset('a', 1, 'b', 2);
    const pipeline = redis.pipeline().get('a');
    (pipeline as unknown as Redis).subscribe('news');
    const results = await pipeline.get('b').exec();
    assert.deepEqual(results![0], [null, '1']);
    assert.equal((results![1]![0] as RedkeepError).code, 'REDKEEP_INVALID_ARGUMENT');
    assert.deepEqual(results![2], [null, '2']);
    assert.equal(await redis.reset(), 'RESET');
    assert.deepEqual(await redis.mget('a', 'b'), ['1', '2']);
  });

  test('collect the commands of the client itself with pipeline: false', async () => {
    await using server = await startServer();
    await using redis = connect(server.port);
    assert.equal(await redis.multi({ pipeline: false }), 'OK');
    assert.equal(await redis.set('key', 'value'), 'QUEUED');
    assert.deepEqual(await redis.exec(), [[null, 'OK']]);
    await assert.rejects(redis.exec(), /EXEC without MULTI/);
  });

  test('run scripts by their digest, and by their text when the server forgot them', async () => {
    await using server = await startServer();
    await using redis = connect(server.port);
    redis.defineCommand('echo2', { numberOfKeys: 1, lua: 'return {KEYS[1],ARGV[1]}' });
    const scripted = redis as unknown as { echo2(...args: unknown[]): Promise<unknown> };
    assert.deepEqual(await scripted.echo2('k', 'v'), ['k', 'v']);
    assert.deepEqual(await scripted.echo2(['k', 'w']), ['k', 'w']);
    const stats = async () => /cmdstat_evalsha:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1];
    assert.equal(await stats(), '1');
    await redis.script('FLUSH');
    assert.deepEqual(await scripted.echo2('k', 'x'), ['k', 'x']);
    await redis.script('FLUSH');
    const pipeline = redis.pipeline() as unknown as { echo2(...args: unknown[]): { exec(): Promise<unknown> } };
    assert.deepEqual(await pipeline.echo2('k', 'y').exec(), [[null, ['k', 'y']]]);
    await redis.script('FLUSH');
    const multi = redis.multi() as unknown as { echo2(...args: unknown[]): { exec(): Promise<unknown> } };
    assert.deepEqual(await multi.echo2('k', 'z').exec(), [[null, ['k', 'z']]]);
  });
});

describe('subscriptions', () => {
  test('count as the server does and arrive as events, as text and as bytes', async () => {
    await using server = await startServer();
    await using redis = connect(server.port);
    await using subscriber = redis.duplicate();
    assert.equal(await subscriber.subscribe('one', 'two'), 2);
    assert.equal(await subscriber.psubscribe('o*'), 3);
    const message = once(subscriber, 'message');
    const pattern = once(subscriber, 'pmessage');
    const bytes = once(subscriber, 'messageBuffer');
    await redis.publish('one', 'hello');
    assert.deepEqual(await message, ['one', 'hello']);
    assert.deepEqual(await pattern, ['o*', 'one', 'hello']);
    assert.deepEqual(await bytes, [Buffer.from('one'), Buffer.from('hello')]);
    assert.equal(await subscriber.unsubscribe('one'), 2);
    assert.equal(await subscriber.punsubscribe(), 1);
  });

  test('bring what follows the confirmation at once as text and as bytes', async () => {
    await using server = await startServer();
    await using redis = connect(server.port);
    let publishing = true;
    const storm = (async () => {
      while (publishing) await Promise.all(Array.from({ length: 20 }, () => redis.publish('news', 'now')));
    })();
    for (const early of [true, false]) {
      await using subscriber = redis.duplicate();
      const received = { text: 0, bytes: 0, patternText: 0, patternBytes: 0 };
      const listen = (): void => {
        subscriber.on('messageBuffer', () => received.bytes++);
        subscriber.on('pmessageBuffer', () => received.patternBytes++);
      };
      subscriber.on('message', () => received.text++);
      subscriber.on('pmessage', () => received.patternText++);
      if (early) listen();
      const subscribed = [subscriber.subscribe(['news', 'other']), subscriber.psubscribe('new*')];
      // The names are on their way and not confirmed when somebody asks for bytes.
      if (!early) listen();
      await Promise.all(subscribed);
      await waitFor(() => received.text > 100 && received.patternText > 100);
      assert.deepEqual([received.bytes, received.patternBytes], [received.text, received.patternText]);
    }
    publishing = false;
    await storm;
  });

  test('survive a lost connection', async () => {
    await using server = await startServer();
    await using redis = connect(server.port);
    await using subscriber = redis.duplicate({ retryStrategy: () => 1 });
    await subscriber.subscribe('news');
    const ready = once(subscriber, 'ready');
    await redis.client('KILL', 'TYPE', 'pubsub');
    await ready;
    const message = once(subscriber, 'message');
    await redis.publish('news', 'again');
    assert.deepEqual(await message, ['news', 'again']);
  });
});

describe('life', () => {
  test('goes through the statuses of ioredis, each an event', async () => {
    await using server = await startServer();
    const redis = connect(server.port, { lazyConnect: true, retryStrategy: () => 1 });
    const seen: string[] = [];
    for (const event of ['wait', 'connecting', 'connect', 'ready', 'close', 'reconnecting', 'end'])
      redis.on(event, () => seen.push(event));
    assert.equal(redis.status, 'wait');
    await redis.connect();
    assert.equal(redis.status, 'ready');
    await assert.rejects(redis.connect(), /already connecting/);
    const again = once(redis, 'reconnecting');
    redis.client('KILL', 'TYPE', 'normal', 'SKIPME', 'no').catch(() => {});
    assert.deepEqual(await again, [1]);
    await once(redis, 'ready');
    assert.equal(await redis.quit(), 'OK');
    await waitFor(() => seen.includes('end'));
    assert.deepEqual(
      seen,
      'wait connecting connect ready close reconnecting connecting connect ready close end'.split(' '),
    );
    await assert.rejects(redis.get('key'), { message: 'Connection is closed.', code: 'REDKEEP_CLIENT_CLOSED' });
  });

  test('flushes what waits after maxRetriesPerRequest attempts', async () => {
    const redis = connect(1, { maxRetriesPerRequest: 1, retryStrategy: () => 1 });
    redis.on('error', () => {});
    await assert.rejects(redis.get('key'), { name: 'MaxRetriesPerRequestError' });
    redis.disconnect();
    assert.equal(redis.status, 'end');
  });

  test('ends when retryStrategy returns no number, and starts again with connect', async () => {
    const redis = connect(1, { retryStrategy: () => null });
    redis.on('error', () => {});
    await assert.rejects(redis.get('key'));
    assert.equal(redis.status, 'end');
  });

  test('rejects at once without an offline queue', async () => {
    await using server = await startServer();
    await using redis = connect(server.port, { enableOfflineQueue: false });
    await assert.rejects(redis.get('key'), { message: /enableOfflineQueue options is false/ });
    await once(redis, 'ready');
    assert.equal(await redis.get('key'), null);
  });

  test('sends no write twice unless it is declared idempotent', async () => {
    await using server = await startServer();
    await using proxy = await startFaultProxy(server);
    await using plain = connect(server.port);
    for (const idempotentCommands of [[], ['in*']]) {
      await plain.set('n', 0);
      const redis = connect(proxy.port, { retryStrategy: () => 1, idempotentCommands });
      redis.on('error', () => {});
      await redis.ping();
      proxy.stall('toClient');
      const outcome = redis.incr('n').catch((error: unknown) => error);
      await waitFor(async () => (await plain.get('n')) === '1');
      proxy.cut();
      proxy.unstall();
      const value = await outcome;
      if (idempotentCommands.length === 0) {
        assert.ok(value instanceof MaybeExecutedError && value.code === 'REDKEEP_MAYBE_EXECUTED');
        assert.equal(value.message, 'Connection is closed.');
        assert.equal(await plain.get('n'), '1');
      } else assert.equal(value, 2);
      redis.disconnect();
    }
  });

  test('reconnects on an error that reconnectOnError names, and sends the command again for 2', async () => {
    await using server = await startServer();
    let asked = 0;
    await using redis = connect(server.port, {
      retryStrategy: () => 1,
      reconnectOnError: (error) => {
        if (!error.message.startsWith('WRONGTYPE')) return false;
        assert.deepEqual((error as { command?: unknown }).command, { name: 'hgetall', args: ['<argument>'] });
        asked++;
        void plain.del('key');
        return 2;
      },
    });
    await using plain = connect(server.port);
    await redis.set('key', 'text');
    assert.deepEqual(await redis.hgetall('key'), {});
    assert.equal(asked, 1);
  });

  test('answers null for a blocking command that blockingTimeout gives up', async () => {
    await using server = await startServer();
    await using redis = connect(server.port, { blockingTimeout: 20 });
    assert.equal(await redis.blpop('list', 0), null);
    await redis.rpush('list', 'a');
    assert.deepEqual(await redis.blpop('list', 0), ['list', 'a']);
  });

  test('runs a blocking command at its place, and what is called meanwhile without waiting for it', async () => {
    await using server = await startServer();
    await using redis = connect(server.port);
    const pushed = redis.rpush('list', 'a');
    assert.deepEqual(await redis.blpop('list', 0), ['list', 'a']);
    assert.equal(await pushed, 1);
    const blocked = redis.blpop('list', 0);
    assert.equal(await redis.rpush('list', 'b'), 1);
    assert.deepEqual(await blocked, ['list', 'b']);
  });

  test('rejects what is unanswered at disconnect, and what comes after it or after quit', async () => {
    await using server = await startServer();
    const redis = connect(server.port);
    await redis.ping();
    server.pause();
    const pending = [redis.get('key'), redis.set('key', 'value'), redis.blpop('list', 0)];
    const closed = { message: 'Connection is closed.' };
    const rejected = Promise.all(pending.map((promise) => assert.rejects(promise, closed)));
    redis.disconnect();
    await rejected;
    server.resume();
    await assert.rejects(redis.get('key'), closed);
    await redis.connect();
    const quit = redis.quit();
    await assert.rejects(redis.get('key'), closed);
    assert.equal(await quit, 'OK');
  });

  test('ends when the server asks for a password and none was given; repeats an AUTH after a lost connection', async () => {
    await using server = await startServer({ password: 'correct horse' });
    const redis = connect(server.port);
    redis.on('error', () => {});
    await assert.rejects(redis.auth('correct horse'), { code: 'REDKEEP_AUTH_FAILED' });
    assert.equal(redis.status, 'end');
    await using user = connect(server.port, { password: 'correct horse', retryStrategy: () => 1 });
    await user.acl('SETUSER', 'reader', 'on', '>pw', '~*', '+@all');
    await user.auth('reader', 'pw');
    const ready = once(user, 'ready');
    user.disconnect(true);
    await ready;
    assert.equal(await user.acl('WHOAMI'), 'reader');
  });

  test('quits by any name of QUIT, and takes only subscriber commands when subscribed in RESP2', async () => {
    await using server = await startServer();
    const redis = connect(server.port, { protocol: 2, retryStrategy: () => assert.fail('must not reconnect') });
    await redis.subscribe('news');
    await assert.rejects(redis.get('key'), /subscriber mode/);
    assert.equal(await redis.call('QUIT'), 'OK');
    assert.equal(redis.status, 'end');
  });

  test('monitors on a connection of its own', async () => {
    await using server = await startServer();
    await using redis = connect(server.port);
    const monitor = await redis.monitor();
    const seen = once(monitor, 'monitor');
    await redis.set('key', 'a "quoted" \\ value');
    const [time, args, , database] = await seen;
    assert.match(time, /^\d+\.\d+$/);
    assert.deepEqual(args, ['set', 'key', 'a "quoted" \\ value']);
    assert.equal(database, '0');
    monitor.disconnect();
  });

  test('streams pages of keys', async () => {
    await using server = await startServer();
    await using redis = connect(server.port);
    await redis.mset(Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`key:${i}`, i])));
    const keys: string[] = [];
    for await (const page of redis.scanStream({ match: 'key:*', count: 10 })) keys.push(...(page as string[]));
    assert.equal(new Set(keys).size, 50);
  });
});

describe('what the core promises holds', () => {
  test('plaintext beyond this host is refused; constructor forms mean plaintext', () => {
    for (const args of [[6379, 'cache.example.com'], [{ host: '10.0.0.1' }], ['redis://cache.example.com']])
      assert.throws(() => new Redis(...args), { code: 'REDKEEP_PLAINTEXT_REFUSED' });
  });

  test('options are not read from a URL; a verification that is off is refused; so are sockets made elsewhere', () => {
    assert.throws(() => new Redis('redis://127.0.0.1:1?tls=false'), { code: 'REDKEEP_INVALID_OPTION' });
    assert.throws(() => new Redis('/tmp/x.sock?db=1'), { code: 'REDKEEP_INVALID_OPTION' });
    const loose = { host: 'h', tls: { rejectUnauthorized: false } } as RedisOptions;
    assert.throws(() => new Redis(loose), /turning verification off/);
    assert.throws(() => new Redis({ Connector: class {} } as RedisOptions), /TLS policy/);
  });

  test('credentials do not print, and still make another client', async () => {
    await using server = await startServer({ password: 'correct horse' });
    await using redis = connect(server.port, { password: 'correct horse' });
    assert.equal(await redis.ping(), 'PONG');
    for (const text of [
      inspect(redis, { depth: 9 }),
      JSON.stringify(redis),
      JSON.stringify(redis.options),
      inspect(redis.options),
    ])
      assert.doesNotMatch(text, /correct horse/);
    await using copy = redis.duplicate();
    assert.equal(await copy.ping(), 'PONG');
    await using spread = new Redis({ ...redis.options });
    assert.equal(await spread.ping(), 'PONG');
  });

  test('dangerous commands are refused by the client unless they are allowed', async () => {
    await using server = await startServer();
    await using redis = new Redis(server.port, '127.0.0.1');
    await assert.rejects(redis.flushall(), { code: 'REDKEEP_COMMAND_REFUSED' });
    const [result] = (await redis.pipeline().flushall().exec())!;
    assert.equal((result![0] as RedkeepError).code, 'REDKEEP_COMMAND_REFUSED');
    await assert.rejects(redis.multi().flushall().exec(), { code: 'REDKEEP_COMMAND_REFUSED' });
  });

  test('a command has a deadline of five seconds, or none where it may wait for ever for a connection', () => {
    assert.equal(Default, Redis);
    for (const [options, timeout] of [
      [{}, 5000],
      [{ commandTimeout: 10 }, 10],
      [{ maxRetriesPerRequest: null }, 0],
      [{ maxRetriesPerRequest: null, commandTimeout: 10 }, 10],
    ] satisfies [RedisOptions, number][])
      assert.equal(commandTimeoutOf(options), timeout);
  });
});
