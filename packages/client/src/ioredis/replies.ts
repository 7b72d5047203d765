/**
 * Replies in ioredis's shapes. By default they are those of RESP2, whatever the connection speaks: maps as flat arrays,
 * doubles as strings. `replyMapping: 'resp3'` gives objects and numbers.
 */
import type { ReplyReader } from '../commands/command.js';
import { RESP_TYPES, type TypeMapping } from '../protocol/types.js';

const { ARRAY, BIG_NUMBER, BLOB_STRING, BOOLEAN, DOUBLE, MAP, NUMBER, SET, SIMPLE_STRING, VERBATIM_STRING } =
  RESP_TYPES;

export interface ReplyShape {
  readonly stringNumbers: boolean;
  readonly resp3: boolean;
}

/** Type mappings of a client: for commands, and for their `Buffer` variants. */
export function typeMappings({ stringNumbers, resp3 }: ReplyShape): { text: TypeMapping; bytes: TypeMapping } {
  const text: TypeMapping = {
    [BIG_NUMBER]: String,
    ...(resp3 ? {} : { [MAP]: Array, [DOUBLE]: String, [BOOLEAN]: Number, [SET]: Array, [ARRAY]: Array }),
    ...(stringNumbers ? { [NUMBER]: String, [DOUBLE]: String } : {}),
  };
  return { text, bytes: { ...text, [BLOB_STRING]: Buffer, [SIMPLE_STRING]: Buffer, [VERBATIM_STRING]: Buffer } };
}

export const isBytes = (mapping: TypeMapping | undefined): boolean => mapping?.[BLOB_STRING] === Buffer;
const isLegacy = (mapping: TypeMapping | undefined): boolean => mapping?.[MAP] === Array;

/** What the application registers with `Command.setReplyTransformer`. */
export type ReplyTransformer = (
  // biome-ignore lint/suspicious/noExplicitAny: a transformer narrows whatever its command answers
  reply: any,
  context: { commandName: string; protocol: 2 | 3; replyMapping: 'legacy' | 'resp3' },
) => unknown;

/** `[[a, 1], [b, 2]]` as `[a, 1, b, 2]`: RESP3 answers in pairs what RESP2 answers flat. */
function flattenPairs(reply: unknown): unknown {
  return Array.isArray(reply) && reply.some(Array.isArray) ? reply.flat() : reply;
}

/** `[a, 1, b, 2]` as `[[a, 1], [b, 2]]`. */
function pairUp(reply: unknown): unknown {
  if (!Array.isArray(reply)) return reply;
  const pairs: unknown[] = [];
  for (let i = 0; i < reply.length; i += 2) pairs.push([reply[i], reply[i + 1]]);
  return pairs;
}

/** `__proto__` and its like are fields as any other. */
function objectOf(reply: unknown): unknown {
  if (!Array.isArray(reply)) return reply;
  const object: Record<string, unknown> = {};
  for (let i = 0; i < reply.length; i += 2) {
    const key = String(reply[i]);
    const value: unknown = reply[i + 1];
    if (key in object)
      Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
    else object[key] = value;
  }
  return object;
}

/** Text in a reply as bytes: doubles arrive as text, and a `Buffer` variant has none. */
function bytesOf(value: unknown): unknown {
  if (typeof value === 'string') return Buffer.from(value);
  return Array.isArray(value) ? value.map(bytesOf) : value;
}

/** Bytes in a reply as text. */
export function textOf(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString();
  if (Array.isArray(value)) return value.map(textOf);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return objectOf(Object.entries(value).flatMap(([key, item]) => [key, textOf(item)]));
}

type Shaper = (reply: unknown, resp: 2 | 3) => unknown;

const onResp3 =
  (shape: (reply: unknown) => unknown): Shaper =>
  (reply, resp) =>
    resp === 3 ? shape(reply) : reply;

const PAIRS =
  'zdiff zinter zpopmax zpopmin zunion zrandmember zrange zrangebyscore zrevrange zrevrangebyscore hrandfield';
const LEGACY_SHAPES: Readonly<Record<string, Shaper>> = {
  ...Object.fromEntries(PAIRS.split(' ').map((name) => [name, onResp3(flattenPairs)])),
  vsim: flattenPairs,
  xread: onResp3(pairUp),
  xreadgroup: onResp3(pairUp),
  hgetall: objectOf,
};
/** Answers that have a double in them, which stays text where bytes are wanted. */
const DOUBLES = new Set(
  `${PAIRS} zscore zmscore zincrby zadd zrank zrevrank geodist geopos georadius georadiusbymember geosearch incrbyfloat bzpopmin bzpopmax zmpop bzmpop vsim vemb zscan`.split(
    ' ',
  ),
);

/** How a command's raw reply becomes what its caller gets; undefined = as it is. */
export function replyReader(
  name: string,
  custom: ReplyTransformer | undefined,
): Record<2 | 3, ReplyReader> | undefined {
  // A transformer of the application gets what ioredis gives it: for HGETALL that is the flat array.
  const shape = custom !== undefined && name === 'hgetall' ? undefined : LEGACY_SHAPES[name];
  const hasDoubles = DOUBLES.has(name);
  if (shape === undefined && custom === undefined && !hasDoubles) return undefined;
  const read =
    (resp: 2 | 3): ReplyReader =>
    (raw: unknown, _preserve: unknown, mapping) => {
      const legacy = isLegacy(mapping);
      let reply = raw;
      if (hasDoubles && resp === 3 && legacy && isBytes(mapping)) reply = bytesOf(reply);
      if (shape !== undefined && (legacy || resp === 2)) reply = shape(reply, resp);
      if (custom === undefined) return reply;
      return custom(reply, { commandName: name, protocol: resp, replyMapping: legacy ? 'legacy' : 'resp3' });
    };
  return { 2: read(2), 3: read(3) };
}
