/** What the first bytes of an RDB file say about the server that wrote it. */
export interface RdbHeader {
  /** Version of the format: 10 for Redis 7.0, 11 for Redis 7.2 and Valkey 8, 12 for Redis 8, 80 for Valkey 9. */
  readonly version: number;
  readonly engine: 'redis' | 'valkey';
  /** For example `7.0.15`; undefined where it is not said. */
  readonly engineVersion: string | undefined;
}

/** Bytes that are enough for `readRdbHeader`. */
export const rdbHeaderBytes = 128;

/** Reads `REDIS0011` or `VALKEY080` and the auxiliary fields that follow; undefined for anything else. */
export function readRdbHeader(bytes: Buffer): RdbHeader | undefined {
  const magic = /^(?:REDIS(\d{4})|VALKEY(\d{3}))/.exec(bytes.toString('latin1', 0, 9));
  if (!magic) return undefined;
  const text = bytes.toString('latin1', 9);
  // An auxiliary field is 0xFA, then name and value with their lengths in a byte each.
  const field = /\xfa.(redis|valkey)-ver(.)/s.exec(text);
  const start = field ? field.index + field[0].length : 0;
  const engineVersion = field ? text.slice(start, start + field[2]!.charCodeAt(0)) : undefined;
  const engine = field?.[1] === 'valkey' || magic[2] !== undefined ? 'valkey' : 'redis';
  return { version: Number(magic[1] ?? magic[2]), engine, engineVersion };
}
