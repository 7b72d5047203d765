import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { startCluster, startScriptedServer, startSentinel, startServer } from '@redkeep/testing';
import { maskUrl, Secret } from '../credentials/secret.js';
import { type CommandValidator, createClient, createClientPool, createCluster, createSentinel } from '../index.js';
import { Redis } from '../ioredis/index.js';
import { CircuitBreaker } from '../resilience/circuit-breaker.js';
import { RateLimit } from '../resilience/rate-limit.js';
import { escapeGlob } from './escape-glob.js';
import type { TlsInfo } from './tls-info.js';

describe('Secret', () => {
  test('shows itself nowhere', () => {
    const secret = new Secret('hunter2');
    const holder = { secret, list: [secret] };
    for (const text of [
      `${secret}`,
      String(secret),
      secret + '',
      JSON.stringify(holder),
      inspect(holder, { showHidden: true, depth: 9 }),
      inspect(secret, { customInspect: false, showHidden: true }),
    ]) {
      assert.ok(!text.includes('hunter2'), text);
    }
    assert.ok(!JSON.stringify(structuredClone(holder)).includes('hunter2'));
    assert.equal(secret.reveal(), 'hunter2');
    assert.ok(secret.equals('hunter2') && secret.equals(new Secret('hunter2')) && !secret.equals('hunter3'));
  });
  test('maskUrl', () => {
    assert.equal(maskUrl('rediss://user:p%40ss@host:6379/0'), 'rediss://user:***@host:6379/0');
    assert.equal(maskUrl('redis://:pw@host'), 'redis://:***@host');
    assert.equal(maskUrl('redis://host/0'), 'redis://host/0');
  });
});

describe('command policy', () => {
  test('what would take replies from their commands is refused, whatever is allowed, in every way of sending', async () => {
    await using server = await startServer();
    const open = {
      url: `redis://127.0.0.1:${server.port}`,
      commandPolicy: 'unrestricted',
      allowCommands: ['CLIENT REPLY', 'HELLO'],
    } as const;
    await using client = createClient(open);
    await client.connect();
    const redis = new Redis({ port: server.port, commandPolicy: 'unrestricted', allowCommands: ['CLIENT REPLY'] });
    const refused = { code: 'REDKEEP_COMMAND_REFUSED' };
    for (const words of [
      ['CLIENT', 'REPLY', 'OFF'],
      ['client', 'reply', 'skip'],
      ['CLIENT', 'REPLY', 'ON'],
      ['HELLO', '2'],
      ['hello', '3', 'AUTH', 'default', 'x'],
    ] as [string, ...string[]][]) {
      await assert.rejects(client.sendCommand(words), refused, words.join(' '));
      await assert.rejects(async () => client.multi().addCommand(words).execAsPipeline(), refused);
      await assert.rejects(async () => client.multi().addCommand(words).exec(), refused);
      await assert.rejects(redis.call(...words), refused);
      const [pair] = (await redis.pipeline([['call', ...words]]).exec())!;
      assert.match(String(pair![0]), /refused by this client|has no place in one/);
      // Replies are in step: each call has its own.
      assert.deepEqual(await Promise.all([client.echo('a'), client.echo('b'), redis.echo('c'), redis.echo('d')]), [
        'a',
        'b',
        'c',
        'd',
      ]);
    }
    assert.equal((await client.hello()).proto, 3);
    redis.disconnect();
  });
  test('guarded by default: dangerous commands are refused before anything is sent, however they are spelled', async () => {
    await using server = await startScriptedServer();
    await using client = createClient({ url: server.url });
    await client.connect();
    for (const words of [
      ['FLUSHALL'],
      ['flushdb'],
      ['Config', 'Set', 'dir', '/tmp'],
      ['ACL', 'SETUSER', 'x'],
      ['DEBUG', 'SLEEP', '1'],
      ['SHUTDOWN'],
      ['KEYS', '*'],
      ['MODULE', 'LOAD', '/x.so'],
      ['REPLICAOF', 'h', '1'],
      ['SCRIPT', 'FLUSH'],
    ]) {
      await assert.rejects(
        client.sendCommand(words),
        { code: 'REDKEEP_COMMAND_REFUSED', message: /allowCommands: \['/ },
        words.join(' '),
      );
      await assert.rejects(async () => client.multi().addCommand(words).exec(), { code: 'REDKEEP_COMMAND_REFUSED' });
    }
    await assert.rejects(client.keys('*'), { code: 'REDKEEP_COMMAND_REFUSED' });
    await client.ping();
    assert.deepEqual(
      server.received.map(([name]) => name).filter((name) => name !== 'HELLO' && name !== 'CLIENT'),
      ['PING'],
    );
  });
  test('allowed by name, denied by name, read-only', async () => {
    await using server = await startServer();
    await using allowed = createClient({ url: server.url, allowCommands: ['flushdb', 'config|set'] });
    await allowed.connect();
    assert.equal(await allowed.sendCommand(['FLUSHDB']), 'OK');
    assert.equal(await allowed.sendCommand(['CONFIG', 'SET', 'maxclients', '100']), 'OK');
    await assert.rejects(allowed.sendCommand(['FLUSHALL']), { code: 'REDKEEP_COMMAND_REFUSED' });
    await using denied = createClient({
      url: server.url,
      commandPolicy: 'unrestricted',
      denyCommands: ['CONFIG', 'GET'],
    });
    await denied.connect();
    await assert.rejects(denied.sendCommand(['CONFIG', 'GET', 'dir']), { code: 'REDKEEP_COMMAND_REFUSED' });
    await assert.rejects(denied.get('k'), { code: 'REDKEEP_COMMAND_REFUSED' });
    assert.equal(await denied.sendCommand(['FLUSHALL']), 'OK');
    await using reader = createClient({ url: server.url, readOnlyCommands: true });
    await reader.connect();
    assert.equal(await reader.get('k'), null);
    await assert.rejects(reader.set('k', 'v'), { code: 'REDKEEP_COMMAND_REFUSED' });
    await assert.rejects(reader.sendCommand(['UNKNOWNMODULE.SET', 'k']), { code: 'REDKEEP_COMMAND_REFUSED' });
  });
});

test('escapeGlob makes any text match itself and nothing else', async () => {
  await using server = await startServer();
  await using client = createClient({ url: server.url, allowCommands: ['KEYS'] });
  await client.connect();
  const names = ['a*b', 'a?b', 'a[bc]d', 'a\\b', 'a^b', 'a-b', 'axb', 'abd', '[a-z]', '\\*'];
  await client.mSet(names.flatMap((name) => [name, '1']));
  for (const name of names) assert.deepEqual(await client.keys(escapeGlob(name)), [name], name);
});

describe('rate limit', () => {
  test('rejects above the burst', () => {
    const limit = new RateLimit({ rate: 0.001, burst: 3 });
    for (let i = 0; i < 3; i++) assert.equal(limit.take(), undefined);
    assert.throws(() => limit.take(), { code: 'REDKEEP_RATE_LIMITED' });
  });
  test('waits in line, bounded', async () => {
    const limit = new RateLimit({ rate: 200, burst: 1, mode: 'wait', maxWaiting: 2 });
    const order: number[] = [];
    limit.take();
    const waits = [1, 2].map((n) => limit.take()!.then(() => order.push(n)));
    assert.throws(() => limit.take(), { code: 'REDKEEP_RATE_LIMITED' });
    await Promise.all(waits);
    assert.deepEqual(order, [1, 2]);
  });
  test('refuses options that mean nothing', () => {
    assert.throws(() => new RateLimit({ rate: 0 }), { code: 'REDKEEP_INVALID_OPTION' });
  });
});

test('circuit breaker: opens after failures, lets one command try, closes on success', async () => {
  const states: string[] = [];
  const breaker = new CircuitBreaker({ threshold: 2, coolDownMs: 10 }, (state) => states.push(state));
  const fail = () => breaker.run(() => Promise.reject(Object.assign(new Error('x'), { code: 'REDKEEP_TIMEOUT' })));
  await assert.rejects(fail());
  await assert.rejects(fail());
  await assert.rejects(
    breaker.run(async () => 'sent'),
    { code: 'REDKEEP_CIRCUIT_OPEN' },
  );
  await new Promise((resolve) => setTimeout(resolve, 15));
  assert.equal(await breaker.run(async () => 'sent'), 'sent');
  assert.deepEqual(states, ['open', 'half-open', 'closed']);
});

describe('gate', () => {
  test('a validator sees name, keys and arguments, and what it throws stops the command', async () => {
    await using server = await startScriptedServer();
    server.reply('MGET', '*2\r\n_\r\n_\r\n');
    const seen: unknown[] = [];
    await using client = createClient({
      url: server.url,
      validateCommand: (command) => {
        seen.push(command);
        if (command.keys.some((key) => !String(key).startsWith('app:')))
          throw new RangeError('not a key of this application');
      },
    });
    await client.connect();
    await client.mGet(['app:a', 'app:b']);
    await assert.rejects(client.set('other', 'v'), RangeError);
    await client.ping();
    assert.deepEqual(seen[0], { name: 'MGET', keys: ['app:a', 'app:b'], args: ['app:a', 'app:b'], readOnly: true });
    assert.equal(
      server.received.some(([name]) => name === 'SET'),
      false,
    );
  });

  test('a validator sees what transactions, pipelines, pools, clusters and Sentinel clients send', async (t) => {
    await using server = await startServer();
    await using nodes = await startCluster({ masters: 3 });
    await using setup = await startSentinel({ replicas: 0, sentinels: 1 });
    const validateCommand: CommandValidator = ({ keys }) => {
      if (keys.some((key) => !String(key).startsWith('app:'))) throw new RangeError('not a key of this application');
    };
    const options = { url: server.url, validateCommand };
    const clients = [
      await createClient(options).connect(),
      await createClientPool(options).connect(),
      await createCluster({ rootNodes: [{ url: nodes.masters[0]!.url }], defaults: { validateCommand } }).connect(),
      await createCluster({ rootNodes: [{ url: nodes.masters[0]!.url }], validateCommand, keyPrefix: 'p:' }).connect(),
      await createSentinel({
        name: setup.name,
        sentinelRootNodes: setup.sentinels.map(({ host, port }) => ({ host, port })),
        nodeClientOptions: { tls: false, validateCommand },
      }).connect(),
    ] as const;
    t.after(() => Promise.all(clients.map((client) => client.close())));
    for (const client of clients) {
      const refusals: unknown[] = [];
      client.on('command-refused', (refusal: unknown) => refusals.push(refusal));
      await client.set('app:a', '1');
      await client.blPop('app:list', 0.01);
      await assert.rejects(client.set('other', '1'), RangeError);
      await assert.rejects(client.blPop('other', 0.01), RangeError);
      await assert.rejects(async () => client.multi().set('app:a', '2').set('other', '2').exec(), RangeError);
      await assert.rejects(async () => client.multi().get('other').execAsPipeline(), RangeError);
      assert.equal(await client.get('app:a'), '1');
      assert.deepEqual(
        refusals,
        ['SET', 'BLPOP', 'SET', 'GET'].map((command) => ({ command, code: 'RangeError' })),
      );
    }
  });

  test('one rate limit for all connections of a pool, and transactions count by their commands', async (t) => {
    await using server = await startServer();
    const pool = createClientPool({ url: server.url, rateLimit: { rate: 0.001, burst: 6 } }, { minimum: 3 });
    t.after(() => pool.destroy());
    await pool.connect();
    for (let i = 0; i < 2; i++) await pool.ping();
    await pool.multi().get('a').get('b').exec();
    await pool.multi().get('a').get('b').execAsPipeline();
    const limited: unknown[] = [];
    pool.on('rate-limited', (detail) => limited.push(detail));
    await assert.rejects(pool.ping(), { code: 'REDKEEP_RATE_LIMITED' });
    await assert.rejects(pool.multi().get('a').exec(), { code: 'REDKEEP_RATE_LIMITED' });
    await assert.rejects(pool.multi().get('a').execAsPipeline(), { code: 'REDKEEP_RATE_LIMITED' });
    assert.deepEqual(limited, [{ command: 'PING' }, { command: 'MULTI' }, { command: 'PIPELINE' }]);
  });

  test('subscriptions are commands too', async () => {
    await using server = await startScriptedServer();
    await using client = createClient({ url: server.url, denyCommands: ['SUBSCRIBE', 'PSUBSCRIBE', 'SSUBSCRIBE'] });
    await client.connect();
    const listener = () => {};
    await assert.rejects(client.subscribe('a', listener), { code: 'REDKEEP_COMMAND_REFUSED' });
    await assert.rejects(client.pSubscribe('a', listener), { code: 'REDKEEP_COMMAND_REFUSED' });
    await assert.rejects(client.sSubscribe('a', listener), { code: 'REDKEEP_COMMAND_REFUSED' });
    assert.equal(client.isPubSubActive, false);
  });

  test('rate limit and circuit breaker of a client', async () => {
    await using server = await startScriptedServer({ onCommand: () => undefined });
    const client = createClient({
      url: server.url,
      commandOptions: { timeout: 10 },
      circuitBreaker: { threshold: 2, coolDownMs: 60_000 },
    });
    const states: string[] = [];
    client.on('circuit', (state) => states.push(state));
    await client.connect();
    await assert.rejects(client.get('a'), { code: 'REDKEEP_TIMEOUT' });
    await assert.rejects(client.get('a'), { code: 'REDKEEP_TIMEOUT' });
    await assert.rejects(client.get('a'), { code: 'REDKEEP_CIRCUIT_OPEN' });
    assert.deepEqual(states, ['open']);
    client.destroy();
    await using limited = createClient({ url: server.url, rateLimit: { rate: 0.001, burst: 1 } });
    server.reply('PING', '+PONG\r\n');
    await limited.connect();
    assert.equal(await limited.ping(), 'PONG');
    await assert.rejects(limited.ping(), { code: 'REDKEEP_RATE_LIMITED' });
  });
});

test('tlsInfo describes the live session; a certificate near its end is announced', async () => {
  await using server = await startServer({ tls: true });
  await using client = createClient({
    url: `rediss://localhost:${server.tlsPort}`,
    tls: { caFile: server.tlsFiles!.ca },
  });
  assert.equal(client.tlsInfo(), undefined);
  let announced: TlsInfo | undefined;
  client.on('certificate-expiring', (info) => {
    announced = info;
  });
  await client.connect();
  const info = client.tlsInfo()!;
  assert.equal(info.protocol, 'TLSv1.3');
  assert.match(info.cipher, /^TLS_/);
  assert.equal(info.verified, true);
  assert.ok(info.chain[0]!.names.includes('DNS:localhost'));
  assert.equal(announced !== undefined, info.daysLeft < 30);
});

test('scripts that are put together from data are refused; static ones run for ever', async () => {
  await using server = await startServer();
  await using client = createClient({ url: server.url, maxScripts: 3 });
  await client.connect();
  for (let i = 0; i < 10; i++) assert.equal(await client.eval('return ARGV[1]', { arguments: [String(i)] }), String(i));
  const built = (value: string) => client.sendCommand(['EVAL', `return '${value}'`, '0']);
  assert.equal(await built('a'), 'a');
  assert.equal(await built('b'), 'b');
  await assert.rejects(built('c'), { code: 'REDKEEP_SCRIPT_NOT_STATIC' });
  await assert.rejects(async () => client.multi().addCommand(['EVAL', "return 'd'", '0']).exec(), {
    code: 'REDKEEP_SCRIPT_NOT_STATIC',
  });
  assert.equal(await client.eval('return ARGV[1]', { arguments: ['still'] }), 'still');
});
