import type { CommandMessage } from '../diagnostics.js';
import type { OpenTelemetryApi } from './api.js';
import { spanAttributes } from './attributes.js';

export interface TracingConfig {
  enabled?: boolean;
  /** Only commands within a span of the application; default false. */
  requireParentSpan?: boolean;
}

/** `SpanKind.CLIENT` and `SpanStatusCode.ERROR`. */
const CLIENT = 2;
const ERROR = 2;

/**
 * A span for each command, made when it has ended: its outcome is published in the asynchronous context in which it
 * was issued, so its parent is the span that was active then.
 */
export function spans(
  api: OpenTelemetryApi,
  version: string,
  config: TracingConfig,
): (message: CommandMessage) => void {
  const tracer = api.trace.getTracer('redkeep', version);
  return (message) => {
    if (config.requireParentSpan === true && api.trace.getActiveSpan() === undefined) return;
    const span = tracer.startSpan(message.command, {
      kind: CLIENT,
      startTime: message.startTime,
      attributes: spanAttributes(message),
    });
    if (!message.ok) span.setStatus({ code: ERROR });
    span.end(message.startTime + message.durationMs);
  };
}
