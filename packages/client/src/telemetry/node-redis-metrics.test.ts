import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { AggregationTemporality, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { startServer, waitFor } from '@redkeep/testing';
import { createClient, createClientPool, OpenTelemetry } from '../index.js';
import { Redis } from '../ioredis/index.js';
import { MAX_NAMES, METRIC_GROUPS } from './node-redis-metrics.js';

class Reader extends MetricReader {
  constructor() {
    super({ aggregationTemporalitySelector: () => AggregationTemporality.CUMULATIVE });
  }
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

type Point = Record<string, unknown> & { value: number };
/** node-redis's metrics of all groups, until the block ends; returns the points of a metric. */
function measured(options: object = {}) {
  const reader = new Reader();
  const meterProvider = new MeterProvider({ readers: [reader], views: [] });
  const stop = OpenTelemetry.init({
    metrics: { enabled: true, meterProvider, enabledMetricGroups: METRIC_GROUPS, ...options },
  });
  return {
    points: async (name: string): Promise<Point[]> => {
      const { resourceMetrics } = await reader.collect();
      const all = resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics);
      return all
        .filter(({ descriptor }) => descriptor.name.startsWith(name))
        .flatMap(({ dataPoints }) =>
          dataPoints.map(({ attributes, value }) => ({
            ...attributes,
            value: typeof value === 'number' ? value : value.count,
          })),
        );
    },
    [Symbol.dispose]: stop,
  };
}
const sum = (points: readonly Point[]) => points.reduce((all, { value }) => all + value, 0);
const COUNT = 'redis.client.connection.count';
const POOL = 'db.client.connection.pool.name';
const PARENT = 'redis.client.parent.id';

test('clients that are older are counted, and closed ones are 0; a name is used again', async () => {
  await using server = await startServer();
  const url = server.url;
  const client = await createClient({ url }).connect();
  const pool = await createClientPool({ url }, { minimum: 2, maximum: 2 }).connect();
  const redis = new Redis({ port: server.port, host: '127.0.0.1' });
  await once(redis, 'ready');
  using metrics = measured();
  const before = await metrics.points(COUNT);
  assert.equal(sum(before), 4);
  assert.equal(new Set(before.map((point) => point[POOL])).size, 4);
  assert.equal(new Set(before.map((point) => point[PARENT]).filter((id) => id !== undefined)).size, 1);
  await Promise.all([client.close(), pool.close(), redis.quit()]);
  await waitFor(async () => sum(await metrics.points(COUNT)) === 0);
  for (let i = 0; i < 20; i++) {
    await using again = await createClient({ url }).connect();
    assert.equal(await again.ping(), 'PONG');
    assert.equal(sum(await metrics.points(COUNT)), 1);
  }
  assert.equal((await metrics.points(COUNT)).length, 4);
});

test('no attribute has a key, a value, a channel, a group, a password or a word of a script', async () => {
  await using server = await startServer({ password: 'c4nary' });
  using metrics = measured();
  await using client = await createClient({
    url: server.url,
    password: 'c4nary',
    commandPolicy: 'unrestricted',
  }).connect();
  await using subscriber = await client.duplicate().connect();
  let messages = 0;
  await subscriber.subscribe('c4nary', () => void messages++);
  await client.publish('c4nary', 'c4nary');
  await waitFor(() => messages === 1);
  await client.set('c4nary', 'c4nary');
  await client.xAdd('c4nary:stream', '*', { c4nary: 'c4nary' });
  await client.xGroupCreate('c4nary:stream', 'c4nary', '0');
  await client.xReadGroup('c4nary', 'c4nary', { key: 'c4nary:stream', id: '>' });
  await assert.rejects(client.incr('c4nary'));
  await assert.rejects(client.eval("return redis.error_reply('C4NARY c4nary')"));
  await assert.rejects(client.sendCommand(['C4NARY', 'c4nary']));
  await using wrong = createClient({ url: server.url, password: 'c4nary-wrong', socket: { reconnectStrategy: false } });
  await assert.rejects(wrong.connect());
  const all = await metrics.points('');
  assert.ok(all.length > 10);
  assert.ok(!/c4nary/i.test(JSON.stringify(all)), JSON.stringify(all));
  assert.ok(all.some((point) => point['redis.client.errors.category'] === 'auth'));
  assert.equal(sum(await metrics.points('redis.client.stream.lag')), 1);
});

test('names of channels are shown when asked for, up to a bound', async () => {
  await using server = await startServer();
  using metrics = measured({ hidePubSubChannelNames: false, enabledMetricGroups: ['pubsub'] });
  await using client = await createClient({ url: server.url }).connect();
  await Promise.all(Array.from({ length: MAX_NAMES + 200 }, (_, i) => client.publish(`news:${i}`, '')));
  const points = await metrics.points('redis.client.pubsub.messages');
  assert.equal(sum(points), MAX_NAMES + 200);
  assert.equal(new Set(points.map((point) => point['redis.client.pubsub.channel'])).size, MAX_NAMES + 1);
});

test("a meter that throws ends neither commands nor the process; node-redis's own events are not counted", async () => {
  await using server = await startServer();
  await using client = await createClient({ url: server.url }).connect();
  const fail = () => {
    throw new Error('the SDK failed');
  };
  const instrument = () => ({ add: fail, record: fail, addCallback() {}, removeCallback() {} });
  const meter = {
    createCounter: instrument,
    createHistogram: instrument,
    createUpDownCounter: instrument,
    createObservableGauge: instrument,
    createObservableUpDownCounter: instrument,
  };
  const warned = once(process, 'warning');
  const stop = OpenTelemetry.init({
    metrics: { enabled: true, enabledMetricGroups: METRIC_GROUPS, meterProvider: { getMeter: () => meter } },
  });
  await client.set('key', 'value');
  await assert.rejects(client.incr('key'));
  assert.equal((await warned)[0].code, 'REDKEEP_CALLBACK_FAILED');
  stop();
  assert.throws(
    () => OpenTelemetry.init({ metrics: { enabled: true, meterProvider: { getMeter: fail } } }),
    /the SDK failed/,
  );

  using metrics = measured();
  channel('node-redis:pubsub').publish({ direction: 'in', clientId: 'other', channel: 'c', sharded: false });
  assert.deepEqual(await metrics.points('redis.client.pubsub.messages'), []);
});

test("what is not in node-redis's options is refused, and so is a second start", async () => {
  for (const [metrics, option] of [
    [{ enabledMetricGroups: ['pub-sub'] }, 'metrics.enabledMetricGroups[0]'],
    [{ bucketsOperationDuration: [1, 1] }, 'metrics.bucketsOperationDuration'],
    [{ hideChannelNames: true }, 'metrics.hideChannelNames'],
    [{ meterProvider: {} }, 'metrics.meterProvider'],
  ] as const)
    assert.throws(() => OpenTelemetry.init({ metrics: { enabled: true, ...metrics } as never }), {
      code: 'REDKEEP_INVALID_OPTION',
      option,
    });
  using _ = measured();
  assert.throws(() => OpenTelemetry.init({ metrics: { enabled: true } }), { code: 'REDKEEP_INVALID_OPTION' });
});

test('without the API package it says so', async () => {
  const program = `import { OpenTelemetry } from ${JSON.stringify(new URL('../index.js', import.meta.url).href)};
    try { OpenTelemetry.init({ metrics: { enabled: true } }); } catch ({ code, option }) { console.log(code, option); }`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: tmpdir(),
  });
  assert.equal(stdout, 'REDKEEP_INVALID_OPTION api\n');
});
