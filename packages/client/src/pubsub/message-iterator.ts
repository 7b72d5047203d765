/** Messages as an async iterator with a bound: what the consumer cannot take waits on the server's side of TCP. */
import { RedkeepError } from '../errors.js';
import type { PubSub, PubSubListener, PubSubType } from './pub-sub.js';

export interface MessagesOptions {
  /** `CHANNELS` (default), `PATTERNS` (PSUBSCRIBE) or `SHARDED` (SSUBSCRIBE, Redis 7.0). */
  type?: PubSubType;
  /** Messages that may wait for the consumer; default 1024. */
  highWaterMark?: number;
  /**
   * At the bound: `pause` (default) stops reading the connection, so use a client of its own (`duplicate()`); `drop`
   * forgets the oldest message and reports a gap; `fail` ends the iteration with REDKEEP_QUEUE_FULL.
   */
  overflow?: 'pause' | 'drop' | 'fail';
}

/** A message, or the news that messages may be missing before the next one. */
export type PubSubEvent =
  | { readonly kind: 'message'; readonly channel: string; readonly message: string }
  /** `reconnect`: published messages of the time without a connection are lost. `overflow`: `dropped` were forgotten. */
  | { readonly kind: 'gap'; readonly reason: 'reconnect' | 'overflow'; readonly dropped: number };

/** What the iterator needs of its client. */
export interface MessageSource {
  readonly pubSub: PubSub;
  pause(): void;
  resume(): void;
  /** Calls back after each reconnect (not the first connection) and at the end; returns how to stop that. */
  onReconnectOrEnd(onReconnect: () => void, onEnd: () => void): () => void;
}

const DEFAULT_HIGH_WATER_MARK = 1024;

export async function* messages(
  source: MessageSource,
  channels: string | readonly string[],
  options: MessagesOptions = {},
): AsyncGenerator<PubSubEvent, void, undefined> {
  const { type = 'CHANNELS', highWaterMark = DEFAULT_HIGH_WATER_MARK, overflow = 'pause' } = options;
  const queue: PubSubEvent[] = [];
  let wake: (() => void) | undefined;
  let ended = false;
  let failure: Error | undefined;
  let paused = false;
  let dropped = 0;
  const signal = () => {
    wake?.();
    wake = undefined;
  };
  const listener: PubSubListener = (message, channel) => {
    if (queue.length >= highWaterMark) {
      if (overflow === 'drop') {
        queue.shift();
        dropped++;
      } else if (overflow === 'fail') {
        failure = new RedkeepError('REDKEEP_QUEUE_FULL', `${highWaterMark} messages wait for the consumer`);
        signal();
        return;
      } else if (!paused) {
        // What was read with this chunk still comes in: at most one read buffer's worth above the bound.
        paused = true;
        source.pause();
      }
    }
    queue.push({ kind: 'message', channel, message });
    signal();
  };
  const unwatch = source.onReconnectOrEnd(
    () => {
      paused = false; // it was the old socket that was paused
      queue.push({ kind: 'gap', reason: 'reconnect', dropped: 0 });
      signal();
    },
    () => {
      ended = true;
      signal();
    },
  );
  try {
    await source.pubSub.subscribe(type, channels, listener);
    for (;;) {
      if (failure !== undefined) throw failure;
      if (paused && queue.length <= highWaterMark / 2) {
        paused = false;
        source.resume();
      }
      if (dropped > 0) {
        const count = dropped;
        dropped = 0;
        yield { kind: 'gap', reason: 'overflow', dropped: count };
      } else if (queue.length > 0) {
        yield queue.shift()!;
      } else if (ended) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    unwatch();
    if (paused) source.resume();
    if (!ended) await source.pubSub.unsubscribe(type, channels, listener);
  }
}
