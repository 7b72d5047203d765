/** What the commands of streams share: entries as replies, ids and policies as arguments. */
import { InvalidArgumentError } from '../errors.js';
import type { BlobString, Integer, MapOf, RedisArgument, TypeMapping } from '../protocol/types.js';
import { pushCounted, type Variadic, word } from './arguments.js';
import { pairsToMap, type Text } from './readers.js';

/** What happens to references that consumer groups hold to a deleted entry. Redis 8.2.0. */
export const STREAM_DELETION_POLICY = { KEEPREF: 'KEEPREF', DELREF: 'DELREF', ACKED: 'ACKED' } as const;
export type StreamDeletionPolicy = (typeof STREAM_DELETION_POLICY)[keyof typeof STREAM_DELETION_POLICY];
/** What XDELEX and XACKDEL answer for each id. */
export const STREAM_DELETION_REPLY_CODES = { NOT_FOUND: -1, DELETED: 1, DANGLING_REFS: 2 } as const;
export type StreamDeletionReplyCode = (typeof STREAM_DELETION_REPLY_CODES)[keyof typeof STREAM_DELETION_REPLY_CODES];

export const policyWord = (command: string, value: StreamDeletionPolicy) =>
  word(command, 'policy', value, ['KEEPREF', 'DELREF', 'ACKED']);

/** Ids stand where the server still looks for options: only what reads as an id passes. */
export function streamId(command: string, id: RedisArgument): RedisArgument {
  if (id !== '*' && !/^(\*|-|\+|\d+(-(\d+|\*))?)$/.test(String(id)))
    throw new InvalidArgumentError(command, 'id', 'is not a stream id');
  return id;
}

/** An entry of a stream. */
export interface StreamMessage {
  id: BlobString;
  /**
   * Null where a consumer asks for what it has pending (XREADGROUP with an id, XCLAIM, XAUTOCLAIM) and the entry was
   * deleted or trimmed meanwhile. The type is node-redis's, which has no null.
   */
  message: MapOf<BlobString, BlobString>;
  /** With XREADGROUP's CLAIM. */
  millisElapsedFromDelivery?: Integer;
  deliveriesCounter?: Integer;
}
export type RawMessage = [id: Text, message: Text[] | null, elapsed?: number, deliveries?: number];
export type Mapping = TypeMapping | undefined;

export function toMessage([id, message, elapsed, deliveries]: RawMessage, mapping: Mapping) {
  const entry: Record<string, unknown> = { id, message: message === null ? null : pairsToMap(message, mapping) };
  if (elapsed !== undefined) entry['millisElapsedFromDelivery'] = elapsed;
  if (deliveries !== undefined) entry['deliveriesCounter'] = deliveries;
  return entry;
}
export const toMessages = (reply: RawMessage[], _: unknown, mapping: Mapping) =>
  reply.map((message) => toMessage(message, mapping));
export const toMessagesOrNull = (reply: (RawMessage | null)[], _: unknown, mapping: Mapping) =>
  reply.map((message) => (message === null ? null : toMessage(message, mapping)));

export function deletionArguments(
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
