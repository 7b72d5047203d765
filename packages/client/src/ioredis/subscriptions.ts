/** Channels, patterns and sharded channels as ioredis counts and announces them. */

import type { EventEmitter } from 'node:events';
import { InvalidArgumentError } from '../errors.js';
import type { PubSubListener, PubSubType } from '../pubsub/pub-sub.js';

type Listener = (message: never, channel: never) => unknown;

/** Where subscriptions are made: a client's connection, or a cluster's. */
export interface Subscriber {
  /** `listener` gets bytes with `buffers`, else text. */
  subscribe(type: PubSubType, names: readonly string[], listener: Listener, buffers: boolean): Promise<void>;
  unsubscribe(type: PubSubType, names: readonly string[]): Promise<void>;
}

const EVENTS: Readonly<Record<PubSubType, string>> = {
  CHANNELS: 'message',
  PATTERNS: 'pmessage',
  SHARDED: 'smessage',
};

export class Subscriptions {
  readonly #subscriber: Subscriber;
  readonly #emitter: EventEmitter;
  readonly #names: Readonly<Record<PubSubType, Set<string>>> = {
    CHANNELS: new Set(),
    PATTERNS: new Set(),
    SHARDED: new Set(),
  };
  /** Names whose subscription is not confirmed; one that is asked for twice is in here twice. */
  readonly #pending: Readonly<Record<PubSubType, string[]>> = { CHANNELS: [], PATTERNS: [], SHARDED: [] };
  /** Types whose messages somebody wants as bytes. */
  readonly #wantsBytes = new Set<PubSubType>();

  constructor(subscriber: Subscriber, emitter: EventEmitter) {
    this.#subscriber = subscriber;
    this.#emitter = emitter;
    emitter.on('newListener', (event) => {
      for (const [type, name] of Object.entries(EVENTS) as [PubSubType, string][])
        if (event === `${name}Buffer`) this.#want(type);
    });
  }

  get isActive(): boolean {
    return Object.values(this.#names).some(({ size }) => size > 0);
  }

  channels(type: PubSubType): string[] {
    return [...this.#names[type]];
  }

  /** Subscriptions of now, as the server counts them. */
  #count(type: PubSubType): number {
    const { CHANNELS, PATTERNS, SHARDED } = this.#names;
    return type === 'SHARDED' ? SHARDED.size : CHANNELS.size + PATTERNS.size;
  }

  async subscribe(type: PubSubType, channels: readonly unknown[]): Promise<number> {
    const names = channels.flat().map(String);
    if (names.length === 0) throw new InvalidArgumentError('SUBSCRIBE', 0, 'is missing: name one channel or more');
    // Both kinds of listeners are there before anything is sent: a message can follow the confirmation at once.
    const pending = this.#pending[type];
    for (const name of names) pending.push(name);
    try {
      const made = [this.#listen(type, names, false)];
      if (this.#wantsBytes.has(type)) made.push(this.#listen(type, names, true));
      await Promise.all(made);
    } finally {
      for (const name of names) pending.splice(pending.indexOf(name), 1);
    }
    for (const name of names) this.#names[type].add(name);
    return this.#count(type);
  }

  async unsubscribe(type: PubSubType, channels: readonly unknown[]): Promise<number> {
    const flat = channels.flat();
    const names = flat.length === 0 ? this.channels(type) : flat.map(String);
    for (const name of names) this.#names[type].delete(name);
    if (names.length > 0) await this.#subscriber.unsubscribe(type, names);
    return this.#count(type);
  }

  /** The connection was closed by its owner, or will not subscribe again. */
  clear(): void {
    for (const names of Object.values(this.#names)) names.clear();
  }

  async #listen(type: PubSubType, names: readonly string[], bytes: boolean): Promise<void> {
    if (type !== 'PATTERNS') {
      await this.#subscriber.subscribe(type, names, bytes ? this.#onBytes[type] : this.#onText[type], bytes);
      return;
    }
    const made = names.map((name) =>
      this.#subscriber.subscribe(type, [name], bytes ? this.#patternBytes(name) : this.#patternText(name), bytes),
    );
    await Promise.all(made);
  }

  #want(type: PubSubType): void {
    if (this.#wantsBytes.has(type)) return;
    this.#wantsBytes.add(type);
    const names = [...new Set([...this.channels(type), ...this.#pending[type]])];
    // Subscribed to already, or about to be: a refusal is reported to the caller of that subscription.
    if (names.length > 0) void this.#listen(type, names, true).catch(() => {});
  }

  // One listener each, so that subscribing twice adds none.
  readonly #onText = {
    CHANNELS: (message: string, channel: string) => this.#emitter.emit('message', channel, message),
    SHARDED: (message: string, channel: string) => this.#emitter.emit('smessage', channel, message),
  };
  readonly #onBytes = {
    CHANNELS: (message: Buffer, channel: Buffer) => this.#emitter.emit('messageBuffer', channel, message),
    SHARDED: (message: Buffer, channel: Buffer) => this.#emitter.emit('smessageBuffer', channel, message),
  };
  readonly #patterns = new Map<string, PubSubListener>();
  readonly #bytePatterns = new Map<string, PubSubListener<true>>();

  #patternText(pattern: string): PubSubListener {
    let listener = this.#patterns.get(pattern);
    if (listener === undefined) {
      listener = (message, channel) => this.#emitter.emit('pmessage', pattern, channel, message);
      this.#patterns.set(pattern, listener);
    }
    return listener;
  }
  #patternBytes(pattern: string): PubSubListener<true> {
    let listener = this.#bytePatterns.get(pattern);
    if (listener === undefined) {
      listener = (message, channel) => this.#emitter.emit('pmessageBuffer', pattern, channel, message);
      this.#bytePatterns.set(pattern, listener);
    }
    return listener;
  }
}
