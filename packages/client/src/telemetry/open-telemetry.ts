/** From diagnostics channels to OpenTelemetry: spans and metrics of every client of the process. */
import * as nodeModule from 'node:module';
import { join } from 'node:path';
import { type CommandMessage, commandChannel } from '../diagnostics.js';
import { InvalidOptionError } from '../errors.js';
import {
  anyObject,
  checkOptions,
  each,
  either,
  fields,
  flag,
  is,
  listOf,
  oneOf,
  rule,
  type Schema,
} from '../options/rules.js';
import { version } from '../version.js';
import type { OpenTelemetryApi } from './api.js';
import { BUCKETS, conventionMetrics, type MetricsConfig, measuredCommands, ownMetrics } from './metrics.js';
import { DEFAULT_METRIC_GROUPS, METRIC_GROUPS, nodeRedisMetrics } from './node-redis-metrics.js';
import { Subscriptions } from './subscriptions.js';
import { spans, type TracingConfig } from './tracing.js';

export interface OpenTelemetryConfig {
  /**
   * `import * as api from '@opentelemetry/api'`: yours, so that it is the one your SDK is registered with. Without it,
   * as in node-redis, the installed one is loaded, there are no spans unless `tracing` is given, and no metrics unless
   * they are enabled.
   */
  api?: OpenTelemetryApi;
  /** Spans; default on if `api` is given. */
  tracing?: boolean | TracingConfig;
  /** Metrics; default on if `api` is given. */
  metrics?: boolean | MetricsConfig;
}

const isBoolean = is('boolean');
const isNumber = (value: unknown) => typeof value === 'number' && Number.isFinite(value);
const isText = is('string');
const commandNames = listOf(isText, 'must be an array of command names');
const buckets = rule(
  (v) => Array.isArray(v) && v.every((n, i) => isNumber(n) && (i === 0 || n > v[i - 1])),
  'must be an array of seconds, ascending',
);
const METRICS_SCHEMA = {
  enabled: flag,
  meterProvider: rule(
    (v) => typeof (v as { getMeter?: unknown } | null)?.getMeter === 'function',
    'must be a MeterProvider, with getMeter()',
  ),
  includeCommands: commandNames,
  excludeCommands: commandNames,
  enabledMetricGroups: each(oneOf(...METRIC_GROUPS), 'must be an array of metric groups'),
  hidePubSubChannelNames: flag,
  hideStreamNames: flag,
  bucketsOperationDuration: buckets,
  bucketsConnectionCreateTime: buckets,
  bucketsConnectionWaitTime: buckets,
  bucketsStreamProcessingDuration: buckets,
} satisfies Schema & Record<keyof MetricsConfig, unknown>;
const TRACING_SCHEMA = { enabled: flag, requireParentSpan: flag } satisfies Schema &
  Record<keyof TracingConfig, unknown>;
const SCHEMA = {
  api: anyObject,
  tracing: either(
    isBoolean,
    fields(() => TRACING_SCHEMA),
  ),
  metrics: either(
    isBoolean,
    fields(() => METRICS_SCHEMA),
  ),
} satisfies Schema & Record<keyof OpenTelemetryConfig, unknown>;

let running = false;

export const OpenTelemetry = {
  /**
   * Starts spans and metrics for all clients, pools, clusters and Sentinel clients of this process, also those that
   * exist already. They carry command names, sizes, durations and outcomes, never keys, values or any other argument.
   * Returns what ends it.
   * @throws InvalidOptionError
   * @example
   * import * as api from '@opentelemetry/api';
   * OpenTelemetry.init({ api });
   * @example
   * // node-redis's call and metrics
   * OpenTelemetry.init({ metrics: { enabled: true, enabledMetricGroups: ['command', 'pubsub'] } });
   */
  init(config: OpenTelemetryConfig = {}): () => void {
    checkOptions(config, SCHEMA);
    const given = config.api !== undefined;
    const api = config.api ?? installedApi();
    if (typeof api.metrics?.getMeter !== 'function' || typeof api.trace?.getTracer !== 'function')
      throw new InvalidOptionError('api', "must be the module: import * as api from '@opentelemetry/api'");
    if (running)
      throw new InvalidOptionError('api', 'OpenTelemetry has begun already: call what init() returned first');
    const tracing = enabled(config.tracing, given);
    const metrics = enabled(config.metrics, given);
    const subscriptions = new Subscriptions();
    const stops = [() => subscriptions.end()];
    const stop = () => {
      for (const end of stops.splice(0)) end();
    };
    try {
      if (tracing !== undefined)
        subscriptions.subscribe<CommandMessage>(commandChannel.name, spans(api, version, tracing));
      if (metrics !== undefined) stops.push(...measure(api, metrics, given, subscriptions));
    } catch (error) {
      stop();
      throw error;
    }
    running = true;
    return () => {
      if (stops.length === 0) return;
      stop();
      running = false;
    };
  },
};

function measure(
  api: OpenTelemetryApi,
  config: MetricsConfig,
  isApiGiven: boolean,
  { subscribe }: Subscriptions,
): (() => void)[] {
  const provider = config.meterProvider ?? api.metrics;
  const meter = provider.getMeter('redkeep', version);
  const stops = [ownMetrics(meter, subscribe)];
  const groups = config.enabledMetricGroups ?? (isApiGiven ? undefined : DEFAULT_METRIC_GROUPS);
  if (groups === undefined) stops.push(conventionMetrics(meter, config, subscribe));
  else
    stops.push(
      nodeRedisMetrics(
        provider.getMeter('node-redis'),
        {
          groups: new Set(groups),
          isMeasured: measuredCommands(config),
          hidePubSubChannelNames: config.hidePubSubChannelNames !== false,
          hideStreamNames: config.hideStreamNames !== false,
          buckets: {
            operation: config.bucketsOperationDuration ?? BUCKETS,
            create: config.bucketsConnectionCreateTime ?? BUCKETS,
            wait: config.bucketsConnectionWaitTime ?? BUCKETS,
            stream: config.bucketsStreamProcessingDuration ?? BUCKETS,
          },
        },
        subscribe,
      ),
    );
  return stops;
}

/** What is switched on, with its settings. */
function enabled<C extends { enabled?: boolean }>(config: boolean | C | undefined, byDefault: boolean): C | undefined {
  if (config === undefined || typeof config === 'boolean') return (config ?? byDefault) ? ({} as C) : undefined;
  return (config.enabled ?? byDefault) ? config : undefined;
}

/** That of the application, whose SDK it is registered with. */
function installedApi(): OpenTelemetryApi {
  for (const from of [process.argv[1], join(process.cwd(), 'index.js')])
    try {
      // Called so, because webpack warns of each `createRequire` whose argument it cannot read.
      return nodeModule.createRequire(from!)('@opentelemetry/api') as OpenTelemetryApi;
    } catch {
      // not there
    }
  throw new InvalidOptionError(
    'api',
    "is not given, and @opentelemetry/api is not installed beside the application: give import * as api from '@opentelemetry/api'",
  );
}
