/** The reply of `INFO everything` as one flat record. */
export type Info = Readonly<Record<string, string>>;

/** One command's share of the work in the time that was watched, from `INFO commandstats`. */
export interface CommandUse {
  /** Lower case, with its subcommand: `config|set`. */
  readonly name: string;
  readonly calls: number;
  /** Microseconds of the server's main thread. */
  readonly usec: number;
  readonly rejected: number;
  readonly failed: number;
}

/** A SLOWLOG entry without its arguments, which hold keys and values. */
export interface SlowEntry {
  readonly command: string;
  readonly usec: number;
  /** Seconds since 1970, by the server's clock. */
  readonly at: number;
  readonly arguments: number;
  /** The pattern of the first key: ids are replaced by `*`. */
  readonly keyPattern?: string;
}

/** An event of the latency monitor. Milliseconds. */
export interface LatencyEvent {
  readonly event: string;
  readonly latestMs: number;
  readonly maxMs: number;
}

/** A line of CLIENT LIST, as far as the rules need it. */
export interface ClientRow {
  readonly address: string;
  readonly name: string;
  readonly user: string;
  readonly library: string;
  readonly flags: string;
  /** Seconds since it connected and since its last command. */
  readonly ageSeconds: number;
  readonly idleSeconds: number;
  /** Bytes that wait to be read by this client. */
  readonly outputBytes: number;
  /** Blocks of replies that wait. Valkey 9 shares large values between them, so that their bytes are not in `outputBytes`. */
  readonly outputBlocks: number;
  readonly queryBytes: number;
  readonly lastCommand: string;
}

/** One key that was looked at. */
export interface SampledKey {
  /** The name with ids replaced by `*`; the name itself only where `showKeys` asked for it. */
  readonly pattern: string;
  readonly type: string;
  readonly bytes: number;
  readonly elements: number;
  readonly expires: boolean;
  readonly idleSeconds?: number;
  readonly frequency?: number;
}

export interface KeySample {
  readonly keys: readonly SampledKey[];
  /** Keys in the database that was sampled. */
  readonly total: number;
  /** True when every key was looked at. */
  readonly complete: boolean;
}

/** What only the server's own machine can say; absent for a server elsewhere. */
export interface HostFacts {
  readonly transparentHugePages?: string;
  readonly overcommitMemory?: string;
  readonly swappedBytes?: number;
  readonly somaxconn?: number;
}

/** What could not be looked at, and why. */
export interface Unknown {
  readonly what: string;
  readonly reason: string;
}

/** Everything the rules judge. Made once by `gatherEvidence`; the rules touch no server. */
export interface Evidence {
  readonly address: string;
  readonly engine: string;
  readonly version: string;
  readonly role: string;
  /** Seconds between the two readings of INFO. */
  readonly seconds: number;
  readonly before: Info;
  readonly after: Info;
  readonly commands: readonly CommandUse[];
  /** Round trips of PING in microseconds, sorted. */
  readonly pings: readonly number[];
  /** How late this process itself was while it watched (95th percentile, microseconds): it distorts the round trips. */
  readonly ownDelay: number;
  readonly slow: readonly SlowEntry[];
  readonly latency: readonly LatencyEvent[];
  readonly clients: readonly ClientRow[];
  readonly keys?: KeySample;
  readonly host?: HostFacts;
  /** `notAfter` of the certificate that the server presented. */
  readonly certificateExpires?: Date;
  readonly now: Date;
  readonly unknown: readonly Unknown[];
  /** What looking cost the server: commands sent, and microseconds as far as it counts them. */
  readonly cost: { readonly commands: number; readonly usec: number };
}

/** A number of INFO; `undefined` where the server does not have that field. */
export function numberOf(info: Info, field: string): number | undefined {
  const text = info[field];
  if (text === undefined || text === '') return undefined;
  const value = Number.parseFloat(text);
  return Number.isNaN(value) ? undefined : value;
}

/** How much a counter of INFO grew while it was watched. A counter that was reset counts from zero. */
export function growth({ before, after }: Evidence, field: string): number {
  const now = numberOf(after, field) ?? 0;
  const then = numberOf(before, field) ?? 0;
  return now >= then ? now - then : now;
}

/** The value at a quantile of sorted numbers; `undefined` for none. */
export function quantile(sorted: readonly number[], q: number): number | undefined {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
}
