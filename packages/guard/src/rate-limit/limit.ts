/** One limit. Several may hold together: ten a second and a thousand a day. */
export interface Limit {
  /** For headers and keys: letters, digits, `-` and `_`. */
  readonly name: string;
  /** Units per period, above 0; at most a million a second, since the server's clock counts microseconds. */
  readonly limit: number;
  /** Milliseconds, 1 to 31 days. */
  readonly periodMs: number;
  /**
   * `gcra` (default) spaces requests evenly and allows `burst` at once; `sliding-window` counts the last period (by
   * interpolation between two counters: within a few per cent when requests come evenly, never more than `limit` in
   * a calendar period).
   */
  readonly algorithm?: 'gcra' | 'sliding-window';
  /** GCRA: most units at once; default `limit`. */
  readonly burst?: number;
}

/** Outcome of a check. */
export interface Decision {
  readonly allowed: boolean;
  /** The limit that decided: the one refused, else the one with least left. */
  readonly limit: Limit;
  /** Whole units left at once. */
  readonly remaining: number;
  /** Milliseconds until the same cost can pass; 0 when allowed, Infinity when the cost exceeds the limit. */
  readonly retryAfterMs: number;
  /** Milliseconds until the limit is back at full. */
  readonly resetMs: number;
  /** Refused by `block`. */
  readonly blocked: boolean;
  /** Who decided: `redis`, this process (`local`), or the policy for outages (`policy`). */
  readonly source: 'redis' | 'local' | 'policy';
}
