/**
 * One application with node-redis's API and metrics, run as a process of its own with the library that is named:
 * `node otel-scenario.js redis|redkeep CONFIGURATION`. It prints what its metrics exported.
 */
import { metrics } from '@opentelemetry/api';
import { AggregationTemporality, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { waitFor } from '@redkeep/testing';

export interface Scenario {
  readonly port: number;
  readonly cluster: number;
  readonly tls: { readonly port: number; readonly ca: string };
  readonly closedPort: number;
}

/** What a dashboard depends on. */
export interface Exported {
  readonly unit: string;
  readonly description: string;
  readonly type: string;
  readonly buckets: readonly number[] | undefined;
  readonly points: readonly { readonly attributes: Record<string, unknown>; readonly value: number }[];
}

class Reader extends MetricReader {
  constructor() {
    super({ aggregationTemporalitySelector: () => AggregationTemporality.CUMULATIVE });
  }
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

const [library, given] = process.argv.slice(2) as [string, string];
const scenario = JSON.parse(given) as Scenario;
// Both have node-redis's types: the reference's stand for both.
const { createClient, createClientPool, createCluster, BasicClientSideCache, OpenTelemetry } = (await import(
  library
)) as typeof import('redis');

const reader = new Reader();
metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
OpenTelemetry.init({
  metrics: {
    enabled: true,
    enabledMetricGroups: [
      'command',
      'connection-basic',
      'connection-advanced',
      'resiliency',
      'pubsub',
      'streaming',
      'client-side-caching',
    ],
    excludeCommands: ['ping'],
    hidePubSubChannelNames: false,
    hideStreamNames: false,
    bucketsStreamProcessingDuration: [1, 60],
  },
});

const at = (port: number) => `redis://127.0.0.1:${port}`;
const open = { commandPolicy: 'unrestricted', url: at(scenario.port) };
const client = createClient(open);
client.on('error', () => {});
await client.connect();

// commands, refusals, batches
await client.set('text', 'value');
await client.get('text');
await client.ping();
await client.configGet('maxmemory');
await client.sendCommand(['OBJECT', 'ENCODING', 'text']);
await client.incr('text').catch(() => {});
await client.multi().set('a', '1').get('a').exec();
await client.multi().set('a', '1').get('a').execAsPipeline();

// pub/sub
const subscriber = client.duplicate();
subscriber.on('error', () => {});
await subscriber.connect();
let messages = 0;
const heard = () => void messages++;
await subscriber.subscribe('news', heard);
await subscriber.pSubscribe('new?', heard);
await subscriber.sSubscribe('shard', heard);
await client.publish('news', 'c4nary');
await client.sPublish('shard', 'c4nary');
await waitFor(() => messages === 3);

// streams
await client.xAdd('stream', '*', { field: 'c4nary' });
await client.xGroupCreate('stream', 'workers', '0');
await client.xRead({ key: 'stream', id: '0' });
await client.xRead({ key: 'stream', id: '$' });
await client.xReadGroup('workers', 'one', { key: 'stream', id: '>' });

// caches: a miss, a hit, full, invalidated, too old
async function withCache(clientSideCache: InstanceType<typeof BasicClientSideCache>) {
  const cached = createClient({ ...open, RESP: 3, clientSideCache });
  cached.on('error', () => {});
  return cached.connect();
}
const full = new BasicClientSideCache({ maxEntries: 2 });
const cached = await withCache(full);
for (const key of ['a', 'a', 'b', 'c']) await cached.get(key);
const invalidated = new Promise((resolve) => full.once('invalidate', resolve));
await client.set('c', '2');
await invalidated;
const passing = new BasicClientSideCache({ ttl: 50 });
const forgetting = await withCache(passing);
let evicted = false;
passing.once('cache-evict', () => {
  evicted = true;
});
await waitFor(async () => {
  await forgetting.get('d');
  return evicted;
});

// a pool
const pool = createClientPool(open, { minimum: 1, maximum: 1 });
pool.on('error', () => {});
await pool.connect();
await Promise.all([1, 2].map(() => pool.execute((lent) => lent.get('a'))));
await pool.incr('text').catch(() => {});

// a cluster
const cluster = createCluster({ rootNodes: [{ url: at(scenario.cluster) }] });
cluster.on('error', () => {});
await cluster.connect();
await cluster.set('key', 'value');

// a lost connection, nobody there, a wrong password, TLS and a certificate that nothing vouches for
const ready = new Promise((resolve) => client.once('ready', resolve));
const id = await client.clientId();
await cached.clientKill({ filter: 'ID', id: Number(id) } as never);
await ready;
await client.get('text');
for (const options of [
  { url: at(scenario.closedPort), socket: { reconnectStrategy: false as const } },
  { url: at(scenario.port), password: 'c4nary', socket: { reconnectStrategy: false as const } },
  { socket: { host: '127.0.0.1', port: scenario.tls.port, tls: true as const, reconnectStrategy: false as const } },
]) {
  const failing = createClient(options);
  failing.on('error', () => {});
  await failing.connect().catch(() => {});
}
const secured = createClient({
  socket: { host: '127.0.0.1', port: scenario.tls.port, tls: true, ca: scenario.tls.ca },
});
secured.on('error', () => {});
await secured.connect();
await secured.get('text');

const exported: Record<string, Exported> = {};
const { resourceMetrics } = await reader.collect();
for (const { scope, metrics } of resourceMetrics.scopeMetrics) {
  for (const { descriptor, dataPoints } of metrics) {
    const points = dataPoints.map(({ attributes, value }) => ({
      // node-redis gives some without a value.
      attributes: Object.fromEntries(Object.entries(attributes).filter(([, given]) => given !== undefined)),
      value: typeof value === 'number' ? value : value.count,
    }));
    const [first] = dataPoints;
    exported[`${scope.name} ${descriptor.name}`] = {
      unit: descriptor.unit,
      description: descriptor.description,
      type: String((descriptor as { type?: unknown }).type),
      buckets:
        typeof first?.value === 'object' && 'buckets' in first.value ? first.value.buckets.boundaries : undefined,
      points,
    };
  }
}
process.stdout.write(JSON.stringify(exported), () => process.exit());
