/** From diagnostics channels to OpenTelemetry: spans and metrics of every client of the process. */
import type { Channel } from 'node:diagnostics_channel';
import {
  type CommandMessage,
  type ConnectionMessage,
  commandChannel,
  connectionChannel,
  type PoolMessage,
  type ProtectionMessage,
  poolChannel,
  protectionChannel,
} from '../diagnostics.js';
import { InvalidOptionError } from '../errors.js';
import { version } from '../version.js';
import type { OpenTelemetryApi } from './api.js';
import { type MetricsConfig, metrics } from './metrics.js';
import { spans, type TracingConfig } from './tracing.js';

export interface OpenTelemetryConfig {
  /** `import * as api from '@opentelemetry/api'`: yours, so that it is the one your SDK is registered with. */
  api: OpenTelemetryApi;
  /** Spans; default on. */
  tracing?: boolean | TracingConfig;
  /** Metrics; default on. */
  metrics?: boolean | MetricsConfig;
}

let running = false;

export const OpenTelemetry = {
  /**
   * Starts spans and metrics for all clients, pools, clusters and Sentinel clients of this process. They carry command
   * names, sizes, durations and outcomes, never keys, values or any other argument. Returns what ends it.
   * @throws InvalidOptionError
   * @example
   * import * as api from '@opentelemetry/api';
   * OpenTelemetry.init({ api });
   */
  init(config: OpenTelemetryConfig): () => void {
    const { api, tracing = true, metrics: measured = true } = config;
    if (typeof api?.metrics?.getMeter !== 'function' || typeof api.trace?.getTracer !== 'function')
      throw new InvalidOptionError('api', "must be the module: import * as api from '@opentelemetry/api'");
    if (running)
      throw new InvalidOptionError('api', 'OpenTelemetry has begun already: call what init() returned first');
    const stops: (() => void)[] = [];
    const listen = <M>(channel: Channel, on: (message: M) => void) => {
      const listener = (message: unknown) => on(message as M);
      channel.subscribe(listener);
      stops.push(() => channel.unsubscribe(listener));
    };
    const spanConfig = enabled(tracing);
    if (spanConfig !== undefined) listen<CommandMessage>(commandChannel, spans(api, version, spanConfig));
    const metricConfig = enabled(measured);
    if (metricConfig !== undefined) {
      const meter = (metricConfig.meterProvider ?? api.metrics).getMeter('redkeep', version);
      const sink = metrics(meter, metricConfig);
      listen<CommandMessage>(commandChannel, sink.onCommand);
      listen<ConnectionMessage>(connectionChannel, sink.onConnection);
      listen<PoolMessage>(poolChannel, sink.onPool);
      listen<ProtectionMessage>(protectionChannel, sink.onProtection);
      stops.push(sink.stop);
    }
    running = true;
    return () => {
      for (const stop of stops.splice(0)) stop();
      running = false;
    };
  },
};

function enabled<C extends { enabled?: boolean }>(config: boolean | C): C | undefined {
  if (typeof config === 'boolean') return config ? ({} as C) : undefined;
  return config.enabled === false ? undefined : config;
}
