/** Commands of the group "hyperloglog". https://redis.io/docs/latest/commands/?group=hyperloglog */
import type { Integer, RedisArgument, SimpleString } from '../protocol/types.js';
import { list, type Variadic } from './arguments.js';
import { Command, spec } from './command.js';

const PFADD = spec('PFADD');
/** Counts elements in; 1 if the estimate changed or the key is new. Redis 2.8.9. */
export const pfAdd = (key: RedisArgument, element?: Variadic) =>
  new Command<Integer>(PFADD, element === undefined ? [key] : [key, ...list(element)]);

const PFCOUNT = spec('PFCOUNT');
/** Estimated number of different elements in all keys together (standard error 0.81 %). Redis 2.8.9. */
export const pfCount = (keys: Variadic) => new Command<Integer>(PFCOUNT, list(keys));

const PFMERGE = spec('PFMERGE');
/** Merges into `destination`. Redis 2.8.9. */
export const pfMerge = (destination: RedisArgument, sources?: Variadic) =>
  new Command<SimpleString<'OK'>>(PFMERGE, sources === undefined ? [destination] : [destination, ...list(sources)]);
