import { performance, setTimeout } from '../clock.js';
import { InvalidOptionError, RedkeepError } from '../errors.js';

export interface RateLimitOptions {
  /** Commands a second on average. */
  rate: number;
  /** Commands at once after a pause. @default the rate */
  burst?: number;
  /** What happens above the rate: commands reject with REDKEEP_RATE_LIMITED, or wait. @default 'reject' */
  mode?: 'reject' | 'wait';
  /** Commands that may wait; beyond that they reject. @default 10000 */
  maxWaiting?: number;
}

/** Limits what this process sends (token bucket), so that a runaway loop cannot overload the client or the server. */
export class RateLimit {
  readonly #perMs: number;
  readonly #burst: number;
  readonly #mode: 'reject' | 'wait';
  readonly #maxWaiting: number;
  #tokens: number;
  #updated = performance.now();
  #waiting = 0;

  constructor(options: RateLimitOptions) {
    const { rate, burst = rate, mode = 'reject', maxWaiting = 10_000 } = options;
    if (!(rate > 0) || !(burst >= 1))
      throw new InvalidOptionError('rateLimit', 'rate must be positive and burst at least 1');
    if (mode !== 'reject' && mode !== 'wait')
      throw new InvalidOptionError('rateLimit.mode', "must be 'reject' or 'wait'");
    this.#perMs = rate / 1000;
    this.#burst = burst;
    this.#mode = mode;
    this.#maxWaiting = maxWaiting;
    this.#tokens = burst;
  }

  /** Takes places for commands that go together: undefined = go; a promise = when it resolves. @throws RedkeepError REDKEEP_RATE_LIMITED */
  take(count = 1): Promise<void> | undefined {
    const now = performance.now();
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#updated) * this.#perMs);
    this.#updated = now;
    // A transaction larger than the burst goes when the bucket is full, and leaves a debt.
    const needed = Math.min(count, this.#burst);
    if (this.#tokens >= needed) {
      this.#tokens -= count;
      return undefined;
    }
    if (this.#mode === 'reject' || this.#waiting >= this.#maxWaiting)
      throw new RedkeepError('REDKEEP_RATE_LIMITED', 'The rate limit of this client is reached');
    // The debt decides the place in line: who comes later waits longer.
    const delay = (needed - this.#tokens) / this.#perMs;
    this.#tokens -= count;
    this.#waiting++;
    return new Promise((resolve) =>
      setTimeout(() => {
        this.#waiting--;
        resolve();
      }, delay),
    );
  }
}
