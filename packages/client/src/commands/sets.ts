/** Commands of the group "set". https://redis.io/docs/latest/commands/?group=set */
import type { BlobString, Integer, RedisArgument, SetOf } from '../protocol/types.js';
import { list, pushCounted, pushScanOptions, type ScanCommonOptions, type Variadic } from './arguments.js';
import { Command, numkeys, spec } from './command.js';
import { asSet, type Text } from './readers.js';

const SADD = spec('SADD');
/** Adds members; resolves with how many are new. Redis 1.0.0. */
export const sAdd = (key: RedisArgument, members: Variadic) => new Command<Integer>(SADD, [key, ...list(members)]);

const SCARD = spec('SCARD');
/** Number of members. Redis 1.0.0. */
export const sCard = (key: RedisArgument) => new Command<Integer>(SCARD, [key]);

const SDIFF = spec('SDIFF', { read: asSet });
/** Members of the first set that are in none of the others. Redis 1.0.0. */
export const sDiff = (keys: Variadic) => new Command<SetOf<BlobString>>(SDIFF, list(keys));

export interface SetCardOptions {
  /** Stop counting here; 0 = no limit. */
  LIMIT?: number;
}
function cardArguments(keys: Variadic, options: SetCardOptions | number | undefined, approximate = false): unknown[] {
  const args: unknown[] = [];
  pushCounted(args, keys);
  if (approximate) args.push('APPROX');
  const limit = typeof options === 'number' ? options : options?.LIMIT;
  if (limit !== undefined) args.push('LIMIT', limit);
  return args;
}

const SDIFFCARD = spec('SDIFFCARD', { keys: numkeys(0) });
/** Size of the difference. Redis 8.8.0. */
export const sDiffCard = (keys: Variadic, options?: SetCardOptions) =>
  new Command<Integer>(SDIFFCARD, cardArguments(keys, options));

const SDIFFSTORE = spec('SDIFFSTORE');
/** Stores the difference; resolves with its size. Redis 1.0.0. */
export const sDiffStore = (destination: RedisArgument, keys: Variadic) =>
  new Command<Integer>(SDIFFSTORE, [destination, ...list(keys)]);

const SINTER = spec('SINTER', { read: asSet });
/** Members that all sets have. Redis 1.0.0. */
export const sInter = (keys: Variadic) => new Command<SetOf<BlobString>>(SINTER, list(keys));

const SINTERCARD = spec('SINTERCARD', { keys: numkeys(0) });
/** Size of the intersection. Redis 7.0.0. */
export const sInterCard = (keys: Variadic, options?: SetCardOptions | number) =>
  new Command<Integer>(SINTERCARD, cardArguments(keys, options));

const SINTERSTORE = spec('SINTERSTORE');
/** Stores the intersection; resolves with its size. Redis 1.0.0. */
export const sInterStore = (destination: RedisArgument, keys: Variadic) =>
  new Command<Integer>(SINTERSTORE, [destination, ...list(keys)]);

const SISMEMBER = spec('SISMEMBER');
/** 1 if it is a member. Redis 1.0.0. */
export const sIsMember = (key: RedisArgument, member: RedisArgument) => new Command<Integer>(SISMEMBER, [key, member]);

const SMEMBERS = spec('SMEMBERS', { read: asSet });
/** All members, in no order. Redis 1.0.0. */
export const sMembers = (key: RedisArgument) => new Command<SetOf<BlobString>>(SMEMBERS, [key]);

const SMISMEMBER = spec('SMISMEMBER');
/** 1 or 0 for each of `members`. Redis 6.2.0. */
export const smIsMember = (key: RedisArgument, members: Variadic) =>
  new Command<Integer[]>(SMISMEMBER, [key, ...list(members)]);

const SMOVE = spec('SMOVE');
/** Moves a member; 1 if it was there. Redis 1.0.0. */
export const sMove = (source: RedisArgument, destination: RedisArgument, member: RedisArgument) =>
  new Command<Integer>(SMOVE, [source, destination, member]);

const SPOP = spec('SPOP');
/** Takes a random member, or null. Redis 1.0.0. */
export const sPop = (key: RedisArgument) => new Command<BlobString | null>(SPOP, [key]);
const SPOP_COUNT = spec('SPOP', { read: asSet });
/** Takes up to `count` random members. Redis 3.2.0. */
export const sPopCount = (key: RedisArgument, count: number) =>
  new Command<SetOf<BlobString>>(SPOP_COUNT, [key, count]);

const SRANDMEMBER = spec('SRANDMEMBER');
/** A random member, or null. Redis 1.0.0. */
export const sRandMember = (key: RedisArgument) => new Command<BlobString | null>(SRANDMEMBER, [key]);
/** Up to `count` different members; with a negative `count` as many, with repetitions. Redis 2.6.0. */
export const sRandMemberCount = (key: RedisArgument, count: number) =>
  new Command<BlobString[]>(SRANDMEMBER, [key, count]);

const SREM = spec('SREM');
/** Removes members; resolves with how many there were. Redis 1.0.0. */
export const sRem = (key: RedisArgument, members: Variadic) => new Command<Integer>(SREM, [key, ...list(members)]);

const SSCAN = spec('SSCAN', { read: ([cursor, members]: [Text, Text[]]) => ({ cursor, members }) });
/** One page of members. Redis 2.8.0. */
export function sScan(
  key: RedisArgument,
  cursor: RedisArgument,
  options?: ScanCommonOptions,
): Command<{ cursor: BlobString; members: BlobString[] }> {
  const args: unknown[] = [key, cursor];
  pushScanOptions(args, options);
  return new Command(SSCAN, args);
}

const SUNION = spec('SUNION', { read: asSet });
/** Members that any of the sets has. Redis 1.0.0. */
export const sUnion = (keys: Variadic) => new Command<SetOf<BlobString>>(SUNION, list(keys));

export interface SUnionCardOptions extends SetCardOptions {
  /** Estimate (HyperLogLog) instead of counting. */
  APPROX?: boolean;
}
const SUNIONCARD = spec('SUNIONCARD', { keys: numkeys(0) });
/** Size of the union. Redis 8.8.0. */
export const sUnionCard = (keys: Variadic, options?: SUnionCardOptions) =>
  new Command<Integer>(SUNIONCARD, cardArguments(keys, options, options?.APPROX));

const SUNIONSTORE = spec('SUNIONSTORE');
/** Stores the union; resolves with its size. Redis 1.0.0. */
export const sUnionStore = (destination: RedisArgument, keys: Variadic) =>
  new Command<Integer>(SUNIONSTORE, [destination, ...list(keys)]);

export const aliases = {
  sPopCount: 'SPOP_COUNT',
  sRandMemberCount: 'SRANDMEMBER_COUNT',
} as const;
