import type { Decision, Limit } from './rate-limiter.js';

/**
 * GCRA in this process, while Redis is away. Bounded: when it is full of identities that still count, it refuses
 * new ones, because forgetting old ones would let a flood of identities open the limit.
 */
export class LocalLimiter {
  readonly #limits: readonly Limit[];
  readonly #max: number;
  readonly #clock: () => number;
  /** Identity -> theoretical arrival time of each limit, ms. */
  readonly #tats = new Map<string, number[]>();

  constructor(limits: readonly Limit[], max: number, clock: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#max = max;
    this.#clock = clock;
  }

  /** Like the shared check; a cost of 0 only looks. */
  check(identity: string, cost: number): Decision {
    const now = this.#clock();
    let tats = this.#tats.get(identity);
    if (tats === undefined) {
      if (this.#tats.size >= this.#max) this.#forget(now);
      if (this.#tats.size >= this.#max) return this.#refusal();
      tats = this.#limits.map(() => now);
    }
    let worst: Decision | undefined;
    const next: number[] = [];
    for (const [at, limit] of this.#limits.entries()) {
      const step = limit.periodMs / limit.limit;
      const burst = limit.burst ?? limit.limit;
      const tat = Math.max(tats[at]!, now);
      const after = tat + cost * step;
      const over = after - burst * step - now;
      const allowed = over <= 0;
      const retryAfterMs = allowed ? 0 : cost > burst ? Number.POSITIVE_INFINITY : Math.ceil(over);
      const remaining = Math.max(0, Math.floor(burst - ((allowed ? after : tat) - now) / step + 1e-6));
      next.push(after);
      const decision: Decision = {
        allowed,
        limit,
        remaining,
        retryAfterMs,
        resetMs: Math.ceil((allowed ? after : tat) - now),
        blocked: false,
        source: 'local',
      };
      if (worst === undefined || retryAfterMs > worst.retryAfterMs || remaining < worst.remaining) worst = decision;
    }
    const allowed = worst!.retryAfterMs === 0;
    if (allowed && cost > 0) this.#tats.set(identity, next);
    return { ...worst!, allowed };
  }

  #forget(now: number): void {
    for (const [identity, tats] of this.#tats) if (tats.every((tat) => tat <= now)) this.#tats.delete(identity);
  }

  #refusal(): Decision {
    const [limit] = this.#limits;
    const ms = limit!.periodMs;
    return {
      allowed: false,
      limit: limit!,
      remaining: 0,
      retryAfterMs: ms,
      resetMs: ms,
      blocked: false,
      source: 'local',
    };
  }
}
