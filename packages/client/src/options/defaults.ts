/** Milliseconds and counts that bound a client, in one place. */
export const DEFAULTS = {
  connectTimeout: 5_000,
  /** For `connect()`, unless a connect timeout or a reconnect strategy is given: an answer within 5 s. */
  startupTimeout: 4_500,
  handshakeTimeout: 5_000,
  commandTimeout: 5_000,
  /** For what is in flight to finish, at `close()`. */
  closeTimeout: 5_000,
  keepAliveInitialDelay: 30_000,
  maxCommands: 1_000_000,
  maxQueueBytes: 128 * 1024 * 1024,
  maxRetries: 3,
} as const;
