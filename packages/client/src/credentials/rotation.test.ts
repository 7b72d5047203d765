/**
 * X6: credentials rotate under full load and no command fails. Each rotation gives the user a new password on every server,
 * turns the source, waits until every connection has authenticated anew on the wire, and takes the old password away.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  type Cluster,
  rawCommand,
  type Server,
  startCluster,
  startSentinel,
  startServer,
  waitFor,
} from '@redkeep/testing';
import { createClient, createClientPool, createCluster, createSentinel } from '../index.js';
import { RotatingSource } from '../testing/rotating-source.js';
import { fromCallback } from './from-callback.js';

const TURNS = 10;
const CALLERS = 50;
/** Commands that have to be answered between two turns. */
const COMMANDS_PER_TURN = 500;
const ADMIN = { username: 'admin', password: 'admin-password' };
const RULES = ['~*', '&*', '+@all', '-@admin', '+cluster', '+role'];
const USERS = [
  'user default off',
  `user admin on >${ADMIN.password} ~* &* +@all`,
  `user app on >pw-0 ${RULES.join(' ')}`,
];

type Runner = { incr(key: string): Promise<number>; get(key: string): Promise<unknown> };

/** The connections of user `app`, by id; what blocks on the server cannot be asked anything meanwhile. */
async function connections(server: Server): Promise<{ id: string; blocked: boolean }[]> {
  const list = String(await server.command('CLIENT', 'LIST'));
  return list
    .split('\n')
    .filter((line) => line.includes(' user=app '))
    .map((line) => ({ id: /\bid=(\d+)/.exec(line)![1]!, blocked: /\bflags=\w*b/.test(line) }));
}

/** AUTH as the server counts it; HELLO, with which connections begin, is counted apart. */
async function logins(server: Server): Promise<{ calls: number; failed: number }> {
  const info = String(await server.command('INFO', 'commandstats'));
  const field = (name: string) => Number(new RegExp(`cmdstat_auth:.*?${name}=(\\d+)`).exec(info)?.[1] ?? 0);
  return { calls: field('calls'), failed: field('failed_calls') + field('rejected_calls') };
}

/** Turns the password `TURNS` times while callers run, and counts what failed. */
async function turnUnderLoad(
  t: TestContext,
  name: string,
  source: RotatingSource,
  servers: readonly Server[],
  callers: readonly ((round: number) => Promise<unknown>)[],
): Promise<void> {
  let running = true;
  let commands = 0;
  const failures: unknown[] = [];
  const work = callers.map(async (call) => {
    for (let round = 0; running && failures.length === 0; round++)
      await call(round).then(
        () => commands++,
        (error: unknown) => failures.push(error),
      );
  });
  const before = await Promise.all(servers.map(connections));
  for (let turn = 1; turn <= TURNS && failures.length === 0; turn++) {
    const [old, fresh] = [`pw-${turn - 1}`, `pw-${turn}`];
    for (const server of servers) await server.command('ACL', 'SETUSER', 'app', `>${fresh}`);
    const known = await Promise.all(servers.map(logins));
    source.rotate({ username: 'app', password: fresh });
    for (const [i, server] of servers.entries()) {
      // This function logs in too, once each time it looks.
      let looks = 0;
      const asked = before[i]!.filter(({ blocked }) => !blocked).length;
      await waitFor(
        async () => {
          looks++;
          return (await logins(server)).calls - known[i]!.calls - looks >= asked;
        },
        { message: `AUTH on ${asked} connections` },
      );
      await server.command('ACL', 'SETUSER', 'app', `<${old}`);
      await assert.rejects(rawCommand({ ...server.target, username: 'app', password: old }, ['PING']), /WRONGPASS/);
    }
    const target = commands + COMMANDS_PER_TURN;
    await waitFor(() => commands >= target || failures.length > 0, { message: `${COMMANDS_PER_TURN} more commands` });
  }
  running = false;
  await Promise.all(work);
  assert.deepEqual(failures, []);
  const after = await Promise.all(servers.map(connections));
  for (const [i, all] of before.entries())
    for (const { id } of all)
      assert.ok(
        after[i]!.some((one) => one.id === id),
        'a connection was lost',
      );
  const total = before.flat().length;
  t.diagnostic(`${name}: ${TURNS} turns, ${total} connections, ${commands} commands, ${failures.length} failed`);
}

/** `CALLERS` that count, and afterwards what they counted must be there. */
function counters(runner: Runner): ((round: number) => Promise<unknown>)[] {
  return Array.from({ length: CALLERS }, (_, caller) => (round: number) => {
    const key = `n:${caller}`;
    return round % 4 === 3 ? runner.get(key) : runner.incr(key);
  });
}

test('one connection, blocked commands and subscriptions live through ten turns', async (t) => {
  await using server = await startServer({ users: USERS, admin: ADMIN });
  const source = new RotatingSource({ username: 'app', password: 'pw-0' });
  await using client = createClient({ url: server.url, credentialsProvider: source });
  const errors: Error[] = [];
  let reauthenticated = 0;
  client.on('error', (error) => errors.push(error)).on('reauthenticated', () => reauthenticated++);
  await client.connect();
  await using subscriber = client.duplicate();
  subscriber.on('error', (error) => errors.push(error));
  await subscriber.connect();
  const messages: string[] = [];
  await subscriber.subscribe('news', (message) => messages.push(message));
  const blocked = client.blPop('jobs', 0);
  await waitFor(async () => (await connections(server)).some((one) => one.blocked));
  await turnUnderLoad(t, 'standalone', source, [server], counters(client));
  await client.publish('news', 'still here');
  await waitFor(() => messages.length === 1);
  await client.rPush('jobs', 'work');
  assert.deepEqual(await blocked, { key: 'jobs', element: 'work' });
  assert.deepEqual(errors, []);
  assert.equal(reauthenticated, TURNS);
  assert.equal(client.socketEpoch, 1);
});

test('a pool: shared commands, leases and transactions', async (t) => {
  await using server = await startServer({ users: USERS, admin: ADMIN });
  const source = new RotatingSource({ username: 'app', password: 'pw-0' });
  const pool = createClientPool({ url: server.url, credentialsProvider: source }, { minimum: 4, maximum: 8 });
  const errors: Error[] = [];
  pool.on('error', (error) => errors.push(error));
  await pool.connect();
  try {
    const leases = Array.from({ length: 6 }, (_, i) => () => pool.execute((client) => client.incr(`lease:${i}`)));
    const transactions = Array.from({ length: 6 }, (_, i) => () => pool.multi().incr(`multi:${i}`).get('x').exec());
    await turnUnderLoad(t, 'pool', source, [server], [...counters(pool), ...leases, ...transactions]);
    assert.deepEqual(errors, []);
  } finally {
    await pool.close();
  }
});

/** Nodes name a replica only when it has replicated something, if only a ping. */
async function announceReplicas({ masters }: Cluster): Promise<void> {
  for (const master of masters)
    await waitFor(
      async () => {
        const ranges = (await master.command('CLUSTER', 'SLOTS')) as unknown[][];
        return ranges.every((range) => range.length > 3);
      },
      { message: `${master.url} to name all replicas` },
    );
}

test('a cluster of six nodes, replicas read too', async (t) => {
  await using servers = await startCluster({
    masters: 3,
    replicas: 3,
    users: USERS,
    admin: ADMIN,
    config: { 'repl-ping-replica-period': 1 },
  });
  await announceReplicas(servers);
  const source = new RotatingSource({ username: 'app', password: 'pw-0' });
  const cluster = createCluster({
    rootNodes: servers.masters.map(({ url }) => ({ url })),
    defaults: { credentialsProvider: source },
    useReplicas: true,
  });
  const errors: unknown[] = [];
  cluster.on('error', (error) => errors.push(error)).on('node-error', (error) => errors.push(error));
  await cluster.connect();
  try {
    for (const node of servers.nodes) assert.equal((await connections(node)).length, 1);
    const transactions = Array.from(
      { length: 6 },
      (_, i) => () => cluster.multi().incr(`{${i}}a`).get(`{${i}}b`).exec(),
    );
    await turnUnderLoad(t, 'cluster', source, servers.nodes, [...counters(cluster), ...transactions]);
    assert.deepEqual(errors, []);
  } finally {
    await cluster.close();
  }
});

test('Sentinel: primary and replica', async (t) => {
  await using setup = await startSentinel({ replicas: 1, sentinels: 3, password: ADMIN.password });
  for (const server of setup.servers) await server.command('ACL', 'SETUSER', 'app', 'on', '>pw-0', ...RULES);
  const source = new RotatingSource({ username: 'app', password: 'pw-0' });
  const sentinel = createSentinel({
    name: setup.name,
    sentinelRootNodes: setup.sentinels.map(({ host, port }) => ({ host, port })),
    nodeClientOptions: { url: undefined, tls: false, credentialsProvider: source },
    masterPoolSize: 2,
    replicaPoolSize: 2,
    passthroughClientErrorEvents: true,
  });
  const errors: unknown[] = [];
  sentinel.on('error', (error) => errors.push(error));
  await sentinel.connect();
  try {
    await waitFor(async () => (await connections(setup.replicas[0]!)).length === 2);
    await turnUnderLoad(t, 'sentinel', source, setup.servers, counters(sentinel as unknown as Runner));
    assert.deepEqual(errors, []);
  } finally {
    await sentinel.close();
  }
});

test('a command that blocks for longer than every timeout lives through a turn', async () => {
  await using server = await startServer({ users: USERS, admin: ADMIN });
  const source = new RotatingSource({ username: 'app', password: 'pw-0' });
  await using client = createClient({
    url: server.url,
    credentialsProvider: source,
    commandOptions: { timeout: 200 },
    socket: { socketTimeout: 200 },
  });
  await client.connect();
  const blocked = client.blPop('jobs', 0);
  const waiting = /\bidle=[1-9].* flags=\w*b/;
  await waitFor(async () => (await connections(server)).some((one) => one.blocked));
  await server.command('ACL', 'SETUSER', 'app', '>pw-1', '<pw-0');
  source.rotate({ username: 'app', password: 'pw-1' });
  await waitFor(async () => waiting.test(String(await server.command('CLIENT', 'LIST'))));
  await server.command('RPUSH', 'jobs', 'work');
  assert.deepEqual(await blocked, { key: 'jobs', element: 'work' });
});

test('a source that has newer credentials than those that were refused is asked again', async () => {
  await using server = await startServer({ users: USERS, admin: ADMIN });
  let password = 'pw-before';
  let asked = 0;
  const source = fromCallback(
    () => {
      asked++;
      return { username: 'app', password };
    },
    { refreshIntervalMs: 3_600_000 },
  );
  // It turned between the moment when it was asked and the moment when the server was.
  await source.current();
  password = 'pw-0';
  await using client = createClient({ url: server.url, credentialsProvider: source });
  client.on('error', () => {});
  await client.connect();
  assert.equal(asked, 2);
  // And while the connection lived, without a word.
  await server.command('ACL', 'SETUSER', 'app', '>pw-1', '<pw-0');
  password = 'pw-1';
  await server.command('CLIENT', 'KILL', 'USER', 'app');
  await client.get('n');
  assert.equal(asked, 3);
});

test('a source that only has what was refused ends the client', async () => {
  await using server = await startServer({ users: USERS, admin: ADMIN });
  const source = fromCallback(() => ({ username: 'app', password: 'never right' }));
  const client = createClient({ url: server.url, credentialsProvider: source });
  await assert.rejects(client.connect(), { code: 'REDKEEP_AUTH_FAILED' });
  assert.equal(client.isOpen, false);
});

test('in RESP2 a subscribed connection stays as it is, and later uses what is new', async () => {
  await using server = await startServer({ users: USERS, admin: ADMIN });
  const source = new RotatingSource({ username: 'app', password: 'pw-0' });
  await using client = createClient({ url: server.url, RESP: 2, credentialsProvider: source });
  const errors: Error[] = [];
  client.on('error', (error) => errors.push(error));
  await client.connect();
  const messages: string[] = [];
  await client.subscribe('news', (message) => messages.push(message));
  await server.command('ACL', 'SETUSER', 'app', '>pw-1', '<pw-0');
  source.rotate({ username: 'app', password: 'pw-1' });
  await server.command('PUBLISH', 'news', 'one');
  await waitFor(() => messages.length === 1);
  assert.deepEqual(errors, []);
  await server.command('CLIENT', 'KILL', 'USER', 'app');
  await waitFor(() => client.socketEpoch > 1 && client.isReady);
  await waitFor(async () => {
    await server.command('PUBLISH', 'news', 'two');
    return messages.includes('two');
  });
});
