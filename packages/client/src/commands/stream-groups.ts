/** XGROUP and XINFO: consumer groups and figures of streams. */
import type {
  BlobString,
  FieldsOf,
  Integer,
  MapOf,
  RedisArgument,
  SimpleString,
  TypeMapping,
} from '../protocol/types.js';
import { Command, spec } from './command.js';
import { pairsToMap, type Text } from './readers.js';

type Mapping = TypeMapping | undefined;

export interface XGroupCreateOptions {
  /** Create the stream if it is missing. */
  MKSTREAM?: boolean;
  /** Entries to count as read. Redis 7.0.0. */
  ENTRIESREAD?: number;
}
const XGROUP_CREATE = spec('XGROUP CREATE');
/** Creates a group that reads after `id` (`$` = only new entries). Redis 5.0.0. */
export function xGroupCreate(
  key: RedisArgument,
  group: RedisArgument,
  id: RedisArgument,
  options?: XGroupCreateOptions,
): Command<SimpleString<'OK'>> {
  const args: unknown[] = [key, group, id];
  if (options?.MKSTREAM) args.push('MKSTREAM');
  if (options?.ENTRIESREAD !== undefined) args.push('ENTRIESREAD', options.ENTRIESREAD);
  return new Command(XGROUP_CREATE, args);
}

const XGROUP_CREATECONSUMER = spec('XGROUP CREATECONSUMER');
/** 1 if the consumer is new. Redis 6.2.0. */
export const xGroupCreateConsumer = (key: RedisArgument, group: RedisArgument, consumer: RedisArgument) =>
  new Command<Integer>(XGROUP_CREATECONSUMER, [key, group, consumer]);

const XGROUP_DELCONSUMER = spec('XGROUP DELCONSUMER');
/** Removes a consumer; resolves with how many entries it had pending. Redis 5.0.0. */
export const xGroupDelConsumer = (key: RedisArgument, group: RedisArgument, consumer: RedisArgument) =>
  new Command<Integer>(XGROUP_DELCONSUMER, [key, group, consumer]);

const XGROUP_DESTROY = spec('XGROUP DESTROY');
/** Removes a group; 1 if there was one. Redis 5.0.0. */
export const xGroupDestroy = (key: RedisArgument, group: RedisArgument) =>
  new Command<Integer>(XGROUP_DESTROY, [key, group]);

export interface XGroupSetIdOptions {
  /** Redis 7.0.0. */
  ENTRIESREAD?: number;
}
const XGROUP_SETID = spec('XGROUP SETID');
/** Sets the id after which a group reads. Redis 5.0.0. */
export function xGroupSetId(
  key: RedisArgument,
  group: RedisArgument,
  id: RedisArgument,
  options?: XGroupSetIdOptions,
): Command<SimpleString<'OK'>> {
  const args: unknown[] = [key, group, id];
  if (options?.ENTRIESREAD !== undefined) args.push('ENTRIESREAD', options.ENTRIESREAD);
  return new Command(XGROUP_SETID, args);
}

const asMaps = (reply: unknown[], _: unknown, mapping: Mapping) =>
  reply.map((item) => (Array.isArray(item) ? pairsToMap(item, mapping) : item));

export type XInfoConsumersReply = FieldsOf<{
  name: BlobString;
  pending: Integer;
  idle: Integer;
  /** Redis 7.2.0. */
  inactive: Integer;
}>[];
const XINFO_CONSUMERS = spec('XINFO CONSUMERS', { read: asMaps });
/** Consumers of a group; idle times in milliseconds. Redis 5.0.0. */
export const xInfoConsumers = (key: RedisArgument, group: RedisArgument) =>
  new Command<XInfoConsumersReply>(XINFO_CONSUMERS, [key, group]);

export type XInfoGroupsReply = FieldsOf<{
  name: BlobString;
  consumers: Integer;
  pending: Integer;
  'last-delivered-id': BlobString;
  /** Redis 7.0.0. */
  'entries-read': Integer | null;
  /** Redis 7.0.0. */
  lag: Integer | null;
}>[];
const XINFO_GROUPS = spec('XINFO GROUPS', { read: asMaps });
/** Groups of a stream. Redis 5.0.0. */
export const xInfoGroups = (key: RedisArgument) => new Command<XInfoGroupsReply>(XINFO_GROUPS, [key]);

type Entry = { id: BlobString; message: MapOf<BlobString, BlobString> } | null;
export type XInfoStreamReply = FieldsOf<{
  length: Integer;
  'radix-tree-keys': Integer;
  'radix-tree-nodes': Integer;
  'last-generated-id': BlobString;
  /** Redis 7.0.0. */
  'max-deleted-entry-id': BlobString;
  'entries-added': Integer;
  'recorded-first-entry-id': BlobString;
  /** Redis 8.6.0, as the next five. */
  'idmp-duration': Integer;
  'idmp-maxsize': Integer;
  'pids-tracked': Integer;
  'iids-tracked': Integer;
  'iids-added': Integer;
  'iids-duplicates': Integer;
  groups: Integer;
  'first-entry': Entry;
  'last-entry': Entry;
}>;
function entriesToMessages(reply: unknown, _: unknown, mapping: Mapping): unknown {
  const toEntry = (raw: [Text, Text[]] | null) =>
    raw === null ? null : { id: raw[0], message: pairsToMap(raw[1], mapping) };
  const isEntry = (name: unknown) => /^(first|last)-entry$/.test(String(name));
  if (reply instanceof Map) {
    for (const [name, value] of reply) if (isEntry(name)) reply.set(name, toEntry(value));
  } else if (Array.isArray(reply)) {
    for (let i = 0; i < reply.length; i += 2) if (isEntry(reply[i])) reply[i + 1] = toEntry(reply[i + 1]);
  } else {
    const fields = reply as Record<string, [Text, Text[]] | null>;
    for (const name of Object.keys(fields)) if (isEntry(name)) fields[name] = toEntry(fields[name]!) as never;
  }
  return reply;
}
const XINFO_STREAM = spec('XINFO STREAM', {
  read: (reply: object, _, mapping) =>
    entriesToMessages(Array.isArray(reply) ? pairsToMap(reply, mapping) : reply, _, mapping),
});
/** Figures of a stream. Redis 5.0.0. */
export const xInfoStream = (key: RedisArgument) => new Command<XInfoStreamReply>(XINFO_STREAM, [key]);

export const aliases = {
  xGroupCreate: 'XGROUP_CREATE',
  xGroupCreateConsumer: 'XGROUP_CREATECONSUMER',
  xGroupDelConsumer: 'XGROUP_DELCONSUMER',
  xGroupDestroy: 'XGROUP_DESTROY',
  xGroupSetId: 'XGROUP_SETID',
  xInfoConsumers: 'XINFO_CONSUMERS',
  xInfoGroups: 'XINFO_GROUPS',
  xInfoStream: 'XINFO_STREAM',
} as const;
