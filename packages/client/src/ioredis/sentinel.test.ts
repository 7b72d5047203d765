import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { type SentinelSetup, startScriptedServer, startSentinel, waitFor } from '@redkeep/testing';
import { Redis, type RedisOptions } from './index.js';

let setup: SentinelSetup;
before(async () => {
  setup = await startSentinel({ replicas: 1, sentinels: 3, tls: true, password: 'data', sentinelPassword: 'watch' });
});
after(async () => {
  await setup[Symbol.asyncDispose]();
});

function options(more: RedisOptions = {}): RedisOptions {
  return {
    sentinels: [{ host: '127.0.0.1', port: setup.sentinels[0]!.tlsPort }],
    name: setup.name,
    password: 'data',
    sentinelPassword: 'watch',
    tls: { ca: setup.primary.pki!.ca },
    ...more,
  };
}
type Context = { after(fn: () => unknown): void };
function open(t: Context, more: RedisOptions = {}): Redis {
  const redis = new Redis(options(more));
  t.after(() => redis.disconnect());
  return redis.on('error', () => {});
}
const roleOf = async (redis: Redis) => String(((await redis.call('ROLE')) as unknown[])[0]);

test('leads to the primary, or with role slave to a replica, the preferred one where that is up', async (t) => {
  assert.equal(await roleOf(open(t)), 'master');
  const { tlsPort } = setup.replicas[0]!;
  for (const preferredSlaves of [undefined, { ip: '127.0.0.1', port: String(tlsPort), prio: 1 }] as const)
    assert.equal(await roleOf(open(t, { role: 'slave', preferredSlaves })), 'slave');
});

test('TLS is for the sentinels as well; plaintext there is refused', async () => {
  assert.throws(() => new Redis(options({ sentinelTLS: false as never })), { code: 'REDKEEP_INVALID_OPTION' });
});

test('asks unreachable sentinels again as sentinelRetryStrategy says, and ends when it returns no number', async () => {
  const asked: number[] = [];
  const redis = new Redis(
    options({
      sentinels: [{ host: '127.0.0.1', port: 1 }],
      commandTimeout: 0,
      retryStrategy: () => assert.fail('there is no primary to try again'),
      sentinelRetryStrategy: (times) => {
        asked.push(times);
        return times < 2 ? 1 : null;
      },
    }),
  );
  redis.on('error', () => {});
  const sentinelErrors: unknown[] = [];
  redis.on('sentinelError', (error) => sentinelErrors.push(error));
  await assert.rejects(redis.get('key'), { code: 'REDKEEP_NO_NODE' });
  assert.equal(redis.status, 'end');
  assert.deepEqual(asked, [1, 2]);
  assert.ok(sentinelErrors.length > 0);
});

test('ends its connections to the sentinels, and makes new ones after connect', async () => {
  const script = `
    const { Redis } = await import(process.argv[1]);
    const options = JSON.parse(process.env.OPTIONS);
    const lost = new Redis({ ...options, sentinels: [{ host: '127.0.0.1', port: 1 }] }).on('error', () => {});
    setTimeout(() => lost.disconnect(), 50);
    new Redis(options).on('error', () => {}).disconnect();
    const redis = new Redis(options);
    await redis.set('again', 1);
    redis.disconnect();
    await redis.connect();
    console.log(await redis.get('again'));
    await redis.quit();
  `;
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', script, new URL('./index.js', import.meta.url).href],
    {
      env: { ...process.env, OPTIONS: JSON.stringify(options()) },
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: 60_000,
    },
  );
  let output = '';
  child.stdout.on('data', (bytes) => {
    output += bytes;
  });
  // Nothing calls exit: that the process ends shows that nothing is open.
  assert.deepEqual(await once(child, 'exit'), [0, null]);
  assert.equal(output, '1\n');
});

test('a primary that was demoted under the client: the write has not run, and waits for the next one', async (t) => {
  const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;
  const words = (...all: string[]) => `*${all.length}\r\n${all.map(bulk).join('')}`;
  await using primary = await startScriptedServer({
    handshake: 'none',
    onCommand: ([name]) =>
      name === 'HELLO' ? `%2\r\n${bulk('proto')}:3\r\n${bulk('role')}${bulk('master')}` : '+OK\r\n',
  });
  await using sentinel = await startScriptedServer({
    onCommand: ([, what]) =>
      what === 'MASTER' ? words('ip', '127.0.0.1', 'port', String(primary.port), 'config-epoch', '1') : '*0\r\n',
  });
  const given: RedisOptions = {
    sentinels: [{ host: '127.0.0.1', port: sentinel.port }],
    name: 'm',
    enableReadyCheck: false,
    retryStrategy: () => 1,
  };
  const redis = new Redis(given);
  t.after(() => redis.disconnect());
  await once(redis, 'ready');
  primary.reply('SET', "-READONLY You can't write against a read only replica.\r\n");
  assert.equal(await redis.set('key', 'value'), 'OK');
  assert.equal(primary.received.filter(([name]) => name?.toUpperCase() === 'SET').length, 2);
  assert.equal(primary.peers.length, 2);
});

for (const [how, fail] of [
  ['dies', (server: SentinelSetup['primary']) => server.kill()],
  ['hangs', async (server: SentinelSetup['primary']) => server.pause()],
] as const)
  test(`a primary that ${how}: writes go on with the next one, none is doubled, messages arrive`, async (t) => {
    const redis = open(t, { maxRetriesPerRequest: null, commandTimeout: 0, retryStrategy: () => 20 });
    const subscriber = open(t, { retryStrategy: () => 20 });
    const received: string[] = [];
    subscriber.on('message', (_channel, message) => received.push(message));
    await subscriber.subscribe('news');
    const old = await setup.currentPrimary();
    await waitFor(async () => Number((await old.info('replication'))['connected_slaves']) === 1);
    const accepted = new Set<number>();
    const unknown = new Set<number>();
    let stop = false;
    let n = 0;
    const writer = async () => {
      while (!stop) {
        const item = n++;
        await redis.rpush(`items:${how}`, item).then(
          () => accepted.add(item),
          (error) => {
            assert.equal(error.code, 'REDKEEP_MAYBE_EXECUTED');
            unknown.add(item);
          },
        );
      }
    };
    const writers = Promise.all(Array.from({ length: 4 }, writer));
    await waitFor(() => accepted.size > 100);
    await fail(old);
    const fresh = await setup.failedOver(old);
    const before = accepted.size;
    await waitFor(() => accepted.size > before + 100, { timeout: 30_000 });
    stop = true;
    await writers;
    const stored = ((await redis.lrange(`items:${how}`, 0, -1)) as string[]).map(Number);
    assert.equal(new Set(stored).size, stored.length, 'an item is listed twice');
    assert.ok(stored.every((item) => accepted.has(item) || unknown.has(item)));
    // What was not answered when the primary went, and nothing of later.
    assert.ok(unknown.size <= 4, `${unknown.size}`);
    await waitFor(async () => {
      await fresh.command('PUBLISH', 'news', how);
      return received.includes(how);
    });
    if (how === 'dies') await old.start();
    await waitFor(async () => (await setup.currentPrimary()) === fresh);
  });
