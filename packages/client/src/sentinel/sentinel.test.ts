import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type SentinelSetup, startScriptedServer, startSentinel, waitFor } from '@redkeep/testing';
import {
  type CommandParser,
  createSentinel,
  defineScript,
  RESP_TYPES,
  RedirectRefusedError,
  type RedisSentinel,
  RootNodesUnavailableError,
  ScanIteratorInterruptedError,
  WatchError,
} from '../index.js';
import type { SentinelClientError, SentinelEvent } from './sentinel-core.js';
import type { SentinelOptions } from './sentinel-options.js';

let setup: SentinelSetup;
before(async () => {
  setup = await startSentinel({ replicas: 1, sentinels: 3, tls: true, password: 'data', sentinelPassword: 'watch' });
});
after(async () => {
  await setup[Symbol.asyncDispose]();
});

type Context = { after(fn: () => unknown): void };
function options(more: Partial<SentinelOptions> = {}): SentinelOptions {
  return {
    name: setup.name,
    sentinelRootNodes: [{ host: '127.0.0.1', port: setup.sentinels[0]!.tlsPort }],
    nodeClientOptions: { password: 'data', tls: { ca: setup.primary.pki!.ca } },
    sentinelClientOptions: { password: 'watch', tls: { ca: setup.sentinels[0]!.pki!.ca } },
    ...more,
  };
}
async function open(t: Context, more: Partial<SentinelOptions> = {}): Promise<RedisSentinel> {
  const client = createSentinel(options(more));
  t.after(() => client.destroy());
  return client.connect();
}

test('commands and transactions run on the master, over TLS, with credentials of their own', async (t) => {
  const client = await open(t);
  assert.equal(client.getMasterNode()?.port, setup.primary.tlsPort);
  assert.equal(await client.set('s:a', '1'), 'OK');
  assert.deepEqual(await client.multi().incr('s:a').get('s:a').exec(), [2, '2']);
  assert.equal(await client.sendCommand(false, ['GET', 's:a']), '2');
  assert.deepEqual(
    await client.use(async (lent) => {
      await lent.watch('s:a');
      return lent.multi().get('s:a').exec();
    }),
    ['2'],
  );
  const lease = await client.acquire();
  assert.equal(await lease.ping(), 'PONG');
  await lease.release();
});

test('scripts and type mappings are there in transactions and on what is borrowed', async (t) => {
  const twice = defineScript({
    SCRIPT: 'return redis.call("GET", KEYS[1]) * 2',
    NUMBER_OF_KEYS: 1,
    parseCommand(parser: CommandParser, key: string) {
      parser.pushKey(key);
    },
    transformReply: (reply: number) => reply,
  });
  const client = createSentinel({ ...options(), scripts: { twice } });
  t.after(() => client.destroy());
  await client.connect();
  await client.set('s:n', '21');
  assert.deepEqual(await client.multi().get('s:n').twice('s:n').exec(), ['21', 42]);
  assert.equal(await client.use((lent) => lent.twice('s:n')), 42);
  const bytes = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  assert.deepEqual(await bytes.use((lent) => lent.get('s:n')), Buffer.from('21'));
  const lease = await bytes.acquire();
  assert.deepEqual(await lease.get('s:n'), Buffer.from('21'));
  await lease.release();
  assert.equal(client.commandOptions.timeout, 5000);
  assert.equal(bytes.commandOptions.typeMapping?.[RESP_TYPES.BLOB_STRING], Buffer);
});

test('keys are iterated until the master changes', async (t) => {
  const client = await open(t);
  const wanted = new Set(Array.from({ length: 40 }, (_, i) => `scan:${i}`));
  for (const key of wanted) await client.set(key, '');
  const before = client.listenerCount('topology-change');
  const found = new Set<string>();
  for await (const page of client.scanIterator({ MATCH: 'scan:*', COUNT: 5 })) for (const key of page) found.add(key);
  assert.deepEqual(found, wanted);
  const pages = client.scanIterator({ MATCH: 'scan:*', COUNT: 5 });
  assert.equal((await pages.next()).done, false);
  client.emit('topology-change', { type: 'MASTER_CHANGE', node: { host: '127.0.0.1', port: 1 } });
  await assert.rejects(pages.next(), ScanIteratorInterruptedError);
  assert.equal(client.listenerCount('topology-change'), before);
});

test('reads go to replicas when they have connections', async (t) => {
  const client = await open(t, { replicaPoolSize: 1 });
  assert.equal(client.getReplicaNodes().size, 1, 'connect waits for a replica to read from');
  await client.set('s:read', '1');
  const replica = setup.replicas[0]!;
  const calls = async () =>
    Number(/cmdstat_get:calls=(\d+)/.exec(String(await replica.command('INFO', 'commandstats')))?.[1] ?? 0);
  const before = await calls();
  await waitFor(async () => {
    await client.get('s:read');
    return (await calls()) > before;
  });
});

test('sentinels in plaintext are refused when data connections use TLS', () => {
  assert.throws(() => createSentinel(options({ sentinelClientOptions: { tls: false } })), /sentinelClientOptions.tls/);
});

test('without a sentinel that answers, connect rejects with the reason', async () => {
  const gone = createSentinel({ ...options(), sentinelRootNodes: [{ host: '127.0.0.1', port: 1 }] });
  await assert.rejects(gone.connect(), RootNodesUnavailableError);
  assert.equal(gone.isOpen, false);
});

const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;
function masterReply(host: string, port: number, epoch = 1): string {
  const words = ['ip', host, 'port', String(port), 'flags', 'master', 'config-epoch', String(epoch)];
  return `*${words.length}\r\n${words.map(bulk).join('')}`;
}

test('a sentinel cannot lead to a foreign host', async (t) => {
  await using sentinel = await startScriptedServer({
    onCommand: (command) => (command[1] === 'MASTER' ? masterReply('192.0.2.1', 6379) : '*0\r\n'),
  });
  const client = createSentinel({
    name: 'm',
    sentinelRootNodes: [{ host: '127.0.0.1', port: sentinel.port }],
    nodeClientOptions: { tls: false, password: 'hunter2', socket: { reconnectStrategy: false } },
  });
  t.after(() => client.destroy());
  await assert.rejects(client.connect(), RedirectRefusedError);
  assert.ok(!JSON.stringify(sentinel.received).includes('hunter2'));
});

test('an old master that still answers, now as a replica, is not taken for the master', async (t) => {
  const hello = (role: string) => `%2\r\n${bulk('proto')}:3\r\n${bulk('role')}${bulk(role)}`;
  const server = (role: string) =>
    startScriptedServer({
      handshake: 'none',
      onCommand: (command) => (command[0] === 'HELLO' ? hello(role) : command[0] === 'GET' ? bulk(role) : '+OK\r\n'),
    });
  await using old = await server('replica');
  await using fresh = await server('master');
  let port = old.port;
  await using sentinel = await startScriptedServer({
    onCommand: (command) => (command[1] === 'MASTER' ? masterReply('127.0.0.1', port) : '*0\r\n'),
  });
  const client = createSentinel({
    name: 'm',
    sentinelRootNodes: [{ host: '127.0.0.1', port: sentinel.port }],
    nodeClientOptions: { tls: false },
  });
  t.after(() => client.destroy());
  const connected = client.connect();
  await old.waitForCommand('HELLO', 2);
  port = fresh.port;
  await connected;
  assert.equal(await client.get('k'), 'master');
  assert.ok(!old.received.some(([name]) => name === 'GET'));
  // Demoted under the client: the write has not run, and waits for the next master.
  fresh.reply('SET', "-READONLY You can't write against a read only replica.\r\n");
  assert.equal(await client.set('k', 'v'), 'OK');
});

test('the answer with the highest epoch is used', async (t) => {
  await using stale = await startScriptedServer({
    onCommand: (command) => (command[1] === 'MASTER' ? masterReply('127.0.0.1', 1, 3) : '*0\r\n'),
  });
  await using master = await startScriptedServer({
    handshake: 'resp2',
    onCommand: (command) => (command[0] === 'ROLE' ? `*3\r\n${bulk('master')}:0\r\n*0\r\n` : '+OK\r\n'),
  });
  await using current = await startScriptedServer({
    onCommand: (command) => (command[1] === 'MASTER' ? masterReply('127.0.0.1', master.port, 7) : '*0\r\n'),
  });
  const client = createSentinel({
    name: 'm',
    sentinelRootNodes: [stale, current].map(({ port }) => ({ host: '127.0.0.1', port })),
    nodeClientOptions: { tls: false },
  });
  t.after(() => client.destroy());
  await client.connect();
  assert.equal(client.getMasterNode()?.port, master.port);
  assert.equal(await client.set('k', 'v'), 'OK');
});

test('a sentinel that does not answer holds nobody up; what it says later counts if its epoch is higher', async (t) => {
  const server = (id: string) =>
    startScriptedServer({
      handshake: 'resp2',
      onCommand: ([name]) => (name === 'ROLE' ? `*3\r\n${bulk('master')}:0\r\n*0\r\n` : bulk(id)),
    });
  await using before = await server('before');
  await using after = await server('after');
  const leading = (port: number, epoch: number, when?: Promise<void>) =>
    startScriptedServer({
      onCommand: async ([, what]) => {
        if (what !== 'MASTER') return '*0\r\n';
        await when;
        return masterReply('127.0.0.1', port, epoch);
      },
    });
  let release!: () => void;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  await using first = await leading(before.port, 3);
  await using second = await leading(before.port, 3);
  await using late = await leading(after.port, 7, released);
  const client = createSentinel({
    name: 'm',
    sentinelRootNodes: [first, late, second].map(({ port }) => ({ host: '127.0.0.1', port })),
    nodeClientOptions: { tls: false },
    scanInterval: 0,
  });
  t.after(() => client.destroy());
  await client.connect();
  assert.equal(await client.get('k'), 'before');
  release();
  await waitFor(async () => (await client.get('k')) === 'after');
});

test('a seed in plaintext on another host is refused, whichever it is', () => {
  assert.throws(
    () =>
      createSentinel({
        name: 'm',
        sentinelRootNodes: ['127.0.0.1', '192.0.2.1'].map((host) => ({ host, port: 26_379 })),
        nodeClientOptions: { tls: false },
      }),
    { code: 'REDKEEP_PLAINTEXT_REFUSED' },
  );
});

test('a planned handover: what the old master held back runs on the new one, once and in its order', async (t) => {
  const client = await open(t, { commandOptions: { timeout: 30_000 } });
  const old = await setup.currentPrimary();
  await waitFor(async () => /state=online/.test(String(await old.command('INFO', 'replication'))));
  const blocked = client.blPop('s:wanted', 60);
  await waitFor(async () => /cmd=blpop/.test(String(await old.command('CLIENT', 'LIST'))));
  await old.command('CLIENT', 'PAUSE', '60000', 'WRITE');
  const script = "return redis.call('RPUSH', KEYS[1], '3')";
  const held = [
    client.rPush('s:list', '1'),
    client.multi().rPush('s:list', '2').exec(),
    client.eval(script, { keys: ['s:list'] }),
    client.rPush('s:list', '4'),
  ];
  await waitFor(async () => {
    await setup.sentinels[0]!.command('SENTINEL', 'FAILOVER', setup.name);
    return true;
  });
  const fresh = await setup.failedOver(old);
  // The sentinels tell before the old master knows: what it holds back is not lost with the connection.
  await waitFor(() => client.getMasterNode()?.port === fresh.tlsPort);
  const late = client.rPush('s:list', '5');
  await old.command('REPLICAOF', '127.0.0.1', String(fresh.tlsPort));
  await old.command('CLIENT', 'UNPAUSE');
  assert.deepEqual(await Promise.all([...held, late]), [1, [2], 3, 4, 5]);
  assert.deepEqual(await client.lRange('s:list', 0, -1), ['1', '2', '3', '4', '5']);
  await client.rPush('s:wanted', 'found');
  assert.deepEqual(await blocked, { key: 's:wanted', element: 'found' });
  await waitFor(async () => (await old.info('replication'))['master_link_status'] === 'up');
});

test('a failover: commands and subscriptions go on with the new master', async (t) => {
  const client = await open(t, { commandOptions: { timeout: 30_000 } });
  const events: SentinelEvent[] = [];
  client.on('topology-change', (event) => events.push(event));
  const failed: SentinelClientError[] = [];
  client.on('client-error', (event) => failed.push(event));
  const received: string[] = [];
  await client.subscribe('news', (message) => received.push(String(message)));
  const watcher = createSentinel(options({ commandOptions: { timeout: 30_000 } }));
  t.after(() => watcher.destroy());
  await watcher.connect();
  const watching = await watcher.acquire();
  await watching.watch('s:kept');
  await client.set('s:kept', '1');
  const old = await setup.currentPrimary();
  await waitFor(async () => Number((await old.info('replication'))['connected_slaves']) === 1);
  await old.kill();
  const fresh = await setup.failedOver(old);
  assert.equal(await client.set('s:after', '1'), 'OK');
  assert.equal(client.getMasterNode()?.port, fresh.tlsPort);
  assert.ok(events.some((event) => event.type === 'MASTER_CHANGE'));
  assert.ok(failed.some(({ type, node }) => type === 'MASTER' && node.port > 0));
  await waitFor(() => watcher.getMasterNode()?.port === fresh.tlsPort);
  await assert.rejects(watching.multi().get('s:kept').exec(), WatchError);
  await waitFor(async () => {
    await fresh.command('PUBLISH', 'news', 'hello');
    return received.includes('hello');
  });
});
