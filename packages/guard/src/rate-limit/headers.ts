import { anObject, argument, list } from '../options.js';
import type { Decision, Limit } from './limit.js';

/**
 * `RateLimit-Policy` and `RateLimit` (IETF draft-ietf-httpapi-ratelimit-headers, structured fields), and
 * `Retry-After` (RFC 9110) when refused. Times in whole seconds, rounded up.
 */
export function rateLimitHeaders(decision: Decision, limits: readonly Limit[]): Record<string, string> {
  argument(limits, 'limits', list(anObject, 1));
  argument(decision?.limit, 'decision.limit', anObject);
  const policies = limits.map(({ name, limit, periodMs }) => `"${name}";q=${limit};w=${seconds(periodMs)}`);
  const headers: Record<string, string> = {
    'RateLimit-Policy': policies.join(', '),
    RateLimit: `"${decision.limit.name}";r=${decision.remaining};t=${seconds(decision.resetMs)}`,
  };
  if (!decision.allowed) {
    const wait = Number.isFinite(decision.retryAfterMs) ? decision.retryAfterMs : decision.limit.periodMs;
    headers['Retry-After'] = String(Math.max(1, seconds(wait)));
  }
  return headers;
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1000);
}
