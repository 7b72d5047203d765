/** Commands of the group "stream". https://redis.io/docs/latest/commands/?group=stream */
import { InvalidArgumentError } from '../errors.js';
import type { BlobString, Integer, MapOf, RedisArgument, SimpleString, TypeMapping } from '../protocol/types.js';
import { list, millis, pushCounted, type Variadic, word } from './arguments.js';
import { Command, Flag, spec, streamKeys } from './command.js';
import { pairsToMap, type Text } from './readers.js';

/** What happens to references that consumer groups hold to a deleted entry. Redis 8.2.0. */
export const STREAM_DELETION_POLICY = { KEEPREF: 'KEEPREF', DELREF: 'DELREF', ACKED: 'ACKED' } as const;
export type StreamDeletionPolicy = (typeof STREAM_DELETION_POLICY)[keyof typeof STREAM_DELETION_POLICY];
/** What XDELEX and XACKDEL answer for each id. */
export const STREAM_DELETION_REPLY_CODES = { NOT_FOUND: -1, DELETED: 1, DANGLING_REFS: 2 } as const;
export type StreamDeletionReplyCode = (typeof STREAM_DELETION_REPLY_CODES)[keyof typeof STREAM_DELETION_REPLY_CODES];

const policyWord = (command: string, value: StreamDeletionPolicy) =>
  word(command, 'policy', value, ['KEEPREF', 'DELREF', 'ACKED']);

/** Ids stand where the server still looks for options: only what reads as an id passes. */
function streamId(command: string, id: RedisArgument): RedisArgument {
  if (id !== '*' && !/^(\*|-|\+|\d+(-(\d+|\*))?)$/.test(String(id)))
    throw new InvalidArgumentError(command, 'id', 'is not a stream id');
  return id;
}

/** An entry of a stream. */
export interface StreamMessage {
  id: BlobString;
  message: MapOf<BlobString, BlobString>;
  /** With XREADGROUP's CLAIM. */
  millisElapsedFromDelivery?: Integer;
  deliveriesCounter?: Integer;
}
type RawMessage = [id: Text, message: Text[], elapsed?: number, deliveries?: number];
type Mapping = TypeMapping | undefined;

function toMessage([id, message, elapsed, deliveries]: RawMessage, mapping: Mapping) {
  const entry: Record<string, unknown> = { id, message: pairsToMap(message, mapping) };
  if (elapsed !== undefined) entry['millisElapsedFromDelivery'] = elapsed;
  if (deliveries !== undefined) entry['deliveriesCounter'] = deliveries;
  return entry;
}
const toMessages = (reply: RawMessage[], _: unknown, mapping: Mapping) =>
  reply.map((message) => toMessage(message, mapping));
const toMessagesOrNull = (reply: (RawMessage | null)[], _: unknown, mapping: Mapping) =>
  reply.map((message) => (message === null ? null : toMessage(message, mapping)));

const XACK = spec('XACK');
/** Marks as processed; resolves with how many were pending. Redis 5.0.0. */
export const xAck = (key: RedisArgument, group: RedisArgument, id: Variadic) =>
  new Command<Integer>(XACK, [key, group, ...list(id)]);

function deletionArguments(
  command: string,
  args: unknown[],
  id: Variadic,
  policy: StreamDeletionPolicy | undefined,
): unknown[] {
  if (policy !== undefined) args.push(policyWord(command, policy));
  args.push('IDS');
  pushCounted(args, id);
  return args;
}
const XACKDEL = spec('XACKDEL');
/** Acknowledges and deletes. Redis 8.2.0. */
export const xAckDel = (key: RedisArgument, group: RedisArgument, id: Variadic, policy?: StreamDeletionPolicy) =>
  new Command<Integer<StreamDeletionReplyCode>[]>(XACKDEL, deletionArguments('XACKDEL', [key, group], id, policy));

export interface XAddOptions {
  /** Redis 8.2.0. */
  policy?: StreamDeletionPolicy;
  /** Idempotent: the server recognizes a repeated message of producer `pid` by its content. Redis 8.6.0. */
  IDMPAUTO?: { pid: RedisArgument };
  /** Idempotent: message `iid` of producer `pid` is added once. Redis 8.6.0. */
  IDMP?: { pid: RedisArgument; iid: RedisArgument };
  TRIM?: {
    strategy?: 'MAXLEN' | 'MINID';
    strategyModifier?: '=' | '~';
    threshold: number | string;
    /** Remove at most so many entries; needs `~`. */
    limit?: number;
    /** Redis 8.6.0. */
    policy?: StreamDeletionPolicy;
  };
}
function addArguments(
  key: RedisArgument,
  id: RedisArgument,
  message: Readonly<Record<string, RedisArgument>>,
  options: XAddOptions | undefined,
  ...more: string[]
): unknown[] {
  const args: unknown[] = [key, ...more];
  if (options?.policy) args.push(policyWord('XADD', options.policy));
  if (options?.IDMPAUTO) args.push('IDMPAUTO', options.IDMPAUTO.pid);
  else if (options?.IDMP) args.push('IDMP', options.IDMP.pid, options.IDMP.iid);
  if (options?.TRIM) {
    const { strategy, strategyModifier, threshold, limit, policy } = options.TRIM;
    if (strategy) args.push(word('XADD', 'strategy', strategy, ['MAXLEN', 'MINID']));
    if (strategyModifier) args.push(word('XADD', 'strategyModifier', strategyModifier, ['=', '~']));
    args.push(threshold);
    if (limit !== undefined) args.push('LIMIT', limit);
    if (policy) args.push(policyWord('XADD', policy));
  }
  args.push(streamId('XADD', id));
  for (const field of Object.keys(message)) args.push(field, message[field]);
  return args;
}
const XADD = spec('XADD');
/**
 * Appends an entry; resolves with its id. Redis 5.0.0.
 * @example
 * await client.xAdd('events', '*', { type: 'signed-in', user: '42' });
 */
export const xAdd = (
  key: RedisArgument,
  id: RedisArgument,
  message: Readonly<Record<string, RedisArgument>>,
  options?: XAddOptions,
) => new Command<BlobString>(XADD, addArguments(key, id, message, options));
/** {@link xAdd} if the stream exists, else null. Redis 6.2.0. */
export const xAddNoMkStream = (
  key: RedisArgument,
  id: RedisArgument,
  message: Readonly<Record<string, RedisArgument>>,
  options?: XAddOptions,
) => new Command<BlobString | null>(XADD, addArguments(key, id, message, options, 'NOMKSTREAM'));

export interface XAutoClaimOptions {
  COUNT?: number;
}
function autoClaim(
  key: RedisArgument,
  group: RedisArgument,
  consumer: RedisArgument,
  minIdleTime: number,
  start: RedisArgument,
  options: XAutoClaimOptions | undefined,
): unknown[] {
  const args: unknown[] = [key, group, consumer, minIdleTime, start];
  if (options?.COUNT) args.push('COUNT', options.COUNT);
  return args;
}
const XAUTOCLAIM = spec('XAUTOCLAIM', {
  read: ([nextId, messages, deletedMessages]: [Text, (RawMessage | null)[], Text[]], _, mapping) => ({
    nextId,
    messages: toMessagesOrNull(messages, _, mapping),
    deletedMessages,
  }),
});
/** Takes over entries that were pending for `minIdleTime` ms or longer. Redis 6.2.0. */
export const xAutoClaim = (
  key: RedisArgument,
  group: RedisArgument,
  consumer: RedisArgument,
  minIdleTime: number,
  start: RedisArgument,
  options?: XAutoClaimOptions,
) =>
  new Command<{ nextId: BlobString; messages: (StreamMessage | null)[]; deletedMessages: BlobString[] }>(
    XAUTOCLAIM,
    autoClaim(key, group, consumer, minIdleTime, start, options),
  );
const XAUTOCLAIM_JUSTID = spec('XAUTOCLAIM', {
  read: ([nextId, messages, deletedMessages]: [Text, Text[], Text[]]) => ({ nextId, messages, deletedMessages }),
});
/** {@link xAutoClaim} with ids only. Redis 6.2.0. */
export const xAutoClaimJustId = (
  key: RedisArgument,
  group: RedisArgument,
  consumer: RedisArgument,
  minIdleTime: number,
  start: RedisArgument,
  options?: XAutoClaimOptions,
) =>
  new Command<{ nextId: BlobString; messages: BlobString[]; deletedMessages: BlobString[] }>(XAUTOCLAIM_JUSTID, [
    ...autoClaim(key, group, consumer, minIdleTime, start, options),
    'JUSTID',
  ]);

export interface XCfgSetOptions {
  /** Seconds that idempotency ids are remembered. */
  IDMP_DURATION?: number;
  /** How many are remembered for each producer. */
  IDMP_MAXSIZE?: number;
}
const XCFGSET = spec('XCFGSET');
/** Configures a stream's idempotency. Redis 8.6.0. */
export function xCfgSet(key: RedisArgument, options?: XCfgSetOptions): Command<SimpleString<'OK'>> {
  const args: unknown[] = [key];
  if (options?.IDMP_DURATION !== undefined) args.push('IDMP-DURATION', options.IDMP_DURATION);
  if (options?.IDMP_MAXSIZE !== undefined) args.push('IDMP-MAXSIZE', options.IDMP_MAXSIZE);
  return new Command(XCFGSET, args);
}

export interface XClaimOptions {
  /** Milliseconds of idleness to give them. */
  IDLE?: number;
  /** Unix time in milliseconds of the last delivery. */
  TIME?: number | Date;
  RETRYCOUNT?: number;
  /** Also entries that nobody has pending. */
  FORCE?: boolean;
  LASTID?: RedisArgument;
}
function claim(
  key: RedisArgument,
  group: RedisArgument,
  consumer: RedisArgument,
  minIdleTime: number,
  id: Variadic,
  options: XClaimOptions | undefined,
): unknown[] {
  const ids = (list(id) as RedisArgument[]).map((item) => streamId('XCLAIM', item));
  const args: unknown[] = [key, group, consumer, minIdleTime, ...ids];
  if (options?.IDLE !== undefined) args.push('IDLE', options.IDLE);
  if (options?.TIME !== undefined) args.push('TIME', millis(options.TIME));
  if (options?.RETRYCOUNT !== undefined) args.push('RETRYCOUNT', options.RETRYCOUNT);
  if (options?.FORCE) args.push('FORCE');
  if (options?.LASTID !== undefined) args.push('LASTID', options.LASTID);
  return args;
}
const XCLAIM = spec('XCLAIM', { read: toMessagesOrNull });
/** Takes over pending entries by id. Redis 5.0.0. */
export const xClaim = (
  key: RedisArgument,
  group: RedisArgument,
  consumer: RedisArgument,
  minIdleTime: number,
  id: Variadic,
  options?: XClaimOptions,
) => new Command<(StreamMessage | null)[]>(XCLAIM, claim(key, group, consumer, minIdleTime, id, options));
const XCLAIM_JUSTID = spec('XCLAIM');
/** {@link xClaim} with ids only. Redis 5.0.0. */
export const xClaimJustId = (
  key: RedisArgument,
  group: RedisArgument,
  consumer: RedisArgument,
  minIdleTime: number,
  id: Variadic,
  options?: XClaimOptions,
) => new Command<BlobString[]>(XCLAIM_JUSTID, [...claim(key, group, consumer, minIdleTime, id, options), 'JUSTID']);

const XDEL = spec('XDEL');
/** Deletes entries; resolves with how many there were. Redis 5.0.0. */
export const xDel = (key: RedisArgument, id: Variadic) => new Command<Integer>(XDEL, [key, ...list(id)]);

const XDELEX = spec('XDELEX');
/** Deletes entries, with a say about references. Redis 8.2.0. */
export const xDelEx = (key: RedisArgument, id: Variadic, policy?: StreamDeletionPolicy) =>
  new Command<Integer<StreamDeletionReplyCode>[]>(XDELEX, deletionArguments('XDELEX', [key], id, policy));

const XLEN = spec('XLEN');
/** Number of entries. Redis 5.0.0. */
export const xLen = (key: RedisArgument) => new Command<Integer>(XLEN, [key]);

export type XNackMode = 'SILENT' | 'FAIL' | 'FATAL';
export interface XNackOptions {
  RETRYCOUNT?: number;
  FORCE?: boolean;
}
const XNACK = spec('XNACK');
/** Gives pending entries back to the group. Redis 8.8.0. */
export function xNack(
  key: RedisArgument,
  group: RedisArgument,
  mode: XNackMode,
  id: Variadic,
  options?: XNackOptions,
): Command<Integer> {
  const args: unknown[] = [key, group, word('XNACK', 'mode', mode, ['SILENT', 'FAIL', 'FATAL']), 'IDS'];
  pushCounted(args, id);
  if (options?.RETRYCOUNT !== undefined) args.push('RETRYCOUNT', options.RETRYCOUNT);
  if (options?.FORCE) args.push('FORCE');
  return new Command(XNACK, args);
}

const XPENDING = spec('XPENDING', {
  read: ([pending, firstId, lastId, consumers]: [number, Text | null, Text | null, [Text, Text][] | null]) => ({
    pending,
    firstId,
    lastId,
    consumers: consumers?.map(([name, count]) => ({ name, deliveriesCounter: Number(count) })) ?? null,
  }),
});
/** Summary of what a group has pending. Redis 5.0.0. */
export const xPending = (key: RedisArgument, group: RedisArgument) =>
  new Command<{
    pending: Integer;
    firstId: BlobString | null;
    lastId: BlobString | null;
    consumers: { name: BlobString; deliveriesCounter: number }[] | null;
  }>(XPENDING, [key, group]);

export interface XPendingRangeOptions {
  /** Only what has been idle for so many milliseconds. Redis 6.2.0. */
  IDLE?: number;
  consumer?: RedisArgument;
}
const XPENDING_RANGE = spec('XPENDING', {
  read: (reply: [Text, Text, number, number][]) =>
    reply.map(([id, consumer, millisecondsSinceLastDelivery, deliveriesCounter]) => ({
      id,
      consumer,
      millisecondsSinceLastDelivery,
      deliveriesCounter,
    })),
});
/** Pending entries one by one. Redis 5.0.0. */
export function xPendingRange(
  key: RedisArgument,
  group: RedisArgument,
  start: RedisArgument,
  end: RedisArgument,
  count: number,
  options?: XPendingRangeOptions,
): Command<
  { id: BlobString; consumer: BlobString; millisecondsSinceLastDelivery: Integer; deliveriesCounter: Integer }[]
> {
  const args: unknown[] = [key, group];
  if (options?.IDLE !== undefined) args.push('IDLE', options.IDLE);
  args.push(start, end, count);
  if (options?.consumer) args.push(options.consumer);
  return new Command(XPENDING_RANGE, args);
}

export interface XRangeOptions {
  COUNT?: number;
}
const rangeArguments = (key: RedisArgument, start: RedisArgument, end: RedisArgument, options?: XRangeOptions) =>
  options?.COUNT ? [key, start, end, 'COUNT', options.COUNT] : [key, start, end];
const XRANGE = spec('XRANGE', { read: toMessages });
/** Entries `start` to `end` (`-` and `+` are the ends). Redis 5.0.0. */
export const xRange = (key: RedisArgument, start: RedisArgument, end: RedisArgument, options?: XRangeOptions) =>
  new Command<StreamMessage[]>(XRANGE, rangeArguments(key, start, end, options));
const XREVRANGE = spec('XREVRANGE', { read: toMessages });
/** {@link xRange} from the end. Redis 5.0.0. */
export const xRevRange = (key: RedisArgument, start: RedisArgument, end: RedisArgument, options?: XRangeOptions) =>
  new Command<StreamMessage[]>(XREVRANGE, rangeArguments(key, start, end, options));

export interface XReadStream {
  key: RedisArgument;
  /** Entries after this id; `$` new ones only, `>` (XREADGROUP) ones never delivered. */
  id: RedisArgument;
}
export interface XReadOptions {
  COUNT?: number;
  /** Entries of all streams together. Redis 8.8.0. */
  MAXCOUNT?: number;
  /** Bytes of all entries together. Redis 8.8.0. */
  MAXSIZE?: number;
  /** Wait so many milliseconds for an entry (0 = for ever), on a connection of its own. */
  BLOCK?: number;
}
function pushReadOptions(args: unknown[], options: XReadOptions | undefined): void {
  if (options?.COUNT !== undefined) args.push('COUNT', options.COUNT);
  if (options?.MAXCOUNT !== undefined) args.push('MAXCOUNT', options.MAXCOUNT);
  if (options?.MAXSIZE !== undefined) args.push('MAXSIZE', options.MAXSIZE);
  if (options?.BLOCK !== undefined) args.push('BLOCK', options.BLOCK);
}
function pushStreams(args: unknown[], streams: Variadic<XReadStream>): void {
  const items = list(streams) as XReadStream[];
  args.push('STREAMS', ...items.map(({ key }) => key), ...items.map(({ id }) => id));
}
/** One stream's entries. The name is a Buffer under a Buffer mapping in RESP2 only: it is a map's key in RESP3. */
export interface StreamMessages {
  name: BlobString | string;
  messages: StreamMessage[];
}
type RawStreams = [Text, RawMessage[]];
const streams = {
  2: (reply: RawStreams[] | null, _: unknown, mapping: Mapping) =>
    reply?.map(([name, messages]) => ({ name, messages: toMessages(messages, _, mapping) })) ?? null,
  3: (
    reply: Record<string, RawMessage[]> | Map<Text, RawMessage[]> | unknown[] | null,
    _: unknown,
    mapping: Mapping,
  ) =>
    reply === null
      ? null
      : mapEntries(reply).map(([name, messages]) => ({
          name: String(name),
          messages: toMessages(messages as RawMessage[], _, mapping),
        })),
};
function mapEntries(reply: object): [unknown, unknown][] {
  if (reply instanceof Map) return [...reply];
  if (!Array.isArray(reply)) return Object.entries(reply);
  const entries: [unknown, unknown][] = [];
  for (let i = 0; i < reply.length; i += 2) entries.push([reply[i], reply[i + 1]]);
  return entries;
}

const readOptions = { keys: streamKeys, read: streams };
const XREAD = spec('XREAD', readOptions);
const XREAD_BLOCK = spec('XREAD', { ...readOptions, flags: Flag.BLOCKING });
/**
 * Entries of one or several streams after given ids; null when there are none. Redis 5.0.0.
 * @example
 * await client.xRead({ key: 'events', id: '$' }, { BLOCK: 5000 });
 */
export function xRead(from: Variadic<XReadStream>, options?: XReadOptions): Command<StreamMessages[] | null> {
  const args: unknown[] = [];
  pushReadOptions(args, options);
  pushStreams(args, from);
  return new Command(options?.BLOCK === undefined ? XREAD : XREAD_BLOCK, args);
}

export interface XReadGroupOptions extends XReadOptions {
  NOACK?: boolean;
  /** Also take over entries pending for so many milliseconds. Redis 8.4.0. */
  CLAIM?: number;
}
const XREADGROUP = spec('XREADGROUP', readOptions);
const XREADGROUP_BLOCK = spec('XREADGROUP', { ...readOptions, flags: Flag.BLOCKING });
/** {@link xRead} as a consumer of a group. Redis 5.0.0. */
export function xReadGroup(
  group: RedisArgument,
  consumer: RedisArgument,
  from: Variadic<XReadStream>,
  options?: XReadGroupOptions,
): Command<StreamMessages[] | null> {
  const args: unknown[] = ['GROUP', group, consumer];
  pushReadOptions(args, options);
  if (options?.CLAIM !== undefined) args.push('CLAIM', options.CLAIM);
  if (options?.NOACK) args.push('NOACK');
  pushStreams(args, from);
  return new Command(options?.BLOCK === undefined ? XREADGROUP : XREADGROUP_BLOCK, args);
}

export interface XSetIdOptions {
  ENTRIESADDED?: number;
  MAXDELETEDID?: RedisArgument;
}
const XSETID = spec('XSETID');
/** Sets a stream's last id. Redis 5.0.0. */
export function xSetId(
  key: RedisArgument,
  lastId: RedisArgument,
  options?: XSetIdOptions,
): Command<SimpleString<'OK'>> {
  const args: unknown[] = [key, lastId];
  if (options?.ENTRIESADDED !== undefined) args.push('ENTRIESADDED', options.ENTRIESADDED);
  if (options?.MAXDELETEDID) args.push('MAXDELETEDID', options.MAXDELETEDID);
  return new Command(XSETID, args);
}

export interface XTrimOptions {
  strategyModifier?: '=' | '~';
  /** Remove at most so many; needs `~`. */
  LIMIT?: number;
  /** Redis 8.2.0. */
  policy?: StreamDeletionPolicy;
}
const XTRIM = spec('XTRIM');
/** Removes the oldest entries beyond a length or before an id; resolves with how many. Redis 5.0.0. */
export function xTrim(
  key: RedisArgument,
  strategy: 'MAXLEN' | 'MINID',
  threshold: number | string,
  options?: XTrimOptions,
): Command<Integer> {
  const args: unknown[] = [key, word('XTRIM', 'strategy', strategy, ['MAXLEN', 'MINID'])];
  if (options?.strategyModifier) args.push(word('XTRIM', 'strategyModifier', options.strategyModifier, ['=', '~']));
  args.push(threshold);
  if (options?.LIMIT !== undefined) args.push('LIMIT', options.LIMIT);
  if (options?.policy) args.push(policyWord('XTRIM', options.policy));
  return new Command(XTRIM, args);
}

export const aliases = {
  xAddNoMkStream: 'XADD_NOMKSTREAM',
  xAutoClaimJustId: 'XAUTOCLAIM_JUSTID',
  xClaimJustId: 'XCLAIM_JUSTID',
  xPendingRange: 'XPENDING_RANGE',
} as const;
