import type { CommandMessage, ConnectionMessage, PoolMessage, ProtectionMessage } from '../diagnostics.js';
import type { Meter, Observation } from './api.js';
import { commandAttributes, poolAttributes, serverAttributes } from './attributes.js';

export interface MetricsConfig {
  enabled?: boolean;
  /** Where to take the meter from; default the API's global provider. */
  meterProvider?: { getMeter(name: string, version?: string): Meter };
  /** Durations of these commands only. */
  includeCommands?: readonly string[];
  /** No durations of these. */
  excludeCommands?: readonly string[];
  /** Seconds; default those of the conventions. */
  bucketsOperationDuration?: readonly number[];
  bucketsConnectionCreateTime?: readonly number[];
  bucketsConnectionWaitTime?: readonly number[];
}

/** Seconds, as the conventions advise for operations. */
const BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

export interface Metrics {
  onCommand(message: CommandMessage): void;
  onConnection(message: ConnectionMessage): void;
  onPool(message: PoolMessage): void;
  onProtection(message: ProtectionMessage): void;
  stop(): void;
}

/** Names with `db.client.` are those of the semantic conventions; those that they lack begin with `redkeep.client.`. */
export function metrics(meter: Meter, config: MetricsConfig): Metrics {
  const histogram = (name: string, description: string, buckets: readonly number[] = BUCKETS) =>
    meter.createHistogram(name, { unit: 's', description, advice: { explicitBucketBoundaries: [...buckets] } });
  const counter = (name: string, unit: string, description: string) => meter.createCounter(name, { unit, description });
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
  const count = level('db.client.connection.count', '{connection}', 'Connections that can run commands.');
  const waiting = level('db.client.connection.pending_requests', '{request}', 'Requests waiting for a pooled client.');
  const timeouts = counter(
    'db.client.connection.timeouts',
    '{timeout}',
    'Requests that timed out waiting for a pooled client.',
  );
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

  /** The end of the served chain, by server. */
  const ends = new Map<string, { readonly message: ConnectionMessage; readonly validTo: number }>();
  const observeCertificates = (result: Observation) => {
    for (const { message, validTo } of ends.values())
      result.observe((validTo - Date.now()) / 1000, serverAttributes(message));
  };
  certificate.addCallback(observeCertificates);

  const included = names(config.includeCommands);
  const excluded = names(config.excludeCommands);
  const connections = (message: ConnectionMessage | PoolMessage, state: 'idle' | 'used', change: 1 | -1) =>
    count.add(change, { ...poolAttributes(message), 'db.client.connection.state': state });

  return {
    onCommand(message) {
      if (excluded?.has(message.command) === true || included?.has(message.command) === false) return;
      duration.record(message.durationMs / 1000, commandAttributes(message));
    },
    onConnection(message) {
      switch (message.event) {
        case 'ready':
          connections(message, 'idle', 1);
          createTime.record(message.durationMs! / 1000, poolAttributes(message));
          if (message.tls === undefined) return;
          sessions.add(1, {
            ...serverAttributes(message),
            'tls.protocol.version': message.tls.protocol.replace('TLSv', ''),
            'tls.cipher': message.tls.cipher,
          });
          ends.set(message.server, { message, validTo: message.tls.validTo.getTime() });
          return;
        case 'lost':
          connections(message, 'idle', -1);
          return;
        case 'error':
          errors.add(1, { ...serverAttributes(message), 'error.type': message.errorCode });
          return;
        case 'reauthenticated':
          logins.add(1, serverAttributes(message));
          return;
        default:
      }
    },
    onPool(message) {
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
          connections(message, 'idle', -1);
          connections(message, 'used', 1);
          return;
        default:
          useTime.record(message.durationMs! / 1000, poolAttributes(message));
          connections(message, 'used', -1);
          connections(message, 'idle', 1);
      }
    },
    onProtection(message) {
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
    },
    stop: () => certificate.removeCallback(observeCertificates),
  };
}

function names(list: readonly string[] | undefined): ReadonlySet<string> | undefined {
  return list === undefined ? undefined : new Set(list.map((name) => name.toUpperCase()));
}
