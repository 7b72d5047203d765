import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Server, startScriptedServer, startServer, waitFor } from '@redkeep/testing';
import {
  ClientClosedError,
  createClientPool,
  LeaseLeakedError,
  LeaseReleasedError,
  type PoolOptions,
  QueueFullError,
  type RedisClientPool,
  TimeoutError,
  WatchError,
} from '../index.js';

let server: Server;
before(async () => {
  server = await startServer();
});
after(async () => {
  await server[Symbol.asyncDispose]();
});

async function openPool(
  t: { after(fn: () => unknown): void },
  options: Partial<PoolOptions> = {},
): Promise<RedisClientPool> {
  const pool = createClientPool({ url: server.url }, options);
  t.after(() => pool.destroy());
  return pool.connect();
}

/** A promise and what settles it. */
function gate(): { open: () => void; passed: Promise<void> } {
  let open!: () => void;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, passed };
}

test('runs commands, raw commands and transactions', async (t) => {
  const pool = await openPool(t);
  assert.equal(await pool.set('pool:a', '1'), 'OK');
  assert.equal(await pool.get('pool:a'), '1');
  assert.equal(await pool.sendCommand(['INCRBY', 'pool:a', '4']), 5);
  assert.deepEqual(await pool.multi().incr('pool:a').get('pool:a').exec(), [6, '6']);
  assert.deepEqual(await pool.multi().incr('pool:a').get('pool:a').execAsPipeline(), [7, '7']);
});

test('execute lends one client alone and grows up to maximum', async (t) => {
  const pool = await openPool(t, { minimum: 1, maximum: 3 });
  const wait = gate();
  const ids: number[] = [];
  const tasks = Array.from({ length: 3 }, () =>
    pool.execute(async (client) => {
      ids.push(await client.clientId());
      await wait.passed;
    }),
  );
  await waitFor(() => ids.length === 3);
  assert.equal(new Set(ids).size, 3);
  assert.equal(pool.clientsInUse, 3);
  const fourth = pool.execute((client) => client.ping());
  await waitFor(() => pool.tasksQueueLength === 1);
  wait.open();
  assert.equal(await fourth, 'PONG');
  await Promise.all(tasks);
  assert.equal(pool.totalClients, 3);
  assert.equal(pool.clientsInUse, 0);
});

test('a waiter gives up after acquireTimeout', async (t) => {
  const pool = await openPool(t, { maximum: 1, acquireTimeout: 20 });
  const lease = await pool.acquire();
  await assert.rejects(
    pool.execute(() => {}),
    (error) => {
      assert.ok(error instanceof TimeoutError);
      assert.equal(error.message, 'Timeout waiting for a client after 20ms');
      return true;
    },
  );
  await lease.release();
  assert.equal(await pool.execute(() => 'served'), 'served');
});

test('no more than maxWaiters wait', async (t) => {
  const pool = await openPool(t, { maximum: 1, maxWaiters: 1 });
  const lease = await pool.acquire();
  const waiting = pool.execute(() => 'served');
  await waitFor(() => pool.tasksQueueLength === 1);
  await assert.rejects(
    pool.execute(() => {}),
    QueueFullError,
  );
  await lease.release();
  assert.equal(await waiting, 'served');
});

test('what throws in execute gives the client back', async (t) => {
  const pool = await openPool(t, { maximum: 1 });
  await assert.rejects(
    pool.execute(() => {
      throw new Error('mine');
    }),
    /mine/,
  );
  assert.equal(await pool.execute((client) => client.ping()), 'PONG');
});

test('WATCH of one borrower does not meet the next', async (t) => {
  const pool = await openPool(t, { maximum: 1 });
  await pool.execute((client) => client.watch('pool:watched'));
  await server.command('SET', 'pool:watched', 'changed');
  assert.deepEqual(await pool.execute((client) => client.multi().get('pool:watched').exec()), ['changed']);
});

test('WATCH in execute guards the transaction', async (t) => {
  const pool = await openPool(t, { maximum: 1 });
  const attempt = pool.execute(async (client) => {
    await client.watch('pool:guarded');
    await server.command('SET', 'pool:guarded', 'other');
    return client.multi().set('pool:guarded', 'mine').exec();
  });
  await assert.rejects(attempt, WatchError);
  assert.equal(await pool.get('pool:guarded'), 'other');
});

test('a client left in another database is not lent again', async (t) => {
  const pool = await openPool(t, { maximum: 1 });
  await pool.execute((client) => client.select(3));
  await pool.set('pool:db', 'zero');
  assert.equal(await pool.execute((client) => client.get('pool:db')), 'zero');
  assert.equal(await server.command('GET', 'pool:db'), 'zero');
});

test('a released client runs nothing any more', async (t) => {
  const pool = await openPool(t);
  const lease = await pool.acquire();
  const typed = lease.withTypeMapping({});
  await lease.release();
  await assert.rejects(lease.get('pool:a'), LeaseReleasedError);
  await assert.rejects(typed.get('pool:a'), LeaseReleasedError);
  await assert.rejects(lease.release(), LeaseReleasedError);
});

test('a lease held too long is reported with where it was taken', async (t) => {
  const pool = await openPool(t, { leakTimeoutMs: 20 });
  const reported = new Promise<LeaseLeakedError>((resolve) => pool.once('leak', resolve));
  const lease = await takeForTheTest(pool);
  // The timer of the report does not keep the process alive by itself; the connection does.
  const error = await reported;
  assert.ok(error instanceof LeaseLeakedError);
  assert.equal(error.code, 'REDKEEP_LEASE_LEAKED');
  assert.match(String((error.cause as Error).stack), /takeForTheTest/);
  await lease.release();
});

async function takeForTheTest(pool: RedisClientPool) {
  const lease = pool.acquire();
  return lease;
}

test('a forgotten lease is reported, and another client takes its place', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const pool = await openPool(t, { maximum: 1, acquireTimeout: 0 });
  let leaked: LeaseLeakedError | undefined;
  pool.on('leak', (error) => {
    leaked = error;
  });
  await (async () => {
    await (await pool.acquire()).ping();
  })();
  await waitFor(() => {
    collect();
    return leaked !== undefined;
  });
  assert.match(leaked!.message, /forgotten/);
  assert.equal(await pool.execute((client) => client.ping()), 'PONG');
});

test('idle clients above minimum go', async (t) => {
  const pool = await openPool(t, { minimum: 1, maximum: 4, cleanupDelay: 20 });
  const wait = gate();
  const tasks = Array.from({ length: 4 }, () => pool.execute(() => wait.passed));
  await waitFor(() => pool.clientsInUse === 4);
  wait.open();
  await Promise.all(tasks);
  await waitFor(() => pool.totalClients === 1);
});

test('a client past its lifetime is replaced', async (t) => {
  const pool = await openPool(t, { maximum: 1, maxLifetimeMs: 1 });
  const first = await pool.clientId();
  await waitFor(async () => (await pool.execute((client) => client.clientId())) !== first);
});

test('a dead idle client is found before it is lent', async (t) => {
  await using scripted = await startScriptedServer();
  const pool = createClientPool(
    { url: scripted.url, commandOptions: { timeout: 50 }, socket: { socketTimeout: 0 } },
    { maximum: 1, healthCheckAfterMs: 1, acquireTimeout: 0 },
  );
  t.after(() => pool.destroy());
  await pool.connect();
  const idleLongEnough = performance.now() + 2;
  await waitFor(() => performance.now() > idleLongEnough);
  scripted.reply('PING', undefined); // this connection has gone silent
  const served = pool.execute((client) => client.echo('hello'));
  scripted.reply('ECHO', '$5\r\nhello\r\n');
  assert.equal(await served, 'hello');
  assert.equal(scripted.peers.length, 2);
});

test('close waits for what runs and what waits, and takes nothing new', async (t) => {
  const pool = await openPool(t, { maximum: 1 });
  const wait = gate();
  const order: string[] = [];
  const first = pool.execute(() => wait.passed.then(() => order.push('first')));
  const second = pool.execute(() => order.push('second'));
  await waitFor(() => pool.tasksQueueLength === 1);
  const closed = pool.close().then(() => order.push('closed'));
  await assert.rejects(pool.ping(), ClientClosedError);
  await assert.rejects(pool.multi().ping().exec(), ClientClosedError);
  wait.open();
  await Promise.all([first, second, closed]);
  assert.deepEqual(order, ['first', 'second', 'closed']);
  assert.equal(pool.totalClients, 0);
  assert.equal(pool.isOpen, false);
});

test('connect and waiters reject with the reason when the server is not there', async () => {
  const gone = await startScriptedServer();
  const { url } = gone;
  await gone[Symbol.asyncDispose]();
  const pool = createClientPool(
    { url, socket: { reconnectStrategy: false } },
    { minimum: 0, maximum: 1, acquireTimeout: 0 },
  );
  await pool.connect();
  await assert.rejects(pool.ping(), /ECONNREFUSED/);
  assert.equal(pool.tasksQueueLength, 0);
  pool.destroy();
  await assert.rejects(createClientPool({ url, socket: { reconnectStrategy: false } }).connect(), /ECONNREFUSED/);
});

test('a pool shows no secrets', () => {
  const pool = createClientPool({ url: 'rediss://user:hunter2@cache.internal' });
  assert.doesNotMatch(`${JSON.stringify(pool)}${JSON.stringify({ ...pool })}`, /hunter2/);
});
