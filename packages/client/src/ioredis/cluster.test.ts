import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { startCluster } from '@redkeep/testing';
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

  test('refuses a scaleReads that it would not follow', () => {
    for (const scaleReads of [() => 0, 'nearest' as 'all'])
      assert.throws(() => new Cluster([1], { scaleReads, lazyConnect: true }), { code: 'REDKEEP_INVALID_OPTION' });
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
