/**
 * What a client is subscribed to, with the listeners. The listeners' map is the wish; the connection is brought in line
 * with it by SUBSCRIBE and UNSUBSCRIBE, and again after every reconnect.
 */
import { Command, type CommandSpec, spec } from '../commands/command.js';
import type { Connection } from '../connection/connection.js';
import type { HandshakeStep } from '../connection/handshake.js';
import { CallbackError, type ErrorReply } from '../errors.js';
import { pubSubMessage, withhold } from '../node-redis/channels.js';
import { RESP_TYPES, type TypeMapping } from '../protocol/types.js';
import { nameOf } from '../telemetry/client-registry.js';

export const PUBSUB_TYPE = { CHANNELS: 'CHANNELS', PATTERNS: 'PATTERNS', SHARDED: 'SHARDED' } as const;
export type PubSubType = keyof typeof PUBSUB_TYPE;

export type PubSubListener<B extends boolean = false> = (
  message: B extends true ? Buffer : string,
  channel: B extends true ? Buffer : string,
) => unknown;

/** The listeners of one channel or pattern. */
export interface ChannelListeners {
  /** UNSUBSCRIBE is on its way. */
  unsubscribing: boolean;
  readonly buffers: Set<PubSubListener<true>>;
  readonly strings: Set<PubSubListener>;
}
export type PubSubTypeListeners = Map<string, ChannelListeners>;
export type PubSubListeners = Record<PubSubType, PubSubTypeListeners>;

const COMMANDS: Readonly<Record<PubSubType, { subscribe: CommandSpec; unsubscribe: CommandSpec }>> = {
  CHANNELS: { subscribe: spec('SUBSCRIBE'), unsubscribe: spec('UNSUBSCRIBE') },
  PATTERNS: { subscribe: spec('PSUBSCRIBE'), unsubscribe: spec('PUNSUBSCRIBE') },
  SHARDED: { subscribe: spec('SSUBSCRIBE'), unsubscribe: spec('SUNSUBSCRIBE') },
};
const BYTES: TypeMapping = { [RESP_TYPES.BLOB_STRING]: Buffer };
/** Channels a SUBSCRIBE of the handshake names. */
const RESUBSCRIBE_BATCH = 1000;

export interface PubSubEvents {
  /** Why a subscription may not be made. */
  refusalOf(command: Command): Error | undefined;
  /** The server ended a sharded subscription: the slot is served elsewhere. Its listeners are no longer here. */
  onShardMoved(channel: string, listeners: ChannelListeners): void;
  /** A subscription was refused while reconnecting; it is tried again at the next connection. */
  onRefused(error: ErrorReply): void;
  /** A listener threw, or returned a promise that rejects. */
  onListenerFailed(error: CallbackError): void;
}

export class PubSub {
  readonly listeners: PubSubListeners = { CHANNELS: new Map(), PATTERNS: new Map(), SHARDED: new Map() };
  readonly #connection: Connection;
  readonly #events: PubSubEvents;
  /** SUBSCRIBE commands that are not answered. */
  #pending = 0;
  /** Listeners that want bytes: while there are any, all messages are read as bytes. */
  #bufferListeners = 0;

  constructor(connection: Connection, events: PubSubEvents) {
    this.#connection = connection;
    this.#events = events;
  }

  /** Something is subscribed or about to be. */
  get isActive(): boolean {
    const { CHANNELS, PATTERNS, SHARDED } = this.listeners;
    return this.#pending > 0 || CHANNELS.size > 0 || PATTERNS.size > 0 || SHARDED.size > 0;
  }

  get mapping(): TypeMapping | undefined {
    return this.#bufferListeners > 0 ? BYTES : undefined;
  }

  /** Resolves when the server has confirmed every channel; rejects (and forgets the listener) when it refuses. */
  async subscribe<B extends boolean = false>(
    type: PubSubType,
    channels: string | readonly string[],
    listener: PubSubListener<B>,
    buffers?: B,
  ): Promise<void> {
    const names = listOf(channels);
    const refused = this.#events.refusalOf(new Command(COMMANDS[type].subscribe, names));
    if (refused !== undefined) throw refused;
    const map = this.listeners[type];
    const added: string[] = [];
    let fresh = false;
    for (const name of names) {
      let entry = map.get(name);
      if (entry === undefined || entry.unsubscribing) fresh = true;
      if (entry === undefined) {
        entry = { unsubscribing: false, buffers: new Set(), strings: new Set() };
        map.set(name, entry);
      }
      entry.unsubscribing = false;
      const set = setOf(entry, buffers);
      if (set.has(listener as never)) continue;
      set.add(listener as never);
      if (buffers === true) this.#bufferListeners++;
      added.push(name);
    }
    if (!fresh && this.#pending === 0) return;
    try {
      await this.#send(type, names);
    } catch (error) {
      for (const name of added) this.#remove(type, name, listener as never, buffers);
      for (const name of added) if (isEmpty(map.get(name))) map.delete(name);
      throw error;
    }
  }

  /** Adds the listeners that another connection had, as after a slot has moved. */
  async adopt(type: PubSubType, listeners: PubSubTypeListeners): Promise<void> {
    const map = this.listeners[type];
    const fresh: string[] = [];
    for (const [name, { buffers, strings }] of listeners) {
      const entry = map.get(name) ?? { unsubscribing: false, buffers: new Set(), strings: new Set() };
      if (!map.has(name)) fresh.push(name);
      map.set(name, entry);
      for (const listener of strings) entry.strings.add(listener);
      for (const listener of buffers) {
        if (!entry.buffers.has(listener)) this.#bufferListeners++;
        entry.buffers.add(listener);
      }
    }
    if (fresh.length > 0) await this.#send(type, fresh);
  }

  async #send(type: PubSubType, names: readonly string[]): Promise<void> {
    this.#pending++;
    try {
      await this.#connection.dispatchSubscription(new Command(COMMANDS[type].subscribe, names), names.length);
    } finally {
      this.#pending--;
    }
  }

  /** Removes one listener, all of the given channels, or all of the type. Resolves when the server has confirmed. */
  async unsubscribe<B extends boolean = false>(
    type: PubSubType,
    channels?: string | readonly string[],
    listener?: PubSubListener<B>,
    buffers?: B,
  ): Promise<void> {
    const map = this.listeners[type];
    // Named one by one, also when all are meant, so that the number of confirmations is known.
    const names = channels === undefined ? [...map.keys()] : listOf(channels);
    const gone: string[] = [];
    for (const name of names) {
      const entry = map.get(name);
      if (entry !== undefined) {
        if (listener !== undefined) this.#remove(type, name, listener as never, buffers);
        else this.#clear(entry);
        if (!isEmpty(entry)) continue;
        entry.unsubscribing = true;
      }
      gone.push(name);
    }
    if (gone.length === 0) return;
    await this.#connection.dispatchSubscription(new Command(COMMANDS[type].unsubscribe, gone), gone.length);
    for (const name of gone) if (map.get(name)?.unsubscribing) map.delete(name);
  }

  #remove(type: PubSubType, name: string, listener: never, buffers: boolean | undefined): void {
    const entry = this.listeners[type].get(name);
    if (entry !== undefined && setOf(entry, buffers).delete(listener) && buffers === true) this.#bufferListeners--;
  }

  #clear(entry: ChannelListeners): void {
    this.#bufferListeners -= entry.buffers.size;
    entry.buffers.clear();
    entry.strings.clear();
  }

  /** Forgets everything; the connection has left its subscriptions by itself (RESET). */
  reset(): void {
    for (const map of Object.values(this.listeners)) map.clear();
    this.#bufferListeners = 0;
  }

  /** Takes all listeners of the given sharded channels (default all) away, for another connection to adopt. */
  take(type: PubSubType, wanted: (channel: string) => boolean = () => true): PubSubTypeListeners {
    const taken: PubSubTypeListeners = new Map();
    for (const [name, entry] of this.listeners[type]) {
      if (!wanted(name)) continue;
      this.listeners[type].delete(name);
      this.#bufferListeners -= entry.buffers.size;
      taken.set(name, entry);
    }
    return taken;
  }

  /** SUBSCRIBE commands that restore the subscriptions of a fresh connection. */
  handshake(): HandshakeStep[] {
    const steps: HandshakeStep[] = [];
    for (const type of Object.values(PUBSUB_TYPE)) {
      const names: string[] = [];
      for (const [name, entry] of this.listeners[type]) if (!entry.unsubscribing) names.push(name);
      // Sharded channels of different slots cannot share a command.
      const batch = type === 'SHARDED' ? 1 : RESUBSCRIBE_BATCH;
      for (let i = 0; i < names.length; i += batch) {
        const part = names.slice(i, i + batch);
        steps.push({
          command: new Command(COMMANDS[type].subscribe, part),
          confirmations: part.length,
          optional: true,
          refused: (error) => this.#refused(type, part, error),
        });
      }
    }
    return steps;
  }

  #refused(type: PubSubType, names: readonly string[], error: ErrorReply): void {
    if (error.prefix === 'MOVED' && type === 'SHARDED') for (const name of names) this.#moved(name);
    else this.#events.onRefused(error);
  }

  #moved(channel: string): void {
    const entry = this.take('SHARDED', (name) => name === channel).get(channel);
    if (entry !== undefined) this.#events.onShardMoved(channel, entry);
  }

  /** Hands a push to its listeners; false when it does not belong to pub/sub. */
  handle(values: readonly unknown[]): boolean {
    switch (typeof values[0] === 'string' ? values[0] : String(values[0])) {
      case 'message':
        this.#emit(this.listeners.CHANNELS, values[1] as Text, values[2] as Text, values[1] as Text);
        return true;
      case 'pmessage':
        this.#emit(this.listeners.PATTERNS, values[1] as Text, values[3] as Text, values[2] as Text);
        return true;
      case 'smessage':
        this.#emit(this.listeners.SHARDED, values[1] as Text, values[2] as Text, values[1] as Text);
        return true;
      case 'sunsubscribe':
        if (this.listeners.SHARDED.get(String(values[1]))?.unsubscribing === false) this.#moved(String(values[1]));
        return true;
      case 'subscribe':
      case 'unsubscribe':
      case 'psubscribe':
      case 'punsubscribe':
      case 'ssubscribe':
        return true;
      default:
        return false;
    }
  }

  #emit(map: PubSubTypeListeners, name: Text, message: Text, channel: Text): void {
    const entry = map.get(typeof name === 'string' ? name : name.toString());
    if (entry === undefined) return;
    if (pubSubMessage.hasSubscribers) this.#publish(channel, map === this.listeners.SHARDED);
    if (entry.buffers.size > 0) {
      const messageBytes = typeof message === 'string' ? Buffer.from(message) : message;
      const channelBytes = typeof channel === 'string' ? Buffer.from(channel) : channel;
      for (const listener of entry.buffers) this.#call(listener, messageBytes, channelBytes);
    }
    if (entry.strings.size === 0) return;
    const text = asText(message);
    const channelText = asText(channel);
    for (const listener of entry.strings) this.#call(listener, text, channelText);
  }

  #publish(channel: Text, sharded: boolean): void {
    const clientId = nameOf(this.#connection);
    pubSubMessage.publish(withhold({ direction: 'in', clientId, channel: '?', sharded }, String(channel)));
  }

  /** One that throws loses neither the others' message nor the next one of its own, and does not vanish. */
  #call<T extends Text>(listener: (message: T, channel: T) => unknown, message: T, channel: T): void {
    try {
      const returned = listener(message, channel);
      if (returned instanceof Promise) returned.catch((error) => this.#failed(error));
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    this.#events.onListenerFailed(new CallbackError('A listener of messages', error));
  }
}

type Text = string | Buffer;

/** RESP2 tracking sends arrays of keys as messages of `__redis__:invalidate`, or null for all of them. */
function asText(value: Text | readonly Text[] | null): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(String) as unknown as string;
  return value === null ? (value as unknown as string) : value.toString();
}

function listOf(channels: string | readonly string[]): readonly string[] {
  return typeof channels === 'string' ? [channels] : [...new Set(channels)];
}

function setOf(entry: ChannelListeners, buffers: boolean | undefined): Set<PubSubListener<true>> | Set<PubSubListener> {
  return buffers === true ? entry.buffers : entry.strings;
}

function isEmpty(entry: ChannelListeners | undefined): boolean {
  return entry !== undefined && entry.buffers.size === 0 && entry.strings.size === 0;
}
