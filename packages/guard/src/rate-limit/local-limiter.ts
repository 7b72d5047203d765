import type { Decision, Limit } from './limit.js';

/** Less than the resolution of a server's clock. */
const ROUNDING_MS = 1e-6;

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
  /** Identity -> end of its block, ms. */
  readonly #blocks = new Map<string, number>();

  constructor(limits: readonly Limit[], max: number, clock: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#max = max;
    this.#clock = clock;
  }

  /** Blocks an identity for so many milliseconds; 0 ends it. Kept beside the shared block, for when Redis is away. */
  block(identity: string, ms: number): void {
    this.#blocks.delete(identity);
    if (ms <= 0) return;
    // Insertion order is age: the oldest block is forgotten first.
    if (this.#blocks.size >= this.#max) this.#blocks.delete(this.#blocks.keys().next().value!);
    this.#blocks.set(identity, this.#clock() + ms);
  }

  /** Forgets an identity. */
  reset(identity: string): void {
    this.#tats.delete(identity);
    this.#blocks.delete(identity);
  }

  /** Like the shared check; without `charge` it only looks. */
  check(identity: string, cost: number, charge = true): Decision {
    const now = this.#clock();
    const blockMs = Math.ceil((this.#blocks.get(identity) ?? 0) - now);
    if (blockMs > 0) return this.#refusal(blockMs, true);
    this.#blocks.delete(identity);
    let tats = this.#tats.get(identity);
    if (tats === undefined) {
      if (this.#tats.size >= this.#max) this.#forget(now);
      if (this.#tats.size >= this.#max) return this.#refusal(this.#limits[0]!.periodMs, false);
      tats = this.#limits.map(() => now);
    }
    let worst: Decision | undefined;
    let allAllowed = true;
    const next: number[] = [];
    for (const [at, limit] of this.#limits.entries()) {
      const step = limit.periodMs / limit.limit;
      const burst = limit.burst ?? limit.limit;
      // By what is left until full, and not by points in time: those lose the last bits.
      const full = Math.max(tats[at]! - now, 0);
      const over = full + cost * step - burst * step;
      const allowed = over <= ROUNDING_MS;
      if (!allowed) allAllowed = false;
      const retryAfterMs = allowed ? 0 : cost > burst ? Number.POSITIVE_INFINITY : Math.ceil(over);
      const final = allowed && charge ? full + cost * step : full;
      const remaining = Math.max(0, Math.floor(burst - final / step + 1e-6));
      next.push(now + full + cost * step);
      const decision: Decision = {
        allowed,
        limit,
        remaining,
        retryAfterMs,
        resetMs: Math.ceil(final),
        blocked: false,
        source: 'local',
      };
      const longer = worst === undefined || retryAfterMs > worst.retryAfterMs;
      if (longer || (retryAfterMs === worst?.retryAfterMs && remaining < worst.remaining)) worst = decision;
    }
    if (allAllowed && charge) this.#tats.set(identity, next);
    return { ...worst!, allowed: allAllowed };
  }

  #forget(now: number): void {
    for (const [identity, tats] of this.#tats) if (tats.every((tat) => tat <= now)) this.#tats.delete(identity);
  }

  #refusal(ms: number, blocked: boolean): Decision {
    const limit = this.#limits[0]!;
    return { allowed: false, limit, remaining: 0, retryAfterMs: ms, resetMs: ms, blocked, source: 'local' };
  }
}
