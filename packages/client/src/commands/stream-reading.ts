/** XREAD and XREADGROUP. */
import type { BlobString, RedisArgument } from '../protocol/types.js';
import { list, type Variadic } from './arguments.js';
import { Command, Flag, spec, streamKeys } from './command.js';
import type { Text } from './readers.js';
import { type Mapping, type RawMessage, type StreamMessage, toMessages } from './stream-messages.js';

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
  // Pairs are RESP2's; a flat list is RESP3's map under a mapping.
  if (Array.isArray(reply[0])) return reply as [unknown, unknown][];
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
