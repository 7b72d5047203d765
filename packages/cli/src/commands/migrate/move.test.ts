import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { findEngines, type Server, startSentinel, startServer, waitFor } from '@redkeep/testing';
import { createClient } from 'redkeep';
import { ExitCode } from '../../exit-codes.js';
import { openBytes } from '../../migrate/move/bytes.js';
import { contentsOf } from '../../migrate/move/digest.js';
import { CliSandbox } from '../../testing/run-cli.js';

const engine = (name: string) => findEngines().find((each) => each.name === name);

interface Moved {
  readonly method: string;
  readonly equal: boolean;
  readonly lost: readonly string[];
}

/** Every type, three databases, times to live, binary names, a stream with a group, functions. */
async function fill(server: Server): Promise<void> {
  const client = createClient({ url: server.url, commandPolicy: 'unrestricted' });
  await client.connect();
  const run = (...words: (string | Buffer)[]) => client.sendCommand(words as [string]);
  for (let key = 0; key < 500; key += 1) await run('SET', `app:${key}`, `value ${key}`);
  await run('SET', Buffer.from([0, 255, 13, 10]), Buffer.from([1, 2, 254, 0]));
  await run('SET', 'long-lived', 'x', 'EX', '100000');
  for (let at = 0; at < 2500; at += 1) await run('RPUSH', 'list', `item ${at}`);
  await run('SADD', 'set', 'a', 'b', Buffer.from([200, 201]));
  await run('HSET', 'hash', 'f1', 'v1', Buffer.from([199]), 'v2');
  await run('ZADD', 'zset', '1.1', 'a', '-inf', 'b', '1.0000000000000002', 'c', '1e30', 'd');
  await run('XADD', 'stream', '5-1', 'a', '1', 'b', '2');
  await run('XADD', 'stream', '6-1', 'a', '3');
  await run('XDEL', 'stream', '6-1');
  await run('XGROUP', 'CREATE', 'stream', 'workers', '5-1');
  await run('PFADD', 'hll', 'x', 'y', 'z');
  await run('SETBIT', 'bits', '1000', '1');
  await run('GEOADD', 'geo', '13.361389', '38.115556', 'Palermo');
  for (const database of ['2', '9']) {
    await run('SELECT', database);
    await run('SET', 'elsewhere', database);
  }
  await run('FUNCTION', 'LOAD', "#!lua name=lib\nredis.register_function('f', function() return 42 end)");
  client.destroy();
}

/** As far as the machine has both engines. */
const moves = (
  [
    { from: 'redis-7.0', to: 'redis-8.0', method: 'replication' },
    { from: 'redis-7.0', to: 'valkey-9', method: 'replication' },
    { from: 'redis-8.0', to: 'valkey-9', method: 'commands' },
    { from: 'valkey-9', to: 'redis-7.0', method: 'commands' },
  ] as const
).filter(({ from, to }) => engine(from) && engine(to));

describe('redkeep migrate move', () => {
  let sandbox: CliSandbox;
  before(async () => {
    sandbox = await CliSandbox.create();
  });
  after(() => sandbox.remove());

  const cli = (...args: string[]) => sandbox.run(['migrate', 'move', ...args], { env: {} });

  for (const { from, to, method } of moves)
    test(`moves ${from} to ${to} by ${method}, and back`, async () => {
      await using source = await startServer({ engine: engine(from)! });
      await using target = await startServer({ engine: engine(to)! });
      await fill(source);
      const dry = await cli(source.url, target.url, '--dry-run');
      assert.match(dry.out, new RegExp(`By ${method}:`));
      assert.match(dry.out, /Way back: /);
      assert.equal(Number(await target.command('DBSIZE')), 0);
      const done = await cli(source.url, target.url, '--yes', '--json');
      const moved = JSON.parse(done.out) as Moved;
      assert.equal(done.code, ExitCode.Ok, done.err + done.out);
      assert.deepEqual([moved.method, moved.equal, moved.lost], [method, true, []]);
      assert.equal(Number(await target.command('FCALL', 'f', '0')), 42);
      assert.equal(String((await target.info('replication'))['role']), 'master');
      assert.equal(String(await target.command('XINFO', 'GROUPS', 'stream')).includes('workers'), true);

      // The way back that the plan promised, with what was written meanwhile.
      await target.command('SET', 'written-later', 'yes');
      await source.command('FLUSHALL');
      const back = await cli(target.url, source.url, '--yes', '--json');
      assert.equal(back.code, ExitCode.Ok, back.err + back.out);
      assert.equal(String(await source.command('GET', 'written-later')), 'yes');
    });

  test('loses no acknowledged write, closes the old server, and refuses a new one with data', async () => {
    await using source = await startServer();
    await using target = await startServer();
    await fill(source);
    // A writer that goes on: its writes wait while it is copied, and none is lost.
    const client = createClient({ url: source.url });
    await client.connect();
    let written = 0;
    let stopped = false;
    const writing = (async () => {
      while (!stopped) {
        await client.incr('counter').then(
          () => {
            written += 1;
          },
          () => {
            stopped = true;
          },
        );
      }
    })();
    const done = await cli(source.url, target.url, '--yes', '--json', '--close-source');
    assert.equal(done.code, ExitCode.Ok, done.err);
    await writing;
    client.destroy();
    assert.equal(Number(await target.command('GET', 'counter')), written, 'every write that was acknowledged');
    await assert.rejects(source.command('SET', 'x', 'y'), /NOREPLICAS/);
    await source.command('CONFIG', 'SET', 'min-replicas-to-write', '0');
    const again = await cli(source.url, target.url, '--yes');
    assert.equal(again.code, ExitCode.Usage);
    assert.match(again.err, /has data/);
  });

  test('moves a single server under load into a Sentinel set, whose replica has the data too', async () => {
    await using source = await startServer();
    await using set = await startSentinel({ replicas: 1, sentinels: 3 });
    await fill(source);
    const client = createClient({ url: source.url });
    await client.connect();
    let written = 0;
    const writing = (async () => {
      for (;;) {
        const answer = await client.incr('counter').catch(() => undefined);
        if (answer === undefined) return;
        written += 1;
      }
    })();
    const done = await cli(source.url, set.primary.url, '--yes', '--json', '--close-source');
    assert.equal(done.code, ExitCode.Ok, done.err + done.out);
    assert.equal((JSON.parse(done.out) as Moved).method, 'dump', 'a watched primary follows nobody');
    await writing;
    client.destroy();
    assert.equal(Number(await set.primary.command('GET', 'counter')), written);
    for (const replica of set.replicas)
      await waitFor(async () => String(await replica.command('GET', 'counter')) === String(written));
    assert.equal(await set.currentPrimary(), set.primary, 'no failover');
  });

  test('sees every single difference', async () => {
    await using source = await startServer();
    await fill(source);
    const endpoint = { host: source.host, port: source.port, tls: false, timeoutMs: 5000 };
    const { ask, close } = await openBytes(endpoint);
    const digest = async () => (await contentsOf(ask, new AbortController().signal, 0)).digest;
    const before = await digest();
    assert.equal(await digest(), before);
    const changes = [
      'SET app:1 changed',
      'RENAME app:2 app:two',
      'PERSIST long-lived',
      'LSET list 2000 changed',
      'SADD set extra',
      'HSET hash f1 changed',
      'ZADD zset 1.2 a',
      'XADD stream 7-1 a 4',
      'PFADD hll more',
      'SETBIT bits 1001 1',
      'DEL geo',
      'MOVE app:3 5',
    ];
    let last = before;
    for (const change of changes) {
      await ask(...change.split(' '));
      const now = await digest();
      assert.notEqual(now, last, change);
      last = now;
    }
    close();
  });

  test('comes to the same end after it was cut off', async () => {
    await using source = await startServer();
    await using target = await startServer();
    await fill(source);
    const abort = new AbortController();
    const cut = await sandbox.run(['migrate', 'move', source.url, target.url, '--yes', '--method', 'dump'], {
      env: {},
      signal: abort.signal,
      onText: (text) => text.includes('wait') && abort.abort(),
    });
    assert.notEqual(cut.code, ExitCode.Ok);
    await source.command('SET', 'writes', 'go on');
    await target.command('FLUSHALL');
    assert.equal((await cli(source.url, target.url, '--yes', '--method', 'dump')).code, ExitCode.Ok);
  });
});
