/**
 * node-redis's channels of `node:diagnostics_channel` for single events, by its names and fields. Names of pub/sub
 * channels are `?`, as all arguments are.
 */
import { type Channel, channel } from 'node:diagnostics_channel';

/** `relaxed-timeout`, `handoff`, `maintenance` and `command:reply` are never published. */
export const CHANNELS = {
  TRACE_COMMAND: 'node-redis:command',
  TRACE_BATCH: 'node-redis:batch',
  TRACE_CONNECT: 'node-redis:connect',
  CONNECTION_READY: 'node-redis:connection:ready',
  CONNECTION_CLOSED: 'node-redis:connection:closed',
  CONNECTION_RELAXED_TIMEOUT: 'node-redis:connection:relaxed-timeout',
  CONNECTION_HANDOFF: 'node-redis:connection:handoff',
  ERROR: 'node-redis:error',
  MAINTENANCE: 'node-redis:maintenance',
  PUBSUB: 'node-redis:pubsub',
  CACHE_REQUEST: 'node-redis:cache:request',
  CACHE_EVICTION: 'node-redis:cache:eviction',
  COMMAND_REPLY: 'node-redis:command:reply',
  POOL_CONNECTION_WAIT: 'node-redis:pool:connection-wait',
} as const;

export interface CommandTraceContext {
  /** The first word: `CONFIG`. */
  readonly command: string;
  /** The words of the command, and `?` for each argument. */
  readonly args: readonly string[];
  readonly database: number;
  readonly serverAddress: string;
  readonly serverPort: number | undefined;
  readonly clientId: string;
}
export interface BatchCommandTraceContext extends CommandTraceContext {
  readonly batchMode: 'MULTI' | 'PIPELINE';
  readonly batchSize: number;
}
export interface BatchOperationContext {
  readonly batchMode: 'MULTI' | 'PIPELINE';
  readonly batchSize: number;
  readonly database: number;
  readonly serverAddress: string;
  readonly serverPort: number | undefined;
  readonly clientId: string;
}
export interface ConnectTraceContext {
  readonly serverAddress: string;
  readonly serverPort: number | undefined;
  readonly clientId: string;
}

export interface ConnectionReadyEvent {
  readonly clientId: string;
  readonly serverAddress: string;
  readonly serverPort: number | undefined;
  readonly createTimeMs: number;
}
export interface ConnectionClosedEvent {
  readonly clientId: string;
  /** `application_close`, or `error`: it was lost. */
  readonly reason: string;
  readonly wasConnected: boolean;
}
export interface ClientErrorEvent {
  readonly error: Error;
  /** `client`; `cluster` for a redirect. */
  readonly origin: string;
  /** The client deals with it by itself. */
  readonly internal: boolean;
  readonly clientId: string;
  readonly retryCount?: number;
}
export interface PubSubMessageEvent {
  readonly direction: 'in' | 'out';
  readonly clientId: string;
  /** `?` */
  readonly channel: string;
  readonly sharded: boolean;
}
export interface CacheRequestEvent {
  /** `hit` or `miss`. */
  readonly result: string;
  readonly clientId: string | undefined;
}
export interface CacheEvictionEvent {
  /** `full`, `invalidation` or `ttl`. */
  readonly reason: string;
  readonly count: number;
}
export interface PoolConnectionWaitEvent {
  readonly clientId: string;
  /** Of `performance.now()`. */
  readonly waitStartTimestamp: number;
}

/** Events of this package: node-redis publishes on the same channels if it is in the same process. */
const own = new WeakSet<object>();
export const isOwn = (event: object): boolean => own.has(event);
/** Marks an event as one of this package. */
export function owned<E extends object>(event: E): E {
  own.add(event);
  return event;
}

class Point<E extends object> {
  readonly #channel: Channel;
  constructor(name: string) {
    this.#channel = channel(name);
  }
  get hasSubscribers(): boolean {
    return this.#channel.hasSubscribers;
  }
  publish(event: E): void {
    this.#channel.publish(owned(event));
  }
}

export const connectionReady = new Point<ConnectionReadyEvent>(CHANNELS.CONNECTION_READY);
export const connectionClosed = new Point<ConnectionClosedEvent>(CHANNELS.CONNECTION_CLOSED);
export const clientError = new Point<ClientErrorEvent>(CHANNELS.ERROR);
export const pubSubMessage = new Point<PubSubMessageEvent>(CHANNELS.PUBSUB);
export const cacheRequest = new Point<CacheRequestEvent>(CHANNELS.CACHE_REQUEST);
export const cacheEviction = new Point<CacheEvictionEvent>(CHANNELS.CACHE_EVICTION);
export const poolConnectionWait = new Point<PoolConnectionWaitEvent>(CHANNELS.POOL_CONNECTION_WAIT);

const withheld = new WeakMap<object, unknown>();

/** What an event is about, for this package's own metrics: subscribers do not get it. */
export function withhold<E extends object>(event: E, what: unknown): E {
  withheld.set(event, what);
  return event;
}
export function withheldOf(event: object): unknown {
  return withheld.get(event);
}
