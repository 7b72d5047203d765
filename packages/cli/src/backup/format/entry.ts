import { z } from 'zod';

/** A label that becomes part of object names. */
export const label = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/);
const hash = z.string().regex(/^[0-9a-f]{64}$/);
const replid = z.string().regex(/^[0-9a-f]{40}$/);
const count = z.number().int().nonnegative();
/** Seconds since 1970, by the clock of the archiving host. */
const second = z.number().int();

const objectRef = z.strictObject({
  name: z.string().regex(/^data\/[A-Za-z0-9._/-]+$/),
  bytes: count,
  /** SHA-256 of the object as it is stored, that is encrypted. */
  sha256: hash,
});
export type ObjectRef = z.infer<typeof objectRef>;

const inHistory = {
  shard: label,
  /** Counted up whenever a full resync broke the stream: offsets are comparable within one history. */
  history: z.number().int().positive(),
};

/** A snapshot of a shard (RDB) as it was at `offset`. */
const base = z.strictObject({
  kind: z.literal('base'),
  ...inHistory,
  object: objectRef,
  replid,
  offset: count,
  second,
  rdbVersion: z.number().int().positive(),
  engine: z.enum(['redis', 'valkey']),
  engineVersion: z.string().optional(),
  /** Bytes of the snapshot before compression and encryption. */
  plainBytes: count,
  /** Public keys (`age1…`) whose identities open the objects from here on. */
  recipients: z.array(z.string()).min(1),
});

/** All writes of a shard after `from` up to and including `to` (an append-only file). */
const segment = z.strictObject({
  kind: z.literal('segment'),
  ...inHistory,
  object: objectRef,
  replid,
  from: count,
  to: count,
  firstSecond: second,
  lastSecond: second,
  commands: count,
  /** Commands of the stream that change no data and were left out: PING, REPLCONF, PUBLISH. */
  leftOut: count,
  /** The database that is selected behind the last command. */
  database: count,
  plainBytes: count,
});

/** Time in which a shard had no write. */
const quiet = z.strictObject({
  kind: z.literal('quiet'),
  ...inHistory,
  replid,
  from: count,
  to: count,
  firstSecond: second,
  lastSecond: second,
});

/** The stream was broken: writes between the end of the last history and the new base are not in the archive. */
const gap = z.strictObject({
  kind: z.literal('gap'),
  ...inHistory,
  reason: z.string(),
  /** Where the history before it ended; undefined for the first one. */
  lastOffset: count.optional(),
  lastSecond: second.optional(),
});

/** The stream went on under another replication id: another server became the primary. Nothing is missing. */
const failover = z.strictObject({ kind: z.literal('failover'), ...inHistory, replid, offset: count });

/** One moment over all shards. */
const cut = z.strictObject({
  kind: z.literal('cut'),
  second,
  offsets: z.record(label, z.strictObject({ history: z.number().int().positive(), offset: count })),
  /** True when writes were paused on every primary while the offsets were read. */
  oneMoment: z.boolean(),
  /** From the first pause to the last release, in milliseconds: how long a write could have waited. */
  pausedMs: z.number().nonnegative(),
  /** Why it is not one moment, or undefined. */
  reason: z.string().optional(),
});

/** What is beside the data: users, settings, slots. A sealed tar file. */
const settings = z.strictObject({ kind: z.literal('settings'), object: objectRef });

/** The clock of the archiving host jumped; seconds stay where they were until it has caught up. */
const clock = z.strictObject({ kind: z.literal('clock'), byMs: z.number().int(), second });

const body = z.discriminatedUnion('kind', [base, segment, quiet, gap, failover, cut, settings, clock]);
export type EntryBody = z.infer<typeof body>;
export type BaseBody = z.infer<typeof base>;
export type SegmentBody = z.infer<typeof segment>;
export type QuietBody = z.infer<typeof quiet>;
export type CutBody = z.infer<typeof cut>;

export const entrySchema = z.strictObject({
  format: z.literal(1),
  source: label,
  /** The first 16 hexadecimal digits of the SHA-256 of the writer's public key. */
  writer: z.string().regex(/^[0-9a-f]{16}$/),
  /** 1, 2, 3 … without a gap, over all shards of a writer. */
  seq: z.number().int().positive(),
  /** SHA-256 of the entry before; null for the first one. */
  previous: hash.nullable(),
  at: z.iso.datetime(),
  body,
});

/** One line of what a writer did; each entry holds the hash of the one before. */
export type Entry = z.infer<typeof entrySchema>;
export type EntryOf<Body extends EntryBody> = Omit<Entry, 'body'> & { readonly body: Body };

export function isBase(entry: Entry): entry is EntryOf<BaseBody> {
  return entry.body.kind === 'base';
}

export function isSegment(entry: Entry): entry is EntryOf<SegmentBody> {
  return entry.body.kind === 'segment';
}

export function isQuiet(entry: Entry): entry is EntryOf<QuietBody> {
  return entry.body.kind === 'quiet';
}

export function objectOf({ body }: Entry): ObjectRef | undefined {
  return 'object' in body ? body.object : undefined;
}
