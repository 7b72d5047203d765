import { Counter, Gauge, Registry } from 'prom-client';
import type { Metric } from './sample.js';

/** Prometheus text format 0.0.4, written and escaped by prom-client. */
export async function exposition(metrics: readonly Metric[]): Promise<string> {
  const registry = new Registry();
  for (const { name, help, type, samples } of metrics) {
    const labelNames = [...new Set(samples.flatMap(({ labels }) => Object.keys(labels)))];
    const options = { name, help, labelNames, registers: [registry] };
    if (type === 'gauge') {
      const gauge = new Gauge(options);
      for (const { labels, value } of samples) gauge.set(labels, value);
    } else {
      const counter = new Counter(options);
      for (const { labels, value } of samples) counter.inc(labels, value);
    }
  }
  return registry.metrics();
}

export const contentType = Registry.PROMETHEUS_CONTENT_TYPE;
