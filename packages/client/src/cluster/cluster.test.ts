import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Cluster, type Server, startCluster, waitFor } from '@redkeep/testing';
import {
  ClientClosedError,
  type CommandParser,
  CrossSlotError,
  createCluster,
  defineScript,
  ErrorReply,
  MaxCommandRedirectionsError,
  type RedisCluster,
  RootNodesUnavailableError,
  WatchError,
} from '../index.js';
import type { ClusterOptions } from './cluster-options.js';
import { slotOf } from './slot.js';

let servers: Cluster;
before(async () => {
  servers = await startCluster({ masters: 3, replicas: 3 });
  // A server names a replica only once something was replicated to it.
  const cluster = await createCluster({ rootNodes: [{ url: servers.masters[0]!.url }] }).connect();
  await Promise.all(keys.map((key) => cluster.set(key, '')));
  await cluster.close();
  const complete = async (node: Server) =>
    ((await node.command('CLUSTER', 'SLOTS')) as unknown[][]).every((range) => range.length === 4);
  await waitFor(async () => (await Promise.all(servers.nodes.map(complete))).every(Boolean));
});
after(async () => {
  await servers[Symbol.asyncDispose]();
});

type Context = { after(fn: () => unknown): void };

async function open(t: Context, options: Partial<ClusterOptions> = {}): Promise<RedisCluster> {
  const cluster = createCluster({ rootNodes: [{ url: servers.masters[0]!.url }], ...options });
  t.after(() => cluster.isOpen && cluster.destroy());
  return cluster.connect();
}

/** Keys that lie on each of the masters. */
const keys = Array.from({ length: 30 }, (_, i) => `key:${i}`);

const nodeOf = (port: number): Server => servers.nodes.find((node) => node.port === port)!;

describe('a healthy cluster', () => {
  test('keys go to their slots, and topology is known', async (t) => {
    const cluster = await open(t);
    await Promise.all(keys.map((key) => cluster.set(key, key)));
    assert.deepEqual(await Promise.all(keys.map((key) => cluster.get(key))), keys);
    assert.equal(cluster.slots.length, 16_384);
    assert.equal(cluster.masters.length, 3);
    assert.equal(cluster.replicas.length, 3);
    assert.equal(cluster.nodeByAddress.size, 6);
    assert.equal((await cluster.nodeClient(cluster.masters[0]!)).isReady, true);
  });

  test('a script runs once, whatever it answers after it has written', async (t) => {
    const cluster = await open(t);
    const slot = slotOf('{script}');
    const { address } = cluster.nodeByAddress.values().next().value!;
    const answers = [
      'TRYAGAIN later',
      'CLUSTERDOWN no node was free',
      'READONLY the account is read only',
      'LOADING the basket',
      'MASTERDOWN at the moment',
      'UNBLOCKED by hand',
      'MOVED house',
      `MOVED ${(slot + 1) % 16_384} ${address}`,
      'ASK again',
      `ASK ${(slot + 1) % 16_384} ${address}`,
    ];
    for (const answer of answers) {
      const script = "redis.call('INCR', KEYS[1]) return redis.error_reply(ARGV[1])";
      const run = { keys: [`{script}${answer}`], arguments: [answer] };
      await assert.rejects(cluster.eval(script, run), ErrorReply, answer);
      assert.equal(await cluster.get(run.keys[0]!), '1', answer);
      const undeclared = `redis.call('PUBLISH', 'c', '') return redis.error_reply('MOVED ${slot} ${address}')`;
      await assert.rejects(cluster.eval(undeclared, { keys: [] }), /MOVED/);
    }
  });

  test('who ends a wait by CLIENT UNBLOCK ends it for good', async (t) => {
    const cluster = await open(t);
    const ended = assert.rejects(cluster.blPop('waits', 0), /UNBLOCKED/);
    const node = nodeOf(cluster.slots[slotOf('waits')]!.master.port);
    await waitFor(async () => {
      const waiting = /^id=(\d+) .* cmd=blpop/m.exec(String(await node.command('CLIENT', 'LIST')));
      return waiting !== null && (await node.command('CLIENT', 'UNBLOCK', waiting[1]!, 'ERROR')) === 1;
    });
    await ended;
  });

  test('MGET, MSET, DEL, UNLINK, EXISTS and TOUCH are split and merged', async (t) => {
    const cluster = await open(t);
    const pairs = keys.map((key) => [`split:${key}`, key] as [string, string]);
    const names = pairs.map(([name]) => name);
    assert.equal(await cluster.mSet(pairs), 'OK');
    assert.deepEqual(await cluster.mGet([...names, 'split:none']), [...keys, null]);
    assert.deepEqual(await cluster.sendCommand(undefined, true, ['MGET', names[3]!, names[1]!]), [keys[3], keys[1]]);
    assert.equal(await cluster.exists(names), 30);
    assert.equal(await cluster.touch(names), 30);
    assert.equal(await cluster.del(names.slice(0, 10)), 10);
    assert.equal(await cluster.unlink(names), 20);
  });

  test('other commands on several slots are refused before they are sent', async (t) => {
    const cluster = await open(t);
    await assert.rejects(cluster.rename('key:1', 'key:2'), CrossSlotError);
    await assert.rejects(cluster.multi().set('key:1', 'a').set('key:2', 'b').exec(), CrossSlotError);
  });

  test('sendCommand takes the key of commands nobody knows', async (t) => {
    const cluster = await open(t);
    assert.equal(await cluster.sendCommand(undefined, true, ['PING']), 'PONG');
    assert.equal(await cluster.sendCommand(['SET', 'raw', '1']), 'OK');
    await assert.rejects(cluster.sendCommand('key', false, ['DEFINITELY.NOT', 'key']), /unknown command/);
  });

  test('transactions run on the slot of their keys', async (t) => {
    const cluster = await open(t);
    assert.deepEqual(await cluster.multi().set('{t}a', '1').incr('{t}a').get('{t}a').exec(), ['OK', 2, '2']);
    assert.deepEqual(await cluster.multi().set('key:1', 'a').set('key:2', 'b').execAsPipeline(), ['OK', 'OK']);
  });

  test('WATCH and MULTI share one borrowed connection', async (t) => {
    const cluster = await open(t);
    const attempt = (between: () => Promise<unknown>) =>
      cluster.execute('watched', async (client) => {
        await client.watch('watched');
        await between();
        return client.multi().set('watched', 'mine').exec();
      });
    assert.deepEqual(await attempt(async () => {}), ['OK']);
    await assert.rejects(
      attempt(() => cluster.set('watched', 'theirs')),
      WatchError,
    );
    assert.equal(await cluster.get('watched'), 'theirs');
  });

  test('SCAN goes over all masters behind one cursor', async (t) => {
    const cluster = await open(t);
    const wanted = new Set(keys.map((key) => `scan:${key}`));
    await Promise.all([...wanted].map((key) => cluster.set(key, '')));
    const found = new Set<string>();
    for await (const page of cluster.scanIterator({ MATCH: 'scan:*', COUNT: 7 }))
      for (const key of page) found.add(key);
    assert.deepEqual(found, wanted);
    await assert.rejects(cluster.sendCommand(['SCAN', '123456']), /unknown cursor/);
  });

  test('DBSIZE and SCRIPT concern every master', async (t) => {
    const cluster = await open(t);
    const sizes = await Promise.all(servers.masters.map(async (node) => Number(await node.command('DBSIZE'))));
    assert.equal(
      await cluster.sendCommand(['DBSIZE']),
      sizes.reduce((a, b) => a + b),
    );
    const sha = await cluster.sendCommand<string>(['SCRIPT', 'LOAD', 'return 42']);
    assert.deepEqual(await cluster.sendCommand(['SCRIPT', 'EXISTS', sha]), [1]);
  });

  test('reads can run on replicas, writes never do', async (t) => {
    const cluster = await open(t, { useReplicas: true });
    await cluster.set('replicated', '1');
    const shard = cluster.slots[slotOf('replicated')]!;
    const replica = nodeOf(shard.replicas[0]!.port);
    const reads = async () =>
      Number(/cmdstat_get:calls=(\d+)/.exec(String(await replica.command('INFO', 'commandstats')))?.[1] ?? 0);
    const before = await reads();
    await waitFor(async () => {
      await Promise.all(Array.from({ length: 4 }, () => cluster.get('replicated')));
      return (await reads()) > before;
    });
  });

  test('without rootNodes that answer, connect rejects with the reason', async () => {
    assert.throws(() => createCluster({ rootNodes: [] }), { code: 'REDKEEP_INVALID_OPTION', option: 'rootNodes' });
    const cluster = createCluster({ rootNodes: [{ socket: { host: '127.0.0.1', port: 1, tls: false } }] });
    await assert.rejects(cluster.connect(), (error) => {
      assert.ok(error instanceof RootNodesUnavailableError);
      assert.match(String(error.cause), /ECONNREFUSED/);
      return true;
    });
    assert.equal(cluster.isOpen, false);
    await assert.rejects(cluster.get('key'), ClientClosedError);
  });

  test('minimizeConnections connects on first use', async (t) => {
    const cluster = await open(t, { minimizeConnections: true });
    for (const master of cluster.masters) assert.equal(master.client, undefined);
    assert.equal(await cluster.set('lazy', '1'), 'OK');
    assert.equal(cluster.masters.filter((master) => master.client !== undefined).length, 1);
  });

  test('close finishes what is in flight', async (t) => {
    const cluster = await open(t);
    const answers = keys.map((key) => cluster.set(key, key));
    await cluster.close();
    assert.ok((await Promise.all(answers)).every((answer) => answer === 'OK'));
    assert.equal(cluster.isOpen, false);
  });
});

test('scripts are methods', async (t) => {
  const double = defineScript({
    SCRIPT: 'return redis.call("GET", KEYS[1]) * 2',
    NUMBER_OF_KEYS: 1,
    parseCommand(parser: CommandParser, key: string) {
      parser.pushKey(key);
    },
    transformReply: (reply: number) => reply,
  });
  const cluster = createCluster({ rootNodes: [{ url: servers.masters[0]!.url }], scripts: { double } });
  t.after(() => cluster.destroy());
  await cluster.connect();
  await Promise.all(keys.map((key) => cluster.set(key, '21')));
  assert.deepEqual(
    await Promise.all(keys.map((key) => cluster.double(key))),
    keys.map(() => 42),
  );
  const [key] = keys as [string];
  assert.deepEqual(await cluster.multi().get(key).double(key).exec(), ['21', 42]);
  assert.equal(await cluster.execute(key, (client) => client.double(key)), 42);
  assert.equal(await (await cluster.getNodeClientForKey(key)).double(key), 42);
});

describe('slots on the move', () => {
  test('ASK, TRYAGAIN and MOVED are followed, transactions and splits included', async (t) => {
    const cluster = await open(t);
    const key = '{moving}a';
    const slot = slotOf(key);
    const from = nodeOf(cluster.slots[slot]!.master.port);
    const to = servers.masters.find((node) => node !== from)!;
    const [fromId, toId] = await Promise.all([from.command('CLUSTER', 'MYID'), to.command('CLUSTER', 'MYID')]);
    await cluster.set(key, 'value');
    await to.command('CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', String(fromId));
    await from.command('CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', String(toId));
    assert.equal(await cluster.get(key), 'value');
    assert.equal(await cluster.set('{moving}new', 'asked'), 'OK');
    assert.equal(await to.command('CLUSTER', 'COUNTKEYSINSLOT', String(slot)), 1);
    // One key on each side: TRYAGAIN until the other has moved.
    const both = cluster.mGet([key, '{moving}new']);
    await from.command('MIGRATE', '127.0.0.1', String(to.port), key, '0', '1000');
    assert.deepEqual(await both, ['value', 'asked']);
    assert.equal(await cluster.get(key), 'value');
    assert.deepEqual(await cluster.multi().get(key).append(key, '!').exec(), ['value', 6]);
    for (const node of servers.masters) await node.command('CLUSTER', 'SETSLOT', String(slot), 'NODE', String(toId));
    assert.equal(await cluster.get(key), 'value!');
    assert.deepEqual(await cluster.multi().get(key).exec(), ['value!']);
    assert.equal(cluster.slots[slot]!.master.port, to.port);
  });

  test('nodes that point at each other end in an error', async (t) => {
    const cluster = await open(t, { maxCommandRedirections: 3, topologyRefreshIntervalMs: 0 });
    const key = 'looping';
    const slot = slotOf(key);
    const owner = nodeOf(cluster.slots[slot]!.master.port);
    const other = servers.masters.find((node) => node !== owner)!;
    const [ownerId, otherId] = await Promise.all([owner.command('CLUSTER', 'MYID'), other.command('CLUSTER', 'MYID')]);
    // Each node names the other as owner until gossip settles it; ask before that.
    await Promise.all([
      owner.command('CLUSTER', 'SETSLOT', String(slot), 'NODE', String(otherId)),
      other.command('CLUSTER', 'SETSLOT', String(slot), 'NODE', String(ownerId)),
    ]);
    try {
      await assert.rejects(cluster.get(key), MaxCommandRedirectionsError);
    } finally {
      for (const node of servers.masters)
        await node.command('CLUSTER', 'SETSLOT', String(slot), 'NODE', String(ownerId));
    }
  });
});

describe('subscriptions', () => {
  test('messages arrive from every node', async (t) => {
    const cluster = await open(t);
    const received = new Set<string>();
    await cluster.subscribe('news', (message) => received.add(String(message)));
    await waitFor(async () => {
      for (const node of servers.masters) await node.command('PUBLISH', 'news', String(node.port));
      return received.size === 3;
    });
    await cluster.unsubscribe('news');
    assert.equal(cluster.pubSubNode, undefined);
  });

  test('a connection for them stands for as long as there are any', async (t) => {
    const cluster = await open(t);
    const subscribers = async () => {
      const lists = await Promise.all(servers.masters.map((node) => node.command('CLIENT', 'LIST', 'TYPE', 'pubsub')));
      return lists.flatMap((list) => String(list).split('\n')).filter((line) => line.startsWith('id=')).length;
    };
    await cluster.unsubscribe('none');
    assert.equal(await subscribers(), 0);
    const listener = () => {};
    await Promise.all([cluster.subscribe('a', listener), cluster.PSUBSCRIBE('b*', listener)]);
    assert.equal(await subscribers(), 1);
    await cluster.sSubscribe('s', listener);
    assert.equal(await subscribers(), 2);
    await cluster.unsubscribe('a', listener);
    assert.notEqual(cluster.pubSubNode, undefined);
    await Promise.all([cluster.pUnsubscribe('b*', listener), cluster.sUnsubscribe('s', listener)]);
    await waitFor(async () => (await subscribers()) === 0);
  });

  test('sharded channels follow their slot', async (t) => {
    const cluster = await open(t);
    const received: string[] = [];
    await cluster.sSubscribe(['shard:a', 'shard:b', 'shard:c'], (message, channel) =>
      received.push(`${channel} ${message}`),
    );
    for (const channel of ['shard:a', 'shard:b', 'shard:c']) await cluster.sendCommand(['SPUBLISH', channel, '1']);
    await waitFor(() => received.length === 3);
    const slot = slotOf('shard:a');
    const from = nodeOf(cluster.slots[slot]!.master.port);
    const to = servers.masters.find((node) => node !== from)!;
    const id = String(await to.command('CLUSTER', 'MYID'));
    for (const node of [to, from, ...servers.masters])
      await node.command('CLUSTER', 'SETSLOT', String(slot), 'NODE', id);
    await waitFor(async () => {
      await cluster.sendCommand(['SPUBLISH', 'shard:a', 'moved']);
      return received.includes('shard:a moved');
    });
    await cluster.sUnsubscribe('shard:a');
  });
});

describe('nodes that fail', () => {
  test('a node that restarts with its slots unchanged goes on, scripts included', async (t) => {
    const five = defineScript({
      SCRIPT: 'return 5',
      NUMBER_OF_KEYS: 1,
      parseCommand(parser: CommandParser, key: string) {
        parser.pushKey(key);
      },
      transformReply: (reply: number) => reply,
    });
    const cluster = createCluster({
      rootNodes: [{ url: servers.masters[0]!.url }],
      commandOptions: { timeout: 20_000 },
      scripts: { five },
    });
    t.after(() => cluster.isOpen && cluster.destroy());
    await cluster.connect();
    const key = 'restarted';
    assert.equal(await cluster.five(key), 5);
    const { master } = cluster.slots[slotOf(key)]!;
    const server = nodeOf(master.port);
    await server.kill();
    await server.start();
    await servers.settled();
    assert.equal(await cluster.set(key, 'v'), 'OK');
    assert.equal(await cluster.five(key), 5);
    assert.equal(cluster.slots[slotOf(key)]!.master.port, master.port);
  });

  test('only connections to replicas read as such, also when the roles change', async (t) => {
    const cluster = await open(t, { useReplicas: true, defaults: { name: 'roles' }, topologyRefreshIntervalMs: 50 });
    const readsAsReplica = async (node: Server) =>
      /name=roles .*?flags=(\S+)/.exec(String(await node.command('CLIENT', 'LIST')))?.[1]?.includes('r');
    const promote = async (node: Server) => {
      await waitFor(async () => ((await node.command('ROLE')) as unknown[])[3] === 'connected');
      await node.command('CLUSTER', 'FAILOVER', 'TAKEOVER');
    };
    const rolesAre = (master: number, replica: number) =>
      waitFor(async () => {
        await cluster.get('k');
        const shard = cluster.slots[slotOf('k')]!;
        return (
          shard.master.port === master &&
          shard.replicas[0]?.port === replica &&
          (await readsAsReplica(nodeOf(master))) === false &&
          (await readsAsReplica(nodeOf(replica))) === true
        );
      });
    const { master, replicas } = cluster.slots[slotOf('k')]!;
    const [first, second] = [master.port, replicas[0]!.port];
    await rolesAre(first, second);
    await promote(nodeOf(second));
    await rolesAre(second, first);
    // The mode outlives a connection.
    for (const port of [first, second]) await nodeOf(port).command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await rolesAre(second, first);
    await promote(nodeOf(first));
    await rolesAre(first, second);
  });

  test('a killed master: what was not sent waits for the new one', async (t) => {
    const cluster = await open(t, { commandOptions: { timeout: 20_000 } });
    const key = 'survivor';
    await cluster.set(key, 'before');
    const slot = slotOf(key);
    const master = nodeOf(cluster.slots[slot]!.master.port);
    await waitFor(async () => (await master.info('replication'))['connected_slaves'] !== '0');
    await master.kill();
    // A read is repeated; a write that was not sent waits.
    await waitFor(() => cluster.slots[slot]!.master.client?.isReady !== true);
    const [read, write] = await Promise.all([cluster.get(key), cluster.set(`{${key}}2`, 'after')]);
    assert.equal(read, 'before');
    assert.equal(write, 'OK');
    assert.notEqual(cluster.slots[slot]!.master.port, master.port);
    await master.start();
    await servers.settled();
  });
});
