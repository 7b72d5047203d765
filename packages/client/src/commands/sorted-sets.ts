/** Commands of the group "sorted-set". https://redis.io/docs/latest/commands/?group=sorted-set */
import type { BlobString, Double, Integer, NumericArgument, RedisArgument, TypeMapping } from '../protocol/types.js';
import {
  double,
  list,
  numeric,
  pushCounted,
  pushScanOptions,
  type ScanCommonOptions,
  type Variadic,
  word,
} from './arguments.js';
import { Command, numkeys, spec } from './command.js';
import { asDouble, asDoubles, asMembers, asNullableDouble, type Text, toDouble } from './readers.js';

/** A member and its score. */
export interface SortedSetMember {
  value: RedisArgument;
  score: NumericArgument;
}
export type SortedSetSide = 'MIN' | 'MAX';
export type Scored = { value: BlobString; score: Double };
/** A score with `(` before it is excluded; `-inf` and `+inf` are allowed. */
type Bound = RedisArgument | number;

type MembersPopped = { key: BlobString; members: Scored[] } | null;
const popped = (reply: [Text, [Text, Text | number][]] | null, _: unknown, mapping: TypeMapping | undefined) =>
  reply === null ? null : { key: reply[0], members: asMembers[3](reply[1], _, mapping) };
export interface ZMPopOptions {
  /** Default 1. */
  COUNT?: number;
}
function popSeveral(
  command: string,
  keys: Variadic,
  side: SortedSetSide,
  options: ZMPopOptions | undefined,
  ...args: unknown[]
): unknown[] {
  pushCounted(args, keys);
  args.push(word(command, 'side', side, ['MIN', 'MAX']));
  if (options?.COUNT) args.push('COUNT', options.COUNT);
  return args;
}
const BZMPOP = spec('BZMPOP', { keys: numkeys(1), read: popped });
/** {@link zmPop} that waits up to `timeout` seconds (0 = for ever). Redis 7.0.0. */
export const bzmPop = (timeout: number, keys: Variadic, side: SortedSetSide, options?: ZMPopOptions) =>
  new Command<MembersPopped>(BZMPOP, popSeveral('BZMPOP', keys, side, options, timeout));
const ZMPOP = spec('ZMPOP', { keys: numkeys(0), read: popped });
/** Takes members with the lowest or highest scores from the first set that has any. Redis 7.0.0. */
export const zmPop = (keys: Variadic, side: SortedSetSide, options?: ZMPopOptions) =>
  new Command<MembersPopped>(ZMPOP, popSeveral('ZMPOP', keys, side, options));

type KeyAndMember = { key: BlobString; value: BlobString; score: Double } | null;
const keyAndMember = (reply: [Text, Text, number | Text] | null, _: unknown, mapping: TypeMapping | undefined) =>
  reply === null ? null : { key: reply[0], value: reply[1], score: toDouble(reply[2], mapping) };
const BZPOPMAX = spec('BZPOPMAX', { read: keyAndMember });
/** Takes the highest member of the first set that has one; waits up to `timeout` seconds (0 = for ever). Redis 5.0.0. */
export const bzPopMax = (keys: Variadic, timeout: number) =>
  new Command<KeyAndMember>(BZPOPMAX, [...list(keys), timeout]);
const BZPOPMIN = spec('BZPOPMIN', { read: keyAndMember });
/** {@link bzPopMax} for the lowest. Redis 5.0.0. */
export const bzPopMin = (keys: Variadic, timeout: number) =>
  new Command<KeyAndMember>(BZPOPMIN, [...list(keys), timeout]);

export interface ZAddOptions {
  /** Only add (`NX`) or only update (`XX`). */
  condition?: 'NX' | 'XX';
  /** @deprecated use `condition` */
  NX?: boolean;
  /** @deprecated use `condition` */
  XX?: boolean;
  /** Update only to a lower or a higher score. */
  comparison?: 'LT' | 'GT';
  /** @deprecated use `comparison` */
  LT?: boolean;
  /** @deprecated use `comparison` */
  GT?: boolean;
  /** Count changed members, not only new ones. */
  CH?: boolean;
}
function addArguments(
  key: RedisArgument,
  members: Variadic<SortedSetMember>,
  options: ZAddOptions | undefined,
  ...more: unknown[]
): unknown[] {
  const args: unknown[] = [key];
  if (options?.condition) args.push(word('ZADD', 'condition', options.condition, ['NX', 'XX']));
  else if (options?.NX) args.push('NX');
  else if (options?.XX) args.push('XX');
  if (options?.comparison) args.push(word('ZADD', 'comparison', options.comparison, ['LT', 'GT']));
  else if (options?.LT) args.push('LT');
  else if (options?.GT) args.push('GT');
  if (options?.CH) args.push('CH');
  args.push(...more);
  for (const { score, value } of list(members) as SortedSetMember[]) args.push(numeric('ZADD', 'score', score), value);
  return args;
}
const ZADD = spec('ZADD', { read: asDouble });
/**
 * Adds or updates members; resolves with how many are new. Redis 1.2.0.
 * @example
 * await client.zAdd('board', [{ score: 12, value: 'ada' }]);
 */
export const zAdd = (key: RedisArgument, members: Variadic<SortedSetMember>, options?: ZAddOptions) =>
  new Command<Double>(ZADD, addArguments(key, members, options));
const ZADD_INCR = spec('ZADD', { read: asNullableDouble });
/** Adds to a member's score; resolves with the new score, or null when a condition was not met. Redis 3.0.2. */
export const zAddIncr = (key: RedisArgument, members: Variadic<SortedSetMember>, options?: ZAddOptions) =>
  new Command<Double | null>(ZADD_INCR, addArguments(key, members, options, 'INCR'));

const ZCARD = spec('ZCARD');
/** Number of members. Redis 1.2.0. */
export const zCard = (key: RedisArgument) => new Command<Integer>(ZCARD, [key]);

const ZCOUNT = spec('ZCOUNT');
/** Number of members with scores between `min` and `max`. Redis 2.0.0. */
export const zCount = (key: RedisArgument, min: Bound, max: Bound) =>
  new Command<Integer>(ZCOUNT, [key, double(min), double(max)]);

function counted(keys: Variadic, ...before: unknown[]): unknown[] {
  pushCounted(before, keys);
  return before;
}
const ZDIFF = spec('ZDIFF', { keys: numkeys(0) });
/** Members of the first set that are in none of the others. Redis 6.2.0. */
export const zDiff = (keys: Variadic) => new Command<BlobString[]>(ZDIFF, counted(keys));
const ZDIFF_WITHSCORES = spec('ZDIFF', { keys: numkeys(0), read: asMembers });
/** {@link zDiff} with scores. Redis 6.2.0. */
export const zDiffWithScores = (keys: Variadic) =>
  new Command<Scored[]>(ZDIFF_WITHSCORES, [...counted(keys), 'WITHSCORES']);
const ZDIFFSTORE = spec('ZDIFFSTORE', { keys: numkeys(1, 0) });
/** Stores the difference; resolves with its size. Redis 6.2.0. */
export const zDiffStore = (destination: RedisArgument, inputKeys: Variadic) =>
  new Command<Integer>(ZDIFFSTORE, counted(inputKeys, destination));

const ZINCRBY = spec('ZINCRBY', { read: asDouble });
/** Adds to a member's score; resolves with the new score. Redis 1.2.0. */
export const zIncrBy = (key: RedisArgument, increment: number, member: RedisArgument) =>
  new Command<Double>(ZINCRBY, [key, double(increment), member]);

export interface ZKeyAndWeight {
  key: RedisArgument;
  weight: number;
}
/** Keys, or keys with weights that their scores are multiplied by. */
export type ZKeys = Variadic | Variadic<ZKeyAndWeight>;
export interface ZAggregateOptions {
  /** What happens to the scores of a member of several sets; default SUM. COUNT: Redis 8.8.0. */
  AGGREGATE?: 'SUM' | 'MIN' | 'MAX' | 'COUNT';
}
function combine(command: string, keys: ZKeys, options: ZAggregateOptions | undefined, ...args: unknown[]): unknown[] {
  const items = list(keys) as (RedisArgument | ZKeyAndWeight)[];
  const weighted = items.filter((item): item is ZKeyAndWeight => typeof item === 'object' && 'weight' in item);
  args.push(items.length);
  if (weighted.length === 0) args.push(...items);
  else args.push(...weighted.map(({ key }) => key), 'WEIGHTS', ...weighted.map(({ weight }) => double(weight)));
  if (options?.AGGREGATE)
    args.push('AGGREGATE', word(command, 'AGGREGATE', options.AGGREGATE, ['SUM', 'MIN', 'MAX', 'COUNT']));
  return args;
}
const ZINTER = spec('ZINTER', { keys: numkeys(0) });
/** Members that all sets have. Redis 6.2.0. */
export const zInter = (keys: ZKeys, options?: ZAggregateOptions) =>
  new Command<BlobString[]>(ZINTER, combine('ZINTER', keys, options));
const ZINTER_WITHSCORES = spec('ZINTER', { keys: numkeys(0), read: asMembers });
/** {@link zInter} with scores. Redis 6.2.0. */
export const zInterWithScores = (keys: ZKeys, options?: ZAggregateOptions) =>
  new Command<Scored[]>(ZINTER_WITHSCORES, [...combine('ZINTER', keys, options), 'WITHSCORES']);
const ZINTERCARD = spec('ZINTERCARD', { keys: numkeys(0) });
/** Size of the intersection, counting to `LIMIT` at most (0 = no limit). Redis 7.0.0. */
export function zInterCard(keys: Variadic, options?: number | { LIMIT?: number }): Command<Integer> {
  const limit = typeof options === 'number' ? options : options?.LIMIT;
  return new Command(ZINTERCARD, limit ? [...counted(keys), 'LIMIT', limit] : counted(keys));
}
const ZINTERSTORE = spec('ZINTERSTORE', { keys: numkeys(1, 0) });
/** Stores the intersection; resolves with its size. Redis 2.0.0. */
export const zInterStore = (destination: RedisArgument, keys: ZKeys, options?: ZAggregateOptions) =>
  new Command<Integer>(ZINTERSTORE, combine('ZINTERSTORE', keys, options, destination));

const ZLEXCOUNT = spec('ZLEXCOUNT');
/** Number of members between `min` and `max` (`[a`, `(a`, `-`, `+`). Redis 2.8.9. */
export const zLexCount = (key: RedisArgument, min: RedisArgument, max: RedisArgument) =>
  new Command<Integer>(ZLEXCOUNT, [key, min, max]);

const ZMSCORE = spec('ZMSCORE', { read: asDoubles });
/** Scores of members, null where one is missing. Redis 6.2.0. */
export const zmScore = (key: RedisArgument, member: Variadic) =>
  new Command<(Double | null)[]>(ZMSCORE, [key, ...list(member)]);

const oneMember = (reply: [] | [Text, number | Text], _: unknown, mapping: TypeMapping | undefined) =>
  reply.length === 0 ? null : { value: reply[0], score: toDouble(reply[1], mapping) };
const ZPOPMAX = spec('ZPOPMAX', { read: oneMember });
/** Takes the highest member, or null. Redis 5.0.0. */
export const zPopMax = (key: RedisArgument) => new Command<Scored | null>(ZPOPMAX, [key]);
const ZPOPMAX_COUNT = spec('ZPOPMAX', { read: asMembers });
/** Takes up to `count` of the highest members. Redis 5.0.0. */
export const zPopMaxCount = (key: RedisArgument, count: number) => new Command<Scored[]>(ZPOPMAX_COUNT, [key, count]);
const ZPOPMIN = spec('ZPOPMIN', { read: oneMember });
/** Takes the lowest member, or null. Redis 5.0.0. */
export const zPopMin = (key: RedisArgument) => new Command<Scored | null>(ZPOPMIN, [key]);
const ZPOPMIN_COUNT = spec('ZPOPMIN', { read: asMembers });
/** Takes up to `count` of the lowest members. Redis 5.0.0. */
export const zPopMinCount = (key: RedisArgument, count: number) => new Command<Scored[]>(ZPOPMIN_COUNT, [key, count]);

const ZRANDMEMBER = spec('ZRANDMEMBER');
/** A random member, or null. Redis 6.2.0. */
export const zRandMember = (key: RedisArgument) => new Command<BlobString | null>(ZRANDMEMBER, [key]);
/** Up to `count` different members; with a negative `count` as many, with repetitions. Redis 6.2.0. */
export const zRandMemberCount = (key: RedisArgument, count: number) =>
  new Command<BlobString[]>(ZRANDMEMBER, [key, count]);
const ZRANDMEMBER_WITHSCORES = spec('ZRANDMEMBER', { read: asMembers });
/** {@link zRandMemberCount} with scores. Redis 6.2.0. */
export const zRandMemberCountWithScores = (key: RedisArgument, count: number) =>
  new Command<Scored[]>(ZRANDMEMBER_WITHSCORES, [key, count, 'WITHSCORES']);

export interface ZLimitOptions {
  LIMIT?: { offset: number; count: number };
}
export interface ZRangeOptions extends ZLimitOptions {
  /** `min` and `max` are scores or members; default: ranks. */
  BY?: 'SCORE' | 'LEX';
  /** From high to low; `min` is then the higher bound. */
  REV?: boolean;
}
function rangeArguments(command: string, min: Bound, max: Bound, options: ZRangeOptions | undefined): unknown[] {
  const args: unknown[] = [double(min), double(max)];
  if (options?.BY) args.push(`BY${word(command, 'BY', options.BY, ['SCORE', 'LEX'])}`);
  if (options?.REV) args.push('REV');
  if (options?.LIMIT) args.push('LIMIT', options.LIMIT.offset, options.LIMIT.count);
  return args;
}
const ZRANGE = spec('ZRANGE');
/**
 * Members by rank, score or name. Redis 1.2.0; options 6.2.0.
 * @example
 * await client.zRange('board', 0, 9, { REV: true }); // the ten highest
 */
export const zRange = (key: RedisArgument, min: Bound, max: Bound, options?: ZRangeOptions) =>
  new Command<BlobString[]>(ZRANGE, [key, ...rangeArguments('ZRANGE', min, max, options)]);
const ZRANGE_WITHSCORES = spec('ZRANGE', { read: asMembers });
/** {@link zRange} with scores. Redis 1.2.0. */
export const zRangeWithScores = (key: RedisArgument, min: Bound, max: Bound, options?: ZRangeOptions) =>
  new Command<Scored[]>(ZRANGE_WITHSCORES, [key, ...rangeArguments('ZRANGE', min, max, options), 'WITHSCORES']);

function limited(key: RedisArgument, min: Bound, max: Bound, options: ZLimitOptions | undefined): unknown[] {
  const args: unknown[] = [key, double(min), double(max)];
  if (options?.LIMIT) args.push('LIMIT', options.LIMIT.offset, options.LIMIT.count);
  return args;
}
const ZRANGEBYLEX = spec('ZRANGEBYLEX');
/** Members between `min` and `max` (`[a`, `(a`, `-`, `+`). Redis 2.8.9. */
export const zRangeByLex = (key: RedisArgument, min: RedisArgument, max: RedisArgument, options?: ZLimitOptions) =>
  new Command<BlobString[]>(ZRANGEBYLEX, limited(key, min, max, options));
const ZRANGEBYSCORE = spec('ZRANGEBYSCORE');
/** Members with scores between `min` and `max`. Redis 1.0.5. */
export const zRangeByScore = (key: RedisArgument, min: Bound, max: Bound, options?: ZLimitOptions) =>
  new Command<BlobString[]>(ZRANGEBYSCORE, limited(key, min, max, options));
const ZRANGEBYSCORE_WITHSCORES = spec('ZRANGEBYSCORE', { read: asMembers });
/** {@link zRangeByScore} with scores. Redis 2.0.0. */
export const zRangeByScoreWithScores = (key: RedisArgument, min: Bound, max: Bound, options?: ZLimitOptions) =>
  new Command<Scored[]>(ZRANGEBYSCORE_WITHSCORES, [...limited(key, min, max, options), 'WITHSCORES']);
const ZRANGESTORE = spec('ZRANGESTORE');
/** Stores a range; resolves with its size. Redis 6.2.0. */
export const zRangeStore = (
  destination: RedisArgument,
  source: RedisArgument,
  min: Bound,
  max: Bound,
  options?: ZRangeOptions,
) => new Command<Integer>(ZRANGESTORE, [destination, source, ...rangeArguments('ZRANGESTORE', min, max, options)]);

type RankAndScore = { rank: Integer; score: Double } | null;
const rankAndScore = (reply: [number, number | Text] | null, _: unknown, mapping: TypeMapping | undefined) =>
  reply === null ? null : { rank: reply[0], score: toDouble(reply[1], mapping) };
const ZRANK = spec('ZRANK');
/** Rank from the lowest score (0), or null. Redis 2.0.0. */
export const zRank = (key: RedisArgument, member: RedisArgument) => new Command<Integer | null>(ZRANK, [key, member]);
const ZRANK_WITHSCORE = spec('ZRANK', { read: rankAndScore });
/** {@link zRank} and the score. Redis 7.2.0. */
export const zRankWithScore = (key: RedisArgument, member: RedisArgument) =>
  new Command<RankAndScore>(ZRANK_WITHSCORE, [key, member, 'WITHSCORE']);
const ZREVRANK = spec('ZREVRANK');
/** Rank from the highest score (0), or null. Redis 2.0.0. */
export const zRevRank = (key: RedisArgument, member: RedisArgument) =>
  new Command<Integer | null>(ZREVRANK, [key, member]);
const ZREVRANK_WITHSCORE = spec('ZREVRANK', { read: rankAndScore });
/** {@link zRevRank} and the score. Redis 7.2.0. */
export const zRevRankWithScore = (key: RedisArgument, member: RedisArgument) =>
  new Command<RankAndScore>(ZREVRANK_WITHSCORE, [key, member, 'WITHSCORE']);

const ZREM = spec('ZREM');
/** Removes members; resolves with how many there were. Redis 1.2.0. */
export const zRem = (key: RedisArgument, member: Variadic) => new Command<Integer>(ZREM, [key, ...list(member)]);
const ZREMRANGEBYLEX = spec('ZREMRANGEBYLEX');
/** Removes members between `min` and `max`. Redis 2.8.9. */
export const zRemRangeByLex = (key: RedisArgument, min: Bound, max: Bound) =>
  new Command<Integer>(ZREMRANGEBYLEX, [key, double(min), double(max)]);
const ZREMRANGEBYRANK = spec('ZREMRANGEBYRANK');
/** Removes members of ranks `start` to `stop`. Redis 2.0.0. */
export const zRemRangeByRank = (key: RedisArgument, start: number, stop: number) =>
  new Command<Integer>(ZREMRANGEBYRANK, [key, start, stop]);
const ZREMRANGEBYSCORE = spec('ZREMRANGEBYSCORE');
/** Removes members with scores between `min` and `max`. Redis 1.2.0. */
export const zRemRangeByScore = (key: RedisArgument, min: Bound, max: Bound) =>
  new Command<Integer>(ZREMRANGEBYSCORE, [key, double(min), double(max)]);

const ZSCAN = spec('ZSCAN', {
  read: ([cursor, flat]: [Text, Text[]], _, mapping) => ({ cursor, members: asMembers[2](flat, _, mapping) }),
});
/** One page of members with scores. Redis 2.8.0. */
export function zScan(
  key: RedisArgument,
  cursor: RedisArgument,
  options?: ScanCommonOptions,
): Command<{ cursor: BlobString; members: Scored[] }> {
  const args: unknown[] = [key, cursor];
  pushScanOptions(args, options);
  return new Command(ZSCAN, args);
}

const ZSCORE = spec('ZSCORE', { read: asNullableDouble });
/** A member's score, or null. Redis 1.2.0. */
export const zScore = (key: RedisArgument, member: RedisArgument) => new Command<Double | null>(ZSCORE, [key, member]);

const ZUNION = spec('ZUNION', { keys: numkeys(0) });
/** Members that any of the sets has. Redis 6.2.0. */
export const zUnion = (keys: ZKeys, options?: ZAggregateOptions) =>
  new Command<BlobString[]>(ZUNION, combine('ZUNION', keys, options));
const ZUNION_WITHSCORES = spec('ZUNION', { keys: numkeys(0), read: asMembers });
/** {@link zUnion} with scores. Redis 6.2.0. */
export const zUnionWithScores = (keys: ZKeys, options?: ZAggregateOptions) =>
  new Command<Scored[]>(ZUNION_WITHSCORES, [...combine('ZUNION', keys, options), 'WITHSCORES']);
const ZUNIONSTORE = spec('ZUNIONSTORE', { keys: numkeys(1, 0) });
/** Stores the union; resolves with its size. Redis 2.0.0. */
export const zUnionStore = (destination: RedisArgument, keys: ZKeys, options?: ZAggregateOptions) =>
  new Command<Integer>(ZUNIONSTORE, combine('ZUNIONSTORE', keys, options, destination));

export const aliases = {
  zAddIncr: 'ZADD_INCR',
  zDiffWithScores: 'ZDIFF_WITHSCORES',
  zInterWithScores: 'ZINTER_WITHSCORES',
  zPopMaxCount: 'ZPOPMAX_COUNT',
  zPopMinCount: 'ZPOPMIN_COUNT',
  zRandMemberCount: 'ZRANDMEMBER_COUNT',
  zRandMemberCountWithScores: 'ZRANDMEMBER_COUNT_WITHSCORES',
  zRangeByScoreWithScores: 'ZRANGEBYSCORE_WITHSCORES',
  zRangeWithScores: 'ZRANGE_WITHSCORES',
  zRankWithScore: 'ZRANK_WITHSCORE',
  zRevRankWithScore: 'ZREVRANK_WITHSCORE',
  zUnionWithScores: 'ZUNION_WITHSCORES',
} as const;
