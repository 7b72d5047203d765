/** Publishing, and who listens. https://redis.io/docs/latest/commands/?group=pubsub */
import type { BlobString, Integer, RedisArgument } from '../protocol/types.js';
import { list, type Variadic } from './arguments.js';
import { Command, spec } from './command.js';
import { entriesOf } from './shapes.js';

const PUBLISH = spec('PUBLISH');
/** Sends a message; resolves with how many received it (of this node, in a cluster). Redis 2.0.0. */
export const publish = (channel: RedisArgument, message: RedisArgument) =>
  new Command<Integer>(PUBLISH, [channel, message]);

const pattern = (value: RedisArgument | undefined): unknown[] => (value === undefined ? [] : [value]);
const PUBSUB_CHANNELS = spec('PUBSUB CHANNELS');
/** Channels that have subscribers: all, or those that match the glob pattern. Redis 2.8.0. */
export const pubSubChannels = (match?: RedisArgument) => new Command<BlobString[]>(PUBSUB_CHANNELS, pattern(match));

const PUBSUB_NUMPAT = spec('PUBSUB NUMPAT');
/** How many patterns are subscribed to. Redis 2.8.0. */
export const pubSubNumPat = () => new Command<Integer>(PUBSUB_NUMPAT, []);

/** Flat under both protocols. Without a prototype, so that a channel named `__proto__` is data. */
const counts = (reply: unknown[]): unknown =>
  Object.assign(
    Object.create(null),
    Object.fromEntries(entriesOf(reply).map(([name, count]) => [name, Number(count)])),
  );
const channels = (value: Variadic | undefined): unknown[] => (value === undefined ? [] : list(value));
const PUBSUB_NUMSUB = spec('PUBSUB NUMSUB', { read: counts });
/** How many subscribers each channel has. Redis 2.8.0. */
export const pubSubNumSub = (names?: Variadic) => new Command<Record<string, number>>(PUBSUB_NUMSUB, channels(names));

const PUBSUB_SHARDCHANNELS = spec('PUBSUB SHARDCHANNELS');
/** Shard channels that have subscribers. Redis 7.0.0. */
export const pubSubShardChannels = (match?: RedisArgument) =>
  new Command<BlobString[]>(PUBSUB_SHARDCHANNELS, pattern(match));

const PUBSUB_SHARDNUMSUB = spec('PUBSUB SHARDNUMSUB', { read: counts });
/** How many subscribers each shard channel has. Redis 7.0.0. */
export const pubSubShardNumSub = (names?: Variadic) =>
  new Command<Record<string, number>>(PUBSUB_SHARDNUMSUB, channels(names));

const SPUBLISH = spec('SPUBLISH');
/** Sends a message to a shard channel, which belongs to a slot as a key does. Redis 7.0.0. */
export const sPublish = (channel: RedisArgument, message: RedisArgument) =>
  new Command<Integer>(SPUBLISH, [channel, message]);

export const aliases = {
  pubSubChannels: 'PUBSUB_CHANNELS',
  pubSubNumPat: 'PUBSUB_NUMPAT',
  pubSubNumSub: 'PUBSUB_NUMSUB',
  pubSubShardChannels: 'PUBSUB_SHARDCHANNELS',
  pubSubShardNumSub: 'PUBSUB_SHARDNUMSUB',
} as const;
