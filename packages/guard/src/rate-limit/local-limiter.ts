import type { Decision, Limit } from './limit.js';

/** Less than the resolution of a server's clock. */
const ROUNDING_MS = 1e-6;

/**
 * GCRA in this process, while Redis is away. It goes on from what Redis last said about an identity, and what it let
 * through counts on when Redis is back, so that an outage gives nobody a second allowance. Bounded: when it is full of
 * identities that still count, it refuses new ones, because forgetting old ones would let a flood of identities open the
 * limit.
 */
export class LocalLimiter {
  readonly #limits: readonly Limit[];
  readonly #max: number;
  readonly #clock: () => number;
  /** Identity -> theoretical arrival time of each limit, ms. */
  readonly #tats = new Map<string, number[]>();
  /** The same as Redis last said, for the identities that were asked about most recently. */
  readonly #told = new Map<string, number[]>();
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

  /** Notes what Redis said: milliseconds until each limit is full again. */
  note(identity: string, fullMs: readonly number[]): void {
    this.#told.delete(identity);
    if (fullMs.every((full) => full <= 0)) return;
    // Insertion order is age. Who could push one out with so many others has as many allowances.
    if (this.#told.size >= this.#max) this.#told.delete(this.#told.keys().next().value!);
    const now = this.#clock();
    this.#told.set(
      identity,
      fullMs.map((full) => now + full),
    );
  }

  /** Whether something was let through here, while Redis was away, that still counts. */
  owes(identity: string): boolean {
    const tats = this.#tats.get(identity);
    if (tats === undefined) return false;
    const now = this.#clock();
    if (tats.some((tat) => tat > now)) return true;
    this.#tats.delete(identity);
    return false;
  }

  /** Gives back units of what was let through here. */
  reward(identity: string, units: number): void {
    const tats = this.#tats.get(identity);
    if (tats === undefined) return;
    const given = this.#limits.map((limit, at) => tats[at]! - (units * limit.periodMs) / limit.limit);
    this.#tats.set(identity, given);
  }

  /** Forgets an identity. */
  reset(identity: string): void {
    this.#tats.delete(identity);
    this.#told.delete(identity);
    this.#blocks.delete(identity);
  }

  /** Like the shared check; without `charge` it only looks. */
  check(identity: string, cost: number, charge = true): Decision {
    const blockMs = Math.ceil((this.#blocks.get(identity) ?? 0) - this.#clock());
    if (blockMs > 0) return this.#refusal(blockMs, true);
    this.#blocks.delete(identity);
    return this.room(identity, cost, charge);
  }

  /** The same without blocks, which Redis knows better while it is there. */
  room(identity: string, cost: number, charge: boolean): Decision {
    const now = this.#clock();
    const own = this.#tats.get(identity);
    if (own === undefined) {
      if (this.#tats.size >= this.#max) this.#forget(now);
      if (this.#tats.size >= this.#max) return this.#refusal(this.#limits[0]!.periodMs, false);
    }
    const told = this.#told.get(identity);
    const tats = this.#limits.map((_, at) => Math.max(own?.[at] ?? now, told?.[at] ?? now));
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
