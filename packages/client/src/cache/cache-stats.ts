import { InvalidArgumentError } from '../errors.js';

/** Counts of a client-side cache at one moment. */
export class CacheStats {
  readonly hitCount: number;
  readonly missCount: number;
  readonly loadSuccessCount: number;
  readonly loadFailureCount: number;
  /** Milliseconds. */
  readonly totalLoadTime: number;
  readonly evictionCount: number;

  private constructor(counts: readonly number[]) {
    if (counts.some((count) => count < 0))
      throw new InvalidArgumentError('CacheStats', 'counts', 'must not be negative');
    [
      this.hitCount = 0,
      this.missCount = 0,
      this.loadSuccessCount = 0,
      this.loadFailureCount = 0,
      this.totalLoadTime = 0,
      this.evictionCount = 0,
    ] = counts;
  }

  static of(
    hitCount = 0,
    missCount = 0,
    loadSuccessCount = 0,
    loadFailureCount = 0,
    totalLoadTime = 0,
    evictionCount = 0,
  ): CacheStats {
    return new CacheStats([hitCount, missCount, loadSuccessCount, loadFailureCount, totalLoadTime, evictionCount]);
  }
  static empty(): CacheStats {
    return new CacheStats([]);
  }

  requestCount(): number {
    return this.hitCount + this.missCount;
  }
  /** 1 when nothing was asked. */
  hitRate(): number {
    return ratio(this.hitCount, this.requestCount(), 1);
  }
  missRate(): number {
    return ratio(this.missCount, this.requestCount(), 0);
  }
  loadCount(): number {
    return this.loadSuccessCount + this.loadFailureCount;
  }
  loadFailureRate(): number {
    return ratio(this.loadFailureCount, this.loadCount(), 0);
  }
  /** Milliseconds a load. */
  averageLoadPenalty(): number {
    return ratio(this.totalLoadTime, this.loadCount(), 0);
  }
  /** The difference, never below zero. */
  minus(other: CacheStats): CacheStats {
    return this.#combine(other, (a, b) => Math.max(0, a - b));
  }
  plus(other: CacheStats): CacheStats {
    return this.#combine(other, (a, b) => a + b);
  }

  #combine(other: CacheStats, by: (a: number, b: number) => number): CacheStats {
    const theirs = other.#counts();
    return new CacheStats(this.#counts().map((count, i) => by(count, theirs[i]!)));
  }
  #counts(): number[] {
    return [
      this.hitCount,
      this.missCount,
      this.loadSuccessCount,
      this.loadFailureCount,
      this.totalLoadTime,
      this.evictionCount,
    ];
  }
}

function ratio(part: number, whole: number, empty: number): number {
  return whole === 0 ? empty : part / whole;
}
