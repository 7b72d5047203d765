/** Commands of the group "geo". https://redis.io/docs/latest/commands/?group=geo */
import type { BlobString, Double, Integer, RedisArgument, TypeMapping } from '../protocol/types.js';
import { list, numeric, type Variadic, word } from './arguments.js';
import { Command, firstKey, spec } from './command.js';
import { type Text, toDouble } from './readers.js';

export type GeoUnits = 'm' | 'km' | 'mi' | 'ft';
/** Degrees: longitude -180 to 180, latitude -85.05112878 to 85.05112878. */
export interface GeoCoordinates {
  longitude: RedisArgument | number;
  latitude: RedisArgument | number;
}
// Servers before Redis 7 know the units in lower case only.
const unitWord = (command: string, unit: GeoUnits) =>
  word(command, 'unit', unit, ['M', 'KM', 'MI', 'FT']).toLowerCase();

export interface GeoMember extends GeoCoordinates {
  member: RedisArgument;
}
export interface GeoAddOptions {
  /** Only add (`NX`) or only update (`XX`). */
  condition?: 'NX' | 'XX';
  /** @deprecated use `condition` */
  NX?: boolean;
  /** @deprecated use `condition` */
  XX?: boolean;
  /** Count changed members, not only new ones. */
  CH?: boolean;
}
const GEOADD = spec('GEOADD');
/** Adds places; resolves with how many are new. Redis 3.2.0. */
export function geoAdd(key: RedisArgument, toAdd: Variadic<GeoMember>, options?: GeoAddOptions): Command<Integer> {
  const args: unknown[] = [key];
  if (options?.condition) args.push(word('GEOADD', 'condition', options.condition, ['NX', 'XX']));
  else if (options?.NX) args.push('NX');
  else if (options?.XX) args.push('XX');
  if (options?.CH) args.push('CH');
  for (const { longitude, latitude, member } of list(toAdd) as GeoMember[])
    args.push(numeric('GEOADD', 'longitude', longitude), numeric('GEOADD', 'latitude', latitude), member);
  return new Command(GEOADD, args);
}

const GEODIST = spec('GEODIST', { read: (reply: Text | null) => (reply === null ? null : toDouble(reply, undefined)) });
/** Distance in `unit` (default meters), or null when a member is missing. Redis 3.2.0. */
export const geoDist = (key: RedisArgument, member1: RedisArgument, member2: RedisArgument, unit?: GeoUnits) =>
  new Command<number | null>(GEODIST, [
    key,
    member1,
    member2,
    ...(unit === undefined ? [] : [unitWord('GEODIST', unit)]),
  ]);

const GEOHASH = spec('GEOHASH');
/** Geohash texts of members, null where one is missing. Redis 3.2.0. */
export const geoHash = (key: RedisArgument, member: Variadic) =>
  new Command<(BlobString | null)[]>(GEOHASH, [key, ...list(member)]);

const GEOPOS = spec('GEOPOS', {
  read: {
    2: (reply: ([Text, Text] | null)[]) => reply.map((item) => item && { longitude: item[0], latitude: item[1] }),
    3: (reply: ([Text | number, Text | number] | null)[], _, mapping) =>
      reply.map((item) => item && { longitude: toDouble(item[0], mapping), latitude: toDouble(item[1], mapping) }),
  },
});
/** Coordinates of members as the server gives them (text in RESP2, doubles in RESP3), null where one is missing. Redis 3.2.0. */
export const geoPos = (key: RedisArgument, member: Variadic) =>
  new Command<({ longitude: BlobString | Double; latitude: BlobString | Double } | null)[]>(GEOPOS, [
    key,
    ...list(member),
  ]);

export interface GeoSearchOptions {
  /** By distance. */
  SORT?: 'ASC' | 'DESC';
  /** At most so many; `ANY`: the first found, not the nearest. */
  COUNT?: number | { value: number; ANY?: boolean };
}
function pushSearchOptions(command: string, args: unknown[], options: GeoSearchOptions | undefined): void {
  if (options?.SORT) args.push(word(command, 'SORT', options.SORT, ['ASC', 'DESC']));
  if (!options?.COUNT) return;
  const { value, ANY } = typeof options.COUNT === 'number' ? { value: options.COUNT, ANY: false } : options.COUNT;
  args.push('COUNT', value);
  if (ANY) args.push('ANY');
}

/** What a search gives for each place beside its name. */
export const GEO_REPLY_WITH = { DISTANCE: 'WITHDIST', HASH: 'WITHHASH', COORDINATES: 'WITHCOORD' } as const;
export type GeoReplyWith = (typeof GEO_REPLY_WITH)[keyof typeof GEO_REPLY_WITH];
export interface GeoReplyWithMember {
  member: BlobString;
  distance?: Double;
  hash?: Integer;
  coordinates?: { longitude: Double; latitude: Double };
}
function pushReplyWith(command: string, args: unknown[], replyWith: readonly GeoReplyWith[]): void {
  for (const item of replyWith) args.push(word(command, 'replyWith', item, ['WITHDIST', 'WITHHASH', 'WITHCOORD']));
}
/** The server gives distance, hash and coordinates in this order, whatever order they were asked for in. */
function membersWith(
  reply: unknown[][],
  replyWith: readonly GeoReplyWith[],
  mapping: TypeMapping | undefined,
): Record<string, unknown>[] {
  const length = 1 + new Set(replyWith).size;
  return reply.map((raw) => {
    if (raw.length !== length) throw new TypeError('not what was asked for');
    let next = 1;
    const item: Record<string, unknown> = { member: raw[0] };
    if (replyWith.includes('WITHDIST')) item['distance'] = toDouble(raw[next++] as Text, mapping);
    if (replyWith.includes('WITHHASH')) item['hash'] = raw[next++];
    if (replyWith.includes('WITHCOORD')) {
      const [longitude, latitude] = raw[next] as [Text, Text];
      item['coordinates'] = { longitude: toDouble(longitude, mapping), latitude: toDouble(latitude, mapping) };
    }
    return item;
  });
}

export type GeoSearchFrom = RedisArgument | GeoCoordinates;
export type GeoSearchBy = { radius: number; unit: GeoUnits } | { width: number; height: number; unit: GeoUnits };
function searchArguments(
  command: string,
  args: unknown[],
  from: GeoSearchFrom,
  by: GeoSearchBy,
  options: GeoSearchOptions | undefined,
): unknown[] {
  if (typeof from === 'string' || Buffer.isBuffer(from)) args.push('FROMMEMBER', from);
  else args.push('FROMLONLAT', from.longitude, from.latitude);
  if ('radius' in by) args.push('BYRADIUS', by.radius);
  else args.push('BYBOX', by.width, by.height);
  args.push(unitWord(command, by.unit));
  pushSearchOptions(command, args, options);
  return args;
}
const GEOSEARCH = spec('GEOSEARCH');
/**
 * Members within a circle or a box around a member or a point. Redis 6.2.0.
 * @example
 * await client.geoSearch('shops', { longitude: 13.4, latitude: 52.5 }, { radius: 2, unit: 'km' }, { SORT: 'ASC' });
 */
export const geoSearch = (key: RedisArgument, from: GeoSearchFrom, by: GeoSearchBy, options?: GeoSearchOptions) =>
  new Command<BlobString[]>(GEOSEARCH, searchArguments('GEOSEARCH', [key], from, by, options));
const GEOSEARCH_WITH = spec('GEOSEARCH', { read: membersWith });
/** {@link geoSearch} with distance, hash or coordinates. Redis 6.2.0. */
export function geoSearchWith(
  key: RedisArgument,
  from: GeoSearchFrom,
  by: GeoSearchBy,
  replyWith: readonly GeoReplyWith[],
  options?: GeoSearchOptions,
): Command<GeoReplyWithMember[]> {
  const args = searchArguments('GEOSEARCH', [key], from, by, options);
  pushReplyWith('GEOSEARCH', args, replyWith);
  return new Command(GEOSEARCH_WITH, args, replyWith);
}

export interface GeoStoreOptions extends GeoSearchOptions {
  /** Store distances as scores, not geohashes. */
  STOREDIST?: boolean;
}
const GEOSEARCHSTORE = spec('GEOSEARCHSTORE');
/** Stores what {@link geoSearch} finds; resolves with how many. Redis 6.2.0. */
export function geoSearchStore(
  destination: RedisArgument,
  source: RedisArgument,
  from: GeoSearchFrom,
  by: GeoSearchBy,
  options?: GeoStoreOptions,
): Command<Integer> {
  const args = searchArguments('GEOSEARCHSTORE', [destination, source], from, by, options);
  if (options?.STOREDIST) args.push('STOREDIST');
  return new Command(GEOSEARCHSTORE, args);
}

// GEORADIUS and GEORADIUSBYMEMBER, each with a read-only form: deprecated by Redis 6.2 in favor of GEOSEARCH.
type Radius<F, More extends unknown[] = []> = [
  key: RedisArgument,
  from: F,
  radius: number,
  unit: GeoUnits,
  ...more: More,
  options?: GeoSearchOptions,
];
function radiusArguments(
  command: string,
  key: RedisArgument,
  from: GeoSearchFrom,
  radius: number,
  unit: GeoUnits,
  options: GeoSearchOptions | undefined,
): unknown[] {
  const center = typeof from === 'string' || Buffer.isBuffer(from) ? [from] : [from.longitude, from.latitude];
  const args: unknown[] = [key, ...center, radius, unitWord(command, unit)];
  pushSearchOptions(command, args, options);
  return args;
}
function radiusSearch<F extends GeoSearchFrom>(name: string) {
  const plain = spec(name, { keys: firstKey });
  return (...[key, from, radius, unit, options]: Radius<F>) =>
    new Command<BlobString[]>(plain, radiusArguments(name, key, from, radius, unit, options));
}
function radiusSearchWith<F extends GeoSearchFrom>(name: string) {
  const reading = spec(name, { keys: firstKey, read: membersWith });
  return (...[key, from, radius, unit, replyWith, options]: Radius<F, [replyWith: readonly GeoReplyWith[]]>) => {
    const args = radiusArguments(name, key, from, radius, unit, options);
    pushReplyWith(name, args, replyWith);
    return new Command<GeoReplyWithMember[]>(reading, args, replyWith);
  };
}
function radiusStore<F extends GeoSearchFrom>(name: string) {
  const storing = spec(name, { keys: (args) => [0, args.length - 1] });
  return (
    ...[key, from, radius, unit, destination, options]: [
      key: RedisArgument,
      from: F,
      radius: number,
      unit: GeoUnits,
      destination: RedisArgument,
      options?: GeoStoreOptions,
    ]
  ) =>
    new Command<Integer>(storing, [
      ...radiusArguments(name, key, from, radius, unit, options),
      options?.STOREDIST ? 'STOREDIST' : 'STORE',
      destination,
    ]);
}
/** @deprecated use {@link geoSearch}. Redis 3.2.0. */
export const geoRadius = radiusSearch<GeoCoordinates>('GEORADIUS');
/** @deprecated use {@link geoSearchWith}. Redis 3.2.0. */
export const geoRadiusWith = radiusSearchWith<GeoCoordinates>('GEORADIUS');
/** @deprecated use {@link geoSearchStore}. Redis 3.2.0. */
export const geoRadiusStore = radiusStore<GeoCoordinates>('GEORADIUS');
/** @deprecated use {@link geoSearch}. Redis 3.2.10. */
export const geoRadiusRo = radiusSearch<GeoCoordinates>('GEORADIUS_RO');
/** @deprecated use {@link geoSearchWith}. Redis 3.2.10. */
export const geoRadiusRoWith = radiusSearchWith<GeoCoordinates>('GEORADIUS_RO');
/** @deprecated use {@link geoSearch}. Redis 3.2.0. */
export const geoRadiusByMember = radiusSearch<RedisArgument>('GEORADIUSBYMEMBER');
/** @deprecated use {@link geoSearchWith}. Redis 3.2.0. */
export const geoRadiusByMemberWith = radiusSearchWith<RedisArgument>('GEORADIUSBYMEMBER');
/** @deprecated use {@link geoSearchStore}. Redis 3.2.0. */
export const geoRadiusByMemberStore = radiusStore<RedisArgument>('GEORADIUSBYMEMBER');
/** @deprecated use {@link geoSearch}. Redis 3.2.10. */
export const geoRadiusByMemberRo = radiusSearch<RedisArgument>('GEORADIUSBYMEMBER_RO');
/** @deprecated use {@link geoSearchWith}. Redis 3.2.10. */
export const geoRadiusByMemberRoWith = radiusSearchWith<RedisArgument>('GEORADIUSBYMEMBER_RO');

export const aliases = {
  geoRadiusByMemberRo: 'GEORADIUSBYMEMBER_RO',
  geoRadiusByMemberRoWith: 'GEORADIUSBYMEMBER_RO_WITH',
  geoRadiusByMemberStore: 'GEORADIUSBYMEMBER_STORE',
  geoRadiusByMemberWith: 'GEORADIUSBYMEMBER_WITH',
  geoRadiusRo: 'GEORADIUS_RO',
  geoRadiusRoWith: 'GEORADIUS_RO_WITH',
  geoRadiusStore: 'GEORADIUS_STORE',
  geoRadiusWith: 'GEORADIUS_WITH',
  geoSearchWith: 'GEOSEARCH_WITH',
} as const;
