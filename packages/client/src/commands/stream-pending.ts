/** What a consumer group has delivered and not yet seen acknowledged: XACK, XCLAIM, XPENDING and their like. */
import type { BlobString, Integer, RedisArgument } from '../protocol/types.js';
import { list, millis, pushCounted, type Variadic, word } from './arguments.js';
import { Command, spec } from './command.js';
import type { Text } from './readers.js';
import {
  deletionArguments,
  type RawMessage,
  type StreamDeletionPolicy,
  type StreamDeletionReplyCode,
  type StreamMessage,
  streamId,
  toMessagesOrNull,
} from './stream-messages.js';

const XACK = spec('XACK');
/** Marks as processed; resolves with how many were pending. Redis 5.0.0. */
export const xAck = (key: RedisArgument, group: RedisArgument, id: Variadic) =>
  new Command<Integer>(XACK, [key, group, ...list(id)]);

const XACKDEL = spec('XACKDEL');
/** Acknowledges and deletes. Redis 8.2.0. */
export const xAckDel = (key: RedisArgument, group: RedisArgument, id: Variadic, policy?: StreamDeletionPolicy) =>
  new Command<Integer<StreamDeletionReplyCode>[]>(XACKDEL, deletionArguments('XACKDEL', [key, group], id, policy));

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

export const aliases = {
  xAutoClaimJustId: 'XAUTOCLAIM_JUSTID',
  xClaimJustId: 'XCLAIM_JUSTID',
  xPendingRange: 'XPENDING_RANGE',
} as const;
