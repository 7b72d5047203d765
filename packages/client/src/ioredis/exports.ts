/** The named exports of `redkeep/ioredis`. */
import { IoredisCommand } from './command.js';
import { define } from './commander.js';
import { ClusterAllFailedError, MaxRetriesPerRequestError, ReplyError } from './errors.js';
import { Pipeline } from './pipeline.js';
import { Redis } from './redis.js';
import { ScanStream } from './scan-stream.js';

// `require` gives the class alone: the rest are its properties.
const STATICS = { Redis, default: Redis, Command: IoredisCommand, ReplyError, Pipeline, ScanStream };
for (const [name, value] of Object.entries(STATICS)) define(Redis, name, value);

export type { Callback, ScriptDefinition } from './commander.js';
export type {
  ChainableCommander,
  ClientContext,
  RedisCommander,
  RedisKey,
  RedisValue,
  Result,
  ResultTypes,
} from './commander-types.js';
export type {
  CommonRedisOptions,
  NatMap,
  ReconnectOnError,
  RedisOptions,
  RetryStrategy,
  SentinelAddress,
  SentinelConnectionOptions,
  StandaloneConnectionOptions,
} from './options.js';
export type { RedisStatus } from './redis.js';
export type { ScanStreamOptions } from './scan-stream.js';
export {
  ClusterAllFailedError,
  IoredisCommand as Command,
  MaxRetriesPerRequestError,
  Pipeline,
  Redis,
  ReplyError,
  ScanStream,
};
/** Prints what a callback got. */
export function print(error: Error | null, reply?: unknown): void {
  // biome-ignore lint/suspicious/noConsole: that is what it is for
  console.log(error ? `Error: ${error}` : `Reply: ${String(reply)}`);
}
