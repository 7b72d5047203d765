/** The named exports of `redkeep/ioredis`. */
import { Cluster } from './cluster.js';
import { IoredisCommand } from './command.js';
import { define } from './commander.js';
import { ClusterAllFailedError, MaxRetriesPerRequestError, ReplyError } from './errors.js';
import { Pipeline } from './pipeline.js';
import { Redis as Client } from './redis.js';
import { ScanStream } from './scan-stream.js';

const STATICS = { Cluster, Command: IoredisCommand, Pipeline, ReplyError, ScanStream };
/** With everything else as its properties: `require` gives the class alone. */
export const Redis = Object.assign(Client, STATICS);
export type Redis = Client;
for (const name of ['Redis', 'default']) define(Redis, name, Redis);

export type { ClusterStatus } from './cluster.js';
export type { ClusterNode, ClusterOptions, NodeRole } from './cluster-options.js';
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
  Cluster,
  ClusterAllFailedError,
  IoredisCommand as Command,
  MaxRetriesPerRequestError,
  Pipeline,
  ReplyError,
  ScanStream,
};
/** Prints what a callback got. */
export function print(error: Error | null, reply?: unknown): void {
  // biome-ignore lint/suspicious/noConsole: that is what it is for
  console.log(error ? `Error: ${String(error)}` : `Reply: ${String(reply)}`);
}
