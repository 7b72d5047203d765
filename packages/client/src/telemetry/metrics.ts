import {
  type CommandMessage,
  type ConnectionMessage,
  commandChannel,
  connectionChannel,
  type PoolMessage,
  type ProtectionMessage,
  poolChannel,
  protectionChannel,
  serverInfo,
} from '../diagnostics.js';
import type { Attributes, Meter, Observation } from './api.js';
import { commandAttributes, poolAttributes, serverAttributes } from './attributes.js';
import { openClients } from './client-registry.js';
import type { MetricGroup } from './node-redis-metrics.js';
import { observe, type Values } from './observe.js';
import type { Subscribe } from './subscriptions.js';

export interface MetricsConfig {
  enabled?: boolean;
  /** Where to take the meter from; default the API's global provider. */
  meterProvider?: { getMeter(name: string, version?: string): Meter };
  /** Durations of these commands only. */
  includeCommands?: readonly string[];
  /** No durations of these. */
  excludeCommands?: readonly string[];
  /**
   * node-redis's metrics of these groups, by its names, in place of those of the conventions. Default none if `api` is
   * given, else node-redis's default: `connection-basic` and `resiliency`.
   */
  enabledMetricGroups?: readonly MetricGroup[];
  /** False shows the names of pub/sub channels, which may contain data of users. */
  hidePubSubChannelNames?: boolean;
  /** False shows the names of streams and consumer groups; the names of streams are keys. */
  hideStreamNames?: boolean;
  /** Seconds; default those of the conventions. */
  bucketsOperationDuration?: readonly number[];
  bucketsConnectionCreateTime?: readonly number[];
  bucketsConnectionWaitTime?: readonly number[];
  bucketsStreamProcessingDuration?: readonly number[];
}

/** Seconds, as the conventions advise for operations. */
export const BUCKETS: readonly number[] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

const histogramOf =
  (meter: Meter) =>
  (name: string, description: string, buckets: readonly number[] = BUCKETS) =>
    meter.createHistogram(name, { unit: 's', description, advice: { explicitBucketBoundaries: [...buckets] } });
const counterOf = (meter: Meter) => (name: string, unit: string, description: string) =>
  meter.createCounter(name, { unit, description });

/** Whether durations of a command are taken. */
export function measuredCommands({ includeCommands, excludeCommands }: MetricsConfig): (name: string) => boolean {
  const included = names(includeCommands);
  const excluded = names(excludeCommands);
  return (name) => !excluded.has(name) && (included.size === 0 || included.has(name));
}
const names = (list: readonly string[] = []): ReadonlySet<string> => new Set(list.map((name) => name.toUpperCase()));

/** The metrics of the semantic conventions: names with `db.client.`. Returns what ends the observation. */
export function conventionMetrics(meter: Meter, config: MetricsConfig, subscribe: Subscribe): () => void {
  const histogram = histogramOf(meter);
  const level = (name: string, unit: string, description: string) =>
    meter.createUpDownCounter(name, { unit, description });
  const duration = histogram(
    'db.client.operation.duration',
    'Duration of commands, transactions and pipelines.',
    config.bucketsOperationDuration,
  );
  const createTime = histogram(
    'db.client.connection.create_time',
    'Time to a connection that can run commands, handshakes included.',
    config.bucketsConnectionCreateTime,
  );
  const waitTime = histogram(
    'db.client.connection.wait_time',
    'Time until a pool lent a client.',
    config.bucketsConnectionWaitTime,
  );
  const useTime = histogram('db.client.connection.use_time', 'Time until a lent client was given back.');
  // Observed, and not added up, so that connections that are older than this are counted.
  const count = meter.createObservableUpDownCounter('db.client.connection.count', {
    unit: '{connection}',
    description: 'Connections that can run commands.',
  });
  const waiting = level('db.client.connection.pending_requests', '{request}', 'Requests waiting for a pooled client.');
  const timeouts = counterOf(meter)(
    'db.client.connection.timeouts',
    '{timeout}',
    'Requests that timed out waiting for a pooled client.',
  );
  const isMeasured = measuredCommands(config);
  subscribe<CommandMessage>(commandChannel.name, (message) => {
    if (isMeasured(message.command)) duration.record(message.durationMs / 1000, commandAttributes(message));
  });
  subscribe<ConnectionMessage>(connectionChannel.name, (message) => {
    if (message.event === 'ready') createTime.record(message.durationMs! / 1000, poolAttributes(message));
  });
  subscribe<PoolMessage>(poolChannel.name, (message) => {
    switch (message.event) {
      case 'waiting':
        waiting.add(1, poolAttributes(message));
        return;
      case 'waited':
        waiting.add(-1, poolAttributes(message));
        return;
      case 'timeout':
        timeouts.add(1, poolAttributes(message));
        return;
      case 'acquired':
        waitTime.record(message.durationMs! / 1000, poolAttributes(message));
        return;
      default:
        useTime.record(message.durationMs! / 1000, poolAttributes(message));
    }
  });
  return observe(count, connectionCounts);
}

/** By pool and state. */
function connectionCounts(): Values {
  const counts = new Map<string, { attributes: Attributes; value: number }>();
  for (const [, { connection, isLent }] of openClients()) {
    const server = serverInfo(connection.endpoint);
    for (const state of ['idle', 'used']) {
      const key = `${state} ${server.server}`;
      const attributes = { ...poolAttributes(server), 'db.client.connection.state': state };
      const value = counts.get(key)?.value ?? 0;
      counts.set(key, { attributes, value: value + (connection.isReady && isLent === (state === 'used') ? 1 : 0) });
    }
  }
  return counts;
}

/** Those that no convention has: names with `redkeep.client.`. Returns what ends the observation. */
export function ownMetrics(meter: Meter, subscribe: Subscribe): () => void {
  const counter = counterOf(meter);
  const errors = counter('redkeep.client.connection.errors', '{error}', 'Failed and lost connections, by error.');
  const logins = counter('redkeep.client.reauthentications', '{login}', 'New credentials on live connections.');
  const sessions = counter('redkeep.client.tls.sessions', '{session}', 'TLS sessions, by protocol and cipher.');
  const certificate = meter.createObservableGauge('redkeep.client.tls.certificate.time_left', {
    unit: 's',
    description: "Time until the first certificate of the server's chain ends; negative when it has.",
  });
  const refused = counter('redkeep.client.commands.refused', '{command}', 'Commands that the policy refused.');
  const limited = counter(
    'redkeep.client.commands.rate_limited',
    '{command}',
    'Commands that the rate limit held back.',
  );
  const retries = counter(
    'redkeep.client.commands.retries',
    '{command}',
    'Commands sent again after a lost connection.',
  );
  const redirects = counter('redkeep.client.commands.redirects', '{command}', 'Commands that a node led elsewhere.');
  const circuit = counter(
    'redkeep.client.circuit.transitions',
    '{transition}',
    'Changes of circuit breakers, by state.',
  );

  /** Of the servers that are connected to now: one that is gone must not end in an alert. */
  const observeCertificates = (result: Observation) => {
    const ends = new Map<string, number>();
    for (const [, client] of openClients()) {
      const info = client.tlsInfo();
      if (info === undefined) continue;
      const server = serverInfo(client.connection.endpoint);
      if (ends.has(server.server)) continue;
      ends.set(server.server, info.validTo.getTime());
      result.observe((info.validTo.getTime() - Date.now()) / 1000, serverAttributes(server));
    }
  };
  certificate.addCallback(observeCertificates);

  subscribe<ConnectionMessage>(connectionChannel.name, (message) => {
    switch (message.event) {
      case 'ready':
        if (message.tls === undefined) return;
        sessions.add(1, {
          ...serverAttributes(message),
          'tls.protocol.version': message.tls.protocol.replace('TLSv', ''),
          'tls.cipher': message.tls.cipher,
        });
        return;
      case 'error':
        errors.add(1, { ...serverAttributes(message), 'error.type': message.errorCode });
        return;
      case 'reauthenticated':
        logins.add(1, serverAttributes(message));
        return;
      default:
    }
  });
  subscribe<ProtectionMessage>(protectionChannel.name, (message) => {
    switch (message.event) {
      case 'refused':
        refused.add(1, { 'db.operation.name': message.command, 'error.type': message.errorCode });
        return;
      case 'rate-limited':
        limited.add(1, { 'db.operation.name': message.command, 'error.type': message.errorCode });
        return;
      case 'rate-waited':
        limited.add(1, { 'db.operation.name': message.command });
        return;
      case 'retry':
        retries.add(1, { 'db.operation.name': message.command });
        return;
      case 'redirect':
        redirects.add(1, { 'db.operation.name': message.command, 'db.response.status_code': message.kind });
        return;
      default:
        circuit.add(1, { 'redkeep.client.circuit.state': message.state });
    }
  });
  return () => certificate.removeCallback(observeCertificates);
}
