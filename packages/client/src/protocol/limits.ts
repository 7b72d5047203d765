/**
 * Bounds on what a server may make this process hold. Each is checked when a length is announced, before memory is
 * taken for it; crossing one tears the connection down.
 */
export interface ReplyLimits {
  /** Bytes in one bulk string. Default 512 MiB, the server's own `proto-max-bulk-len`. */
  readonly maxBulkBytes: number;
  /** Elements still outstanding in all open aggregates together. Default 2^24. */
  readonly maxElements: number;
  /** Aggregates within aggregates. Default 64; no Redis command nests deeper than ten. */
  readonly maxDepth: number;
  /** Bytes in one simple string or error line. Default 64 KiB. */
  readonly maxLineBytes: number;
  /** Digits in one big number. Default 4096: parsing is quadratic in them. */
  readonly maxBigNumberDigits: number;
  /** Bytes in one whole reply. Default 2 GiB. */
  readonly maxReplyBytes: number;
}

export const DEFAULT_REPLY_LIMITS: ReplyLimits = {
  maxBulkBytes: 512 * 1024 * 1024,
  maxElements: 2 ** 24,
  maxDepth: 64,
  maxLineBytes: 64 * 1024,
  maxBigNumberDigits: 4096,
  maxReplyBytes: 2 * 1024 ** 3,
};
