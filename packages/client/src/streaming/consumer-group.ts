/**
 * The work of a stream's consumer group as an async iterator: first what this consumer received before and did not
 * acknowledge, then what others left unacknowledged, then new entries.
 */

import { hostname } from 'node:os';
import { performance } from '../clock.js';
import { AbortError, ErrorReply } from '../errors.js';
import type { RedisArgument } from '../protocol/types.js';

export interface ConsumeOptions {
  group: string;
  /** Name of this consumer, the same after a restart. @default the host's name */
  consumer?: string;
  /** Entries fetched at once. @default 16 */
  count?: number;
  /** Milliseconds that one read waits for new entries. @default 5000 */
  blockMs?: number;
  /**
   * Milliseconds after which an entry that another consumer received and did not acknowledge is taken over; 0 = never.
   * @default 60000
   */
  claimIdleMs?: number;
  /** Where a new group begins: `$` new entries only, `0` the whole stream. @default '$' */
  from?: string;
  /** Ends the iteration, also while it waits. */
  signal?: AbortSignal;
}

export interface ConsumedEntry {
  readonly id: string;
  readonly message: Readonly<Record<string, string>>;
  /** It was delivered before, to this or another consumer: the work may have been done already. */
  readonly redelivered: boolean;
  /** The work is done: the group forgets the entry. An entry that is not acknowledged comes again. */
  ack(): Promise<void>;
}

interface RawEntry {
  readonly id: unknown;
  readonly message: unknown;
}
interface Reading {
  xGroupCreate(key: RedisArgument, group: string, id: string, options: { MKSTREAM: true }): Promise<unknown>;
  xReadGroup(
    group: string,
    consumer: string,
    stream: { key: RedisArgument; id: string },
    options: { COUNT: number; BLOCK?: number },
  ): Promise<readonly { readonly messages: readonly (RawEntry | null)[] }[] | null>;
  xAutoClaim(
    key: RedisArgument,
    group: string,
    consumer: string,
    minIdle: number,
    start: string,
    options: { COUNT: number },
  ): Promise<{ readonly nextId: unknown; readonly messages: readonly (RawEntry | null)[] }>;
  xAck(key: RedisArgument, group: string, id: string): Promise<unknown>;
}

/** What the iterator needs of a client. */
export interface GroupReader {
  withTypeMapping(mapping: Record<never, never>): { withAbortSignal(signal: AbortSignal): object };
}

export async function* consumeGroup(
  client: GroupReader,
  stream: RedisArgument,
  options: ConsumeOptions,
): AsyncGenerator<ConsumedEntry, void, undefined> {
  const {
    group,
    consumer = hostname(),
    count = 16,
    blockMs = 5000,
    claimIdleMs = 60_000,
    from = '$',
    signal,
  } = options;
  const plain = client.withTypeMapping({}) as unknown as Reading;
  const waiting = (signal === undefined ? plain : client.withTypeMapping({}).withAbortSignal(signal)) as Reading;
  await plain.xGroupCreate(stream, group, from, { MKSTREAM: true }).catch((error) => {
    if (!(error instanceof ErrorReply) || error.prefix !== 'BUSYGROUP') throw error;
  });

  function* entries(messages: readonly (RawEntry | null)[], redelivered: boolean): Generator<ConsumedEntry> {
    for (const entry of messages) {
      // Entries that were trimmed from the stream are still listed as pending, without a message.
      if (entry === null || entry.message === null) continue;
      const id = String(entry.id);
      yield {
        id,
        message: entry.message as Record<string, string>,
        redelivered,
        async ack() {
          await plain.xAck(stream, group, id);
        },
      };
    }
  }

  let own = '0'; // this consumer's unacknowledged entries, from the beginning
  for (;;) {
    const reply = await plain.xReadGroup(group, consumer, { key: stream, id: own }, { COUNT: count });
    const messages = reply?.[0]?.messages ?? [];
    if (messages.length === 0) break;
    yield* entries(messages, true);
    own = String(messages.at(-1)?.id);
  }
  let nextClaim = 0;
  while (signal?.aborted !== true) {
    if (claimIdleMs > 0 && performance.now() >= nextClaim) {
      let start = '0-0';
      do {
        const claimed = await plain.xAutoClaim(stream, group, consumer, claimIdleMs, start, { COUNT: count });
        yield* entries(claimed.messages, true);
        start = String(claimed.nextId);
      } while (start !== '0-0');
      nextClaim = performance.now() + claimIdleMs / 2;
    }
    try {
      const reply = await waiting.xReadGroup(
        group,
        consumer,
        { key: stream, id: '>' },
        { COUNT: count, BLOCK: blockMs },
      );
      yield* entries(reply?.[0]?.messages ?? [], false);
    } catch (error) {
      if (error instanceof AbortError) return;
      throw error;
    }
  }
}
