import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { startCluster, waitFor } from '@redkeep/testing';
import { slotOf } from '../cluster/slot.js';
import { Cluster, type ClusterOptions, Redis } from './index.js';

describe('Cluster in the shapes of ioredis', () => {
  test('sends each command to its node, also before it is ready', async () => {
    await using servers = await startCluster();
    const nodes = servers.masters.map(({ port }) => ({ host: '127.0.0.1', port }));
    const options: ClusterOptions = { commandPolicy: 'unrestricted', keyPrefix: 'p:' };
    await using cluster = new Redis.Cluster(nodes, options);
    assert.equal(cluster.status, 'connecting');
    assert.equal(await cluster.set('a', 1), 'OK');
    assert.equal(cluster.status, 'ready');
    await Promise.all(['b', 'c', 'd'].map((key) => cluster.set(key, key)));
    assert.deepEqual(await cluster.mget('a', 'b', 'c'), ['1', 'b', 'c']);

    // One pipeline over all nodes; a transaction in one slot.
    assert.deepEqual(await cluster.pipeline().get('a').incr('b').get('c').exec().then(shape), ['1', 'ERR', 'c']);
    assert.deepEqual(await cluster.multi().set('{t}1', 1).incr('{t}1').exec(), [
      [null, 'OK'],
      [null, 2],
    ]);
    await assert.rejects(cluster.multi().set('a', 1).set('b', 2).exec(), { code: 'REDKEEP_CROSS_SLOT' });

    // A WATCH counts on its own connection.
    await cluster.watch('{t}1');
    await cluster.set('{t}1', 9);
    assert.equal(await cluster.multi().set('{t}1', 10).exec(), null);

    cluster.defineCommand('echo2', { numberOfKeys: 1, lua: 'return {KEYS[1],ARGV[1]}' });
    const scripted = cluster as unknown as { echo2(key: string, value: string): Promise<unknown> };
    for (const key of ['a', 'b', 'c']) assert.deepEqual(await scripted.echo2(key, 'v'), [`p:${key}`, 'v']);
    const pipeline = cluster.pipeline() as unknown as {
      echo2(key: string, value: string): { exec(): Promise<unknown> };
    };
    for (const node of cluster.nodes('master')) await node.script('FLUSH');
    assert.deepEqual(await pipeline.echo2('a', 'v').exec(), [[null, ['p:a', 'v']]]);

    const keys = (await Promise.all(cluster.nodes('master').map((node) => node.keys('*')))).flat();
    assert.ok(keys.includes('p:a') && keys.includes('p:b') && keys.includes('p:c'));
    assert.equal(cluster.slots.length, 16_384);
  });

  test('receives messages of channels, patterns and sharded channels', async () => {
    await using servers = await startCluster();
    await using cluster = new Cluster([{ host: '127.0.0.1', port: servers.masters[0]!.port }]);
    await using subscriber = cluster.duplicate();
    assert.equal(await subscriber.subscribe('news'), 1);
    assert.equal(await subscriber.ssubscribe('shard'), 1);
    const message = once(subscriber, 'message');
    const sharded = once(subscriber, 'smessage');
    await cluster.publish('news', 'hello');
    await cluster.spublish('shard', 'there');
    assert.deepEqual(await message, ['news', 'hello']);
    assert.deepEqual(await sharded, ['shard', 'there']);
  });

  test('goes through the statuses; gives up when clusterRetryStrategy says', async () => {
    await using servers = await startCluster();
    const seen: string[] = [];
    const cluster = new Cluster([servers.masters[0]!.port], { lazyConnect: true });
    for (const event of ['wait', 'connecting', 'connect', 'ready', 'disconnecting', 'close', 'end'])
      cluster.on(event, () => seen.push(event));
    await cluster.connect();
    await cluster.quit();
    await new Promise(setImmediate);
    assert.deepEqual(seen, 'wait connecting connect ready disconnecting close end'.split(' '));

    const lost = new Cluster([{ host: '127.0.0.1', port: 1 }], { clusterRetryStrategy: () => null });
    const failed = once(lost, 'error');
    await assert.rejects(lost.get('key'), { code: 'REDKEEP_NO_NODE' });
    assert.equal((await failed)[0].name, 'ClusterAllFailedError');
    assert.equal(lost.status, 'end');
  });

  test('scaleReads as a function chooses among the nodes that have the keys; writes go to the primary', async () => {
    await using servers = await startCluster({ masters: 1, replicas: 1, config: ['repl-diskless-sync-delay 0'] });
    const [server] = servers.masters;
    // A replica is listed once it has read something.
    await server!.command('SET', 'key', 'value');
    await waitFor(async () => ((await server!.command('CLUSTER', 'SLOTS')) as unknown[][])[0]!.length === 4);
    const asked: { name: string; ports: unknown[]; keys: unknown[] }[] = [];
    let choose: (nodes: Redis[]) => unknown = (nodes) => nodes[1];
    await using cluster = new Cluster([server!.port], {
      redisOptions: { commandPolicy: 'unrestricted' },
      scaleReads: (nodes: Redis[], command: InstanceType<typeof Redis.Command>) => {
        asked.push({ name: command.name, ports: nodes.map(({ options }) => options.port), keys: command.getKeys() });
        return choose(nodes);
      },
    });
    await cluster.set('key', 'value');
    assert.deepEqual(asked, []);
    const [primary, replica] = cluster.slots[slotOf('key')]!.map((address) =>
      cluster.nodes().find(({ options }) => `${options.host}:${options.port}` === address),
    );
    const calls = async (node: Redis) =>
      Number(/cmdstat_get:calls=(\d+)/.exec(await node.info('commandstats'))?.[1] ?? 0);
    const answeredBy = async (choice: typeof choose) => {
      choose = choice;
      const before = [await calls(primary!), await calls(replica!)];
      await waitFor(async () => (await cluster.get('key')) === 'value');
      const after = [await calls(primary!), await calls(replica!)];
      return after.map((count, i) => count > before[i]!);
    };
    assert.deepEqual(await answeredBy((nodes) => nodes[1]), [false, true]);
    assert.deepEqual(await answeredBy((nodes) => [nodes[1]]), [false, true]);
    for (const primaryAnswers of [(nodes: Redis[]) => nodes[0], () => undefined, () => [], () => ({})])
      assert.deepEqual(await answeredBy(primaryAnswers), [true, false]);
    assert.deepEqual(asked[0], {
      name: 'get',
      ports: [primary!.options.port, replica!.options.port],
      keys: ['key'],
    });
    choose = () => {
      throw new Error('no choice');
    };
    await assert.rejects(cluster.get('key'), { message: 'no choice' });
    await assert.rejects(
      cluster
        .pipeline()
        .get('key')
        .exec()
        .then((results) => {
          throw results![0]![0]!;
        }),
      { message: 'no choice' },
    );
    assert.equal(await cluster.set('key', 'value'), 'OK');
  });

  test('refuses a scaleReads that it does not know', () => {
    assert.throws(() => new Cluster([1], { scaleReads: 'nearest' as 'all', lazyConnect: true }), {
      code: 'REDKEEP_INVALID_OPTION',
    });
  });

  test('refuses plaintext beyond this host, and prints no password', () => {
    assert.throws(() => new Cluster([{ host: 'node.example.com', port: 6379 }]), { code: 'REDKEEP_PLAINTEXT_REFUSED' });
    const cluster = new Cluster(['redis://:correct-horse@127.0.0.1:7000'], {
      lazyConnect: true,
      redisOptions: { password: 'battery-staple' },
    });
    for (const text of [
      inspect(cluster, { depth: 9, showHidden: true }),
      JSON.stringify(cluster.options),
      inspect(cluster.options),
    ])
      assert.doesNotMatch(text, /correct-horse|battery-staple/);
  });
});

const shape = (results: [Error | null, unknown][] | null) =>
  results!.map(([error, result]) => (error === null ? result : error.message.slice(0, 3)));
