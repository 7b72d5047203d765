/**
 * node-redis's metrics, for dashboards that are made for them: the same groups, names, units, attributes and buckets,
 * from the channels that have its names. No attribute has a key, a value or another argument, and none has more than
 * {@link MAX_NAMES} values, unless the names of channels or streams are asked for.
 */
import { performance } from '../clock.js';
import { COMMAND_TABLE } from '../commands/table.js';
import { serverInfo } from '../diagnostics.js';
import {
  type BatchOperationContext,
  type CacheEvictionEvent,
  type CacheRequestEvent,
  CHANNELS,
  type ClientErrorEvent,
  type CommandTraceContext,
  type ConnectionClosedEvent,
  type ConnectionReadyEvent,
  isOwn,
  type PoolConnectionWaitEvent,
  type PubSubMessageEvent,
  withheldOf,
} from '../node-redis/channels.js';
import type { Answered } from '../node-redis/tracing-channels.js';
import { version } from '../version.js';
import type { Attributes, Meter } from './api.js';
import { clientNamed, nameOf, type OpenClient, openClients, parentNameOf } from './client-registry.js';
import { errorInfo, isRedirect } from './error-info.js';
import { observe, type Values } from './observe.js';
import type { Subscribe } from './subscriptions.js';

export const METRIC_GROUPS = [
  'command',
  'connection-basic',
  'connection-advanced',
  'resiliency',
  'pubsub',
  'streaming',
  'client-side-caching',
] as const;
export type MetricGroup = (typeof METRIC_GROUPS)[number];
export const DEFAULT_METRIC_GROUPS: readonly MetricGroup[] = ['connection-basic', 'resiliency'];

export interface NodeRedisMetricsConfig {
  readonly groups: ReadonlySet<MetricGroup>;
  /** Takes durations of this command. */
  readonly isMeasured: (command: string) => boolean;
  readonly hidePubSubChannelNames: boolean;
  readonly hideStreamNames: boolean;
  /** A histogram of seconds. */
  readonly buckets: Readonly<Record<'operation' | 'create' | 'wait' | 'stream', readonly number[]>>;
}

/** The most names of one kind that have series of their own; the others are `_OTHER`. */
export const MAX_NAMES = 1000;
const OTHER = '_OTHER';

const BASE: Attributes = { 'redis.client.library': `redkeep:${version}`, 'db.system.name': 'redis' };

/** Makes and feeds the instruments of the enabled groups. Returns what ends their observation. */
export function nodeRedisMetrics(meter: Meter, config: NodeRedisMetricsConfig, subscribeToAll: Subscribe): () => void {
  const subscribe: Subscribe = (name, listener) =>
    subscribeToAll(name, (event: Parameters<typeof listener>[0]) => {
      if (isOwn(event)) listener(event);
    });
  const { groups, buckets } = config;
  const ends: (() => void)[] = [];
  const histogram = (name: string, description: string, boundaries: readonly number[]) =>
    meter.createHistogram(name, { unit: 's', description, advice: { explicitBucketBoundaries: [...boundaries] } });
  const counter = (name: string, unit: string, description: string) => meter.createCounter(name, { unit, description });
  const gauge = (name: string, unit: string, description: string, read: (client: OpenClient) => number) => {
    const instrument = meter.createObservableGauge(name, { unit, description });
    ends.push(observe(instrument, () => valuesOfClients(read)));
  };

  if (groups.has('command')) {
    const duration = histogram(
      'db.client.operation.duration',
      'Duration of a Redis client operation (includes retries)',
      buckets.operation,
    );
    const nameOfCommand = commandNames();
    const running = new WeakMap<object, { readonly operation: string; readonly since: number }>();
    const measure = <C extends CommandTraceContext | BatchOperationContext>(
      kind: string,
      operationOf: (context: C) => string | undefined,
    ) => {
      subscribe<C>(`tracing:${kind}:start`, (context) => {
        const operation = operationOf(context);
        if (operation !== undefined) running.set(context, { operation, since: performance.now() });
      });
      subscribe<C & { error?: unknown }>(`tracing:${kind}:asyncEnd`, (context) => {
        const run = running.get(context);
        if (run === undefined) return;
        duration.record((performance.now() - run.since) / 1000, {
          ...BASE,
          'db.namespace': String(context.database),
          'server.address': context.serverAddress,
          ...(context.serverPort === undefined ? {} : { 'server.port': String(context.serverPort) }),
          'db.operation.name': run.operation,
          ...('error' in context ? errorAttributes(context.error) : {}),
        });
      });
    };
    measure(CHANNELS.TRACE_COMMAND, ({ command }: CommandTraceContext) =>
      config.isMeasured(command) ? nameOfCommand(command) : undefined,
    );
    measure(CHANNELS.TRACE_BATCH, ({ batchMode }: BatchOperationContext) => batchMode);
  }

  if (groups.has('connection-basic')) {
    gauge('redis.client.connection.count', '{connection}', 'Current number of active connections', ({ connection }) =>
      connection.isReady ? 1 : 0,
    );
    const createTime = histogram(
      'db.client.connection.create_time',
      'Time taken to create a new connection to the Redis server',
      buckets.create,
    );
    subscribe(CHANNELS.CONNECTION_READY, ({ clientId, createTimeMs }: ConnectionReadyEvent) =>
      createTime.record(createTimeMs / 1000, attributesOf(clientId)),
    );
  }

  if (groups.has('connection-advanced')) {
    const waitTime = histogram(
      'db.client.connection.wait_time',
      'Time spent waiting for an available connection from the pool',
      buckets.wait,
    );
    subscribe(CHANNELS.POOL_CONNECTION_WAIT, ({ clientId, waitStartTimestamp }: PoolConnectionWaitEvent) =>
      waitTime.record((performance.now() - waitStartTimestamp) / 1000, attributesOf(clientId)),
    );
    const closed = counter('redis.client.connection.closed', '{connection}', 'Total number of closed connections');
    subscribe(CHANNELS.CONNECTION_CLOSED, ({ clientId, reason }: ConnectionClosedEvent) =>
      closed.add(1, { ...attributesOf(clientId), 'redis.client.connection.close.reason': reason }),
    );
  }

  if (groups.has('resiliency')) {
    const errors = counter(
      'redis.client.errors',
      '{error}',
      'A counter of all errors (both returned and handled internally)',
    );
    // A redirect that a cluster follows is counted where it is followed.
    subscribe(CHANNELS.ERROR, ({ error, origin, internal, clientId, retryCount }: ClientErrorEvent) => {
      if (origin === 'client' && isRedirect(error)) return;
      errors.add(1, {
        ...attributesOf(clientId),
        ...errorAttributes(error),
        'redis.client.errors.internal': internal,
        ...(retryCount === undefined ? {} : { 'redis.client.operation.retry_attempts': retryCount }),
      });
    });
    subscribe(
      `tracing:${CHANNELS.TRACE_COMMAND}:error`,
      ({ error, clientId }: CommandTraceContext & { error: unknown }) => {
        if (isRedirect(error)) return;
        errors.add(1, { ...attributesOf(clientId), ...errorAttributes(error), 'redis.client.errors.internal': false });
      },
    );
  }

  const answered: ((answer: Answered, clientId: string) => void)[] = [];
  if (groups.has('pubsub')) {
    const messages = counter('redis.client.pubsub.messages', '{message}', 'Number of pub/sub messages processed');
    const channels = config.hidePubSubChannelNames ? undefined : boundedNames();
    const count = (direction: 'in' | 'out', clientId: string, sharded: boolean, name: unknown) =>
      messages.add(1, {
        ...attributesOf(clientId),
        'redis.client.pubsub.message.direction': direction,
        'redis.client.pubsub.sharded': sharded,
        ...(channels === undefined ? {} : { 'redis.client.pubsub.channel': channels(String(name)) }),
      });
    subscribe(CHANNELS.PUBSUB, (event: PubSubMessageEvent) =>
      count(event.direction, event.clientId, event.sharded, withheldOf(event)),
    );
    answered.push(({ command: { spec, args } }, clientId) => {
      if (spec.name === 'PUBLISH' || spec.name === 'SPUBLISH')
        count('out', clientId, spec.name === 'SPUBLISH', args[0]);
    });
  }

  if (groups.has('streaming')) {
    const lag = histogram('redis.client.stream.lag', 'End-to-end lag per message', buckets.stream);
    const streams = config.hideStreamNames ? undefined : boundedNames();
    const consumerGroups = config.hideStreamNames ? undefined : boundedNames();
    answered.push(({ command: { spec, args }, reply }, clientId) => {
      if (spec.name !== 'XREAD' && spec.name !== 'XREADGROUP') return;
      const now = Date.now();
      const group = spec.name === 'XREADGROUP' && String(args[0]).toUpperCase() === 'GROUP' ? args[1] : undefined;
      for (const [stream, ids] of entriesOf(reply)) {
        const attributes = {
          ...attributesOf(clientId),
          ...(streams === undefined ? {} : { 'redis.client.stream.name': streams(stream) }),
          ...(consumerGroups === undefined || group === undefined
            ? {}
            : { 'redis.client.stream.consumer_group': consumerGroups(String(group)) }),
        };
        for (const id of ids) {
          const addedAt = Number.parseInt(id, 10);
          if (Number.isFinite(addedAt)) lag.record((now - addedAt) / 1000, attributes);
        }
      }
    });
  }
  if (answered.length > 0)
    subscribe(`tracing:${CHANNELS.TRACE_COMMAND}:asyncEnd`, (context: CommandTraceContext) => {
      const answer = withheldOf(context) as Answered | undefined;
      if (answer !== undefined) for (const count of answered) count(answer, context.clientId);
    });

  if (groups.has('client-side-caching')) {
    const requests = counter(
      'redis.client.csc.requests',
      '{request}',
      'Number of client-side cache requests (hits and misses)',
    );
    subscribe(CHANNELS.CACHE_REQUEST, ({ result, clientId }: CacheRequestEvent) =>
      requests.add(1, { ...cacheAttributes(clientId), 'redis.client.csc.result': result }),
    );
    gauge(
      'redis.client.csc.items',
      '{item}',
      'Current number of items in the client-side cache',
      ({ cache }) => cache?.size() ?? 0,
    );
    const evictions = counter(
      'redis.client.csc.evictions',
      '{eviction}',
      'Number of items evicted from the client-side cache',
    );
    subscribe(CHANNELS.CACHE_EVICTION, ({ reason, count }: CacheEvictionEvent) =>
      evictions.add(count, { ...BASE, 'redis.client.csc.reason': reason }),
    );
  }

  return () => {
    for (const end of ends) end();
  };
}

function valuesOfClients(read: (client: OpenClient) => number): Values {
  const values = new Map<string, { attributes: Attributes; value: number }>();
  for (const [name, client] of openClients())
    values.set(name, { attributes: { ...BASE, ...clientAttributes(client) }, value: read(client) });
  return values;
}

function clientAttributes({ connection }: OpenClient): Attributes {
  const { address, port } = serverInfo(connection.endpoint);
  const parent = parentNameOf(connection);
  return {
    'db.namespace': String(connection.database),
    'server.address': address,
    ...(port === undefined ? {} : { 'server.port': String(port) }),
    'db.client.connection.pool.name': nameOf(connection),
    ...(parent === undefined ? {} : { 'redis.client.parent.id': parent }),
  };
}

function attributesOf(clientId: string): Attributes {
  const client = clientNamed(clientId);
  return client === undefined ? BASE : { ...BASE, ...clientAttributes(client) };
}

/** node-redis gives the cache's metrics fewer. */
function cacheAttributes(clientId: string | undefined): Attributes {
  const client = clientId === undefined ? undefined : clientNamed(clientId);
  if (client === undefined) return BASE;
  const { 'db.namespace': _, 'redis.client.parent.id': __, ...attributes } = clientAttributes(client);
  return { ...BASE, ...attributes };
}

function errorAttributes(error: unknown): Attributes {
  const { type, category, statusCode } = errorInfo(error);
  return {
    'error.type': type,
    'redis.client.errors.category': category,
    ...(statusCode === undefined ? {} : { 'db.response.status_code': statusCode }),
  };
}

function boundedNames(limit = MAX_NAMES): (name: string) => string {
  const known = new Set<string>();
  return (name) => {
    if (known.has(name)) return name;
    if (known.size >= limit) return OTHER;
    known.add(name);
    return name;
  };
}

/** `sendCommand` takes any word as a command: only those of servers and of modules are shown. */
function commandNames(): (name: string) => string {
  const modules = boundedNames(100);
  return (name) => {
    if (Object.hasOwn(COMMAND_TABLE, name)) return name;
    return /^[A-Z]{1,20}\.[A-Z_.]{1,40}$/.test(name) ? modules(name) : OTHER;
  };
}

/** Names of streams and ids of their messages, in the forms of node-redis, of ioredis, and of a raw reply. */
function* entriesOf(reply: unknown): Generator<[stream: string, ids: readonly string[]]> {
  if (typeof reply !== 'object' || reply === null) return;
  const streams: Iterable<unknown> = Array.isArray(reply)
    ? reply
    : reply instanceof Map
      ? reply
      : Object.entries(reply);
  for (const stream of streams) {
    const { name, messages } = Array.isArray(stream)
      ? { name: stream[0], messages: stream[1] }
      : ((stream ?? {}) as { name?: unknown; messages?: unknown });
    if (!Array.isArray(messages)) continue;
    yield [
      String(name),
      messages.map((message) => String(Array.isArray(message) ? message[0] : (message as { id?: unknown } | null)?.id)),
    ];
  }
}
