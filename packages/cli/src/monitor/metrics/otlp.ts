import type { Metric } from './sample.js';

/** Waits so long for the collector's answer. */
const answerMs = 10_000;

/** The metrics as an OTLP/HTTP request in JSON (OpenTelemetry protocol 1.x), counters as cumulative sums. */
export function otlpRequest(metrics: readonly Metric[], startedAt: number, at: number, version: string): unknown {
  const nanoseconds = (time: number) => `${BigInt(Math.round(time)) * 1_000_000n}`;
  const attributesOf = (labels: Readonly<Record<string, string>>) =>
    Object.entries(labels).map(([key, value]) => ({ key, value: { stringValue: value } }));
  return {
    resourceMetrics: [
      {
        resource: { attributes: attributesOf({ 'service.name': 'redkeep-monitor', 'service.version': version }) },
        scopeMetrics: [
          {
            scope: { name: 'redkeep', version },
            metrics: metrics.map(({ name, help, type, samples }) => {
              const dataPoints = samples.map(({ labels, value }) => ({
                attributes: attributesOf(labels),
                startTimeUnixNano: nanoseconds(startedAt),
                timeUnixNano: nanoseconds(at),
                asDouble: value,
              }));
              const data =
                type === 'gauge'
                  ? { gauge: { dataPoints } }
                  : { sum: { dataPoints, aggregationTemporality: 2, isMonotonic: true } };
              return { name, description: help, ...data };
            }),
          },
        ],
      },
    ],
  };
}

/** Pushes metrics to a collector; `url` is its base, `/v1/metrics` is added as the specification says. */
export async function pushOtlp(
  url: string,
  request: unknown,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const response = await fetch(`${url.replace(/\/$/, '')}/v1/metrics`, {
    method: 'POST',
    body: JSON.stringify(request),
    headers: { 'content-type': 'application/json', ...headers },
    redirect: 'error',
    signal: AbortSignal.timeout(answerMs),
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`the OTLP collector answered ${response.status}`);
}
