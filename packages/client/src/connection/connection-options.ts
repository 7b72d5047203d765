/** Options of a connection, and what it reports to its owner. */

import type { CredentialsSource } from '../credentials/credentials.js';
import type { ReplyLimits } from '../protocol/limits.js';
import type { TypeMapping } from '../protocol/types.js';
import type { HandshakeOptions, HandshakeStep } from './handshake.js';
import type { ReconnectStrategy } from './reconnect.js';
import type { TransportOptions } from './transport.js';

export interface ConnectionOptions extends TransportOptions {
  readonly credentials: CredentialsSource;
  /** Ends the connection when it fires. */
  readonly signal?: AbortSignal | undefined;
  readonly handshake: HandshakeOptions;
  readonly replyLimits: ReplyLimits;
  /** Milliseconds a command may take from dispatch to answer; 0 = no limit. */
  readonly commandTimeout: number;
  /** Milliseconds HELLO and its like may take. */
  readonly handshakeTimeout: number;
  /** Milliseconds without a byte, while answers are due, after which the peer counts as gone; 0 = never. */
  readonly socketTimeout: number;
  readonly maxCommands: number;
  readonly maxQueueBytes: number;
  /** Keep commands while the connection is down. */
  readonly offlineQueue: boolean;
  /** Times one command may be sent again. */
  readonly maxRetries: number;
  readonly reconnectStrategy: ReconnectStrategy;
  /** Milliseconds after which `connect()` stops trying, if there was no connection yet. */
  readonly startupTimeout: number;
  /** Asked before each socket where to connect to; none = `endpoint`. What Sentinel says is news every time. */
  readonly locate?: () => Promise<Pick<TransportOptions, 'endpoint' | 'tls'>>;
}

/** What a connection reports to its owner. */
export interface ConnectionListener {
  onConnect?(): void;
  onReady?(): void;
  onEnd?(): void;
  onError?(error: Error): void;
  onReconnecting?(): void;
  /** What goes before queued commands after each handshake: subscriptions, CLIENT TRACKING … */
  onHandshake?(): readonly HandshakeStep[];
  /** The connection is in a mode (subscriptions, WATCH, MONITOR, tracking) that a new socket would not have. */
  hasMode?(): boolean;
  onPush?(values: unknown[]): void;
  /** A line of MONITOR. */
  onMonitor?(line: string): void;
  /** Some pushes are wanted as bytes. */
  pushMapping?(): TypeMapping | undefined;
  onReauthenticated?(): void;
  /** A command goes out for the `attempt`th time more. Called while the queue is being put in order: act later. */
  onRetry?(command: string, attempt: number): void;
}
