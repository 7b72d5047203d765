/**
 * Subscriptions in a cluster. Channels and patterns reach every node, so one connection to any master serves them; it
 * looks for another master whenever it connects. Sharded channels live on the master of their slot: one connection a
 * master, and when a slot moves its channels are subscribed where it is now.
 */

import type { EventEmitter } from 'node:events';
import { RedisClient } from '../client/client.js';
import { emitSafely } from '../client/emit-safely.js';
import { CORE } from '../client/symbols.js';
import { ClientClosedError, ErrorReply, MaxCommandRedirectionsError } from '../errors.js';
import { resolveOptions } from '../options/options.js';
import type { ChannelListeners, PubSubListener } from '../pubsub/pub-sub.js';
import { setParent } from '../telemetry/client-registry.js';
import type { ClusterNode, ClusterNodes } from './nodes.js';
import { slotOf } from './slot.js';
import { Subscriber } from './subscriber.js';
import { parseRedirect } from './topology.js';

/** What subscriptions need of the cluster that they belong to. */
export interface SubscribableCluster {
  readonly state: string;
  readonly nodes: ClusterNodes;
  readonly options: { readonly maxRedirects: number };
  anyMaster(): ClusterNode;
  /** Fetches the topology again. */
  refresh(): Promise<void>;
  refreshSoon(): void;
}

export class ClusterPubSub {
  readonly #core: SubscribableCluster;
  readonly #emitter: EventEmitter;
  #anywhere: Subscriber | undefined;
  /** The node that `#anywhere` is connected to. */
  #node: ClusterNode | undefined;
  readonly #sharded = new Map<ClusterNode, Subscriber>();

  constructor(core: SubscribableCluster, emitter: EventEmitter) {
    this.#core = core;
    this.#emitter = emitter;
  }

  get node(): ClusterNode | undefined {
    return this.#node;
  }

  /** Changes subscriptions to channels and patterns. */
  change(use: (client: RedisClient) => Promise<void>): Promise<void> {
    this.#anywhere ??= this.#anySubscriber(this.#connect(() => this.#choose()));
    return this.#anywhere.use(use);
  }

  /** {@link change}, where there is nothing to end without a connection. */
  async end(use: (client: RedisClient) => Promise<void>): Promise<void> {
    await this.#anywhere?.use(use);
  }

  #choose(): ClusterNode {
    this.#node = this.#core.anyMaster();
    return this.#node;
  }

  #anySubscriber(client: Promise<RedisClient>): Subscriber {
    const subscriber = new Subscriber(client, () => {
      if (this.#anywhere === subscriber) this.#anywhere = this.#node = undefined;
    });
    return subscriber;
  }

  #onNode(node: ClusterNode): Subscriber {
    let subscriber = this.#sharded.get(node);
    if (subscriber === undefined) {
      const client = this.#connect(() => node).then((connected) => {
        connected.on('sharded-channel-moved', (channel: string, listeners: ChannelListeners) => {
          emitSafely(this.#emitter, 'sharded-channel-moved', channel, listeners);
          void this.#resubscribe(channel, listeners);
        });
        return connected;
      });
      const made = new Subscriber(client, () => {
        if (this.#sharded.get(node) === made) this.#sharded.delete(node);
      });
      subscriber = made;
      this.#sharded.set(node, made);
    }
    return subscriber;
  }

  async #connect(choose: () => ClusterNode): Promise<RedisClient> {
    if (this.#core.state !== 'ready') throw new ClientClosedError();
    const { nodes } = this.#core;
    const client = new RedisClient(nodes.optionsOf(choose()), (resolved) => ({
      ...resolved,
      connection: {
        ...resolved.connection,
        locate: async () => {
          const node = choose();
          const refusal = nodes.refusal(node);
          if (refusal !== undefined) throw refusal;
          const { connection } = nodes.adjust(node, resolveOptions(nodes.optionsOf(node)));
          return { endpoint: connection.endpoint, tls: connection.tls };
        },
      },
    }));
    setParent(client[CORE].connection, nodes);
    client.on('error', (error: Error) => {
      emitSafely(this.#emitter, 'node-error', error);
      this.#core.refreshSoon();
    });
    await client.connect();
    return client;
  }

  async sSubscribe<B extends boolean = false>(
    channels: string | readonly string[],
    listener: PubSubListener<B>,
    buffers?: B,
  ): Promise<void> {
    await Promise.all(
      [...bySlot(channels)].map(([slot, names]) =>
        this.#follow(slot, (client) => client.sSubscribe(names, listener, buffers)),
      ),
    );
  }

  async sUnsubscribe<B extends boolean = false>(
    channels: string | readonly string[],
    listener?: PubSubListener<B>,
    buffers?: B,
  ): Promise<void> {
    await Promise.all(
      [...bySlot(channels)].map(([slot, names]) =>
        this.#follow(slot, (client) => client.sUnsubscribe(names, listener, buffers)),
      ),
    );
  }

  /** At the master of the slot, and where it says the slot is, a bounded number of times. */
  async #follow(slot: number, use: (client: RedisClient) => Promise<void>): Promise<void> {
    for (let tries = 0; ; tries++) {
      const node = this.#core.nodes.slots[slot]?.master ?? this.#core.anyMaster();
      try {
        return await this.#onNode(node).use(use);
      } catch (error) {
        const redirect = error instanceof ErrorReply ? parseRedirect(error.serverMessage) : undefined;
        if (redirect?.kind !== 'MOVED') throw error;
        if (tries >= this.#core.options.maxRedirects) throw new MaxCommandRedirectionsError(error);
        await this.#core.refresh();
      }
    }
  }

  async #resubscribe(channel: string, listeners: ChannelListeners): Promise<void> {
    try {
      await this.#core.refresh();
      for (const listener of listeners.strings) await this.sSubscribe(channel, listener);
      for (const listener of listeners.buffers) await this.sSubscribe(channel, listener, true);
    } catch (error) {
      emitSafely(this.#emitter, 'sharded-channel-moved-error', error, channel, listeners);
    }
  }

  /** Moves subscriptions off nodes that left the cluster or are no longer masters. */
  onTopology(): void {
    const { masters } = this.#core.nodes;
    if (this.#node !== undefined && this.#anywhere !== undefined && !masters.includes(this.#node))
      this.#anywhere = this.#anySubscriber(this.#move(this.#anywhere.client));
    for (const [node, { client: pending }] of this.#sharded) {
      if (masters.includes(node)) continue;
      this.#sharded.delete(node);
      void pending.then(
        (client) => {
          const moved = [...client[CORE].pubSub.listeners.SHARDED];
          if (client.isOpen) client.destroy();
          for (const [channel, listeners] of moved) void this.#resubscribe(channel, listeners);
        },
        () => {},
      );
    }
  }

  /** Subscribes at another node before the old connection goes: a message may come twice meanwhile, but not never. */
  async #move(pending: Promise<RedisClient>): Promise<RedisClient> {
    const old = await pending;
    // One that is being made anew looks for another node by itself.
    if (!old.isReady) return old;
    try {
      const client = await this.#connect(() => this.#choose());
      await Promise.all(
        (['CHANNELS', 'PATTERNS'] as const).map((type) =>
          client.extendPubSubListeners(type, old.getPubSubListeners(type)),
        ),
      );
      if (old.isOpen) old.destroy();
      return client;
    } catch (error) {
      emitSafely(this.#emitter, 'node-error', error);
      return old;
    }
  }

  async close(): Promise<void> {
    const subscribers = [...(this.#anywhere === undefined ? [] : [this.#anywhere]), ...this.#sharded.values()];
    const clients = await Promise.allSettled(subscribers.map(({ client }) => client));
    this.#anywhere = this.#node = undefined;
    this.#sharded.clear();
    for (const result of clients) if (result.status === 'fulfilled' && result.value?.isOpen) result.value.destroy();
  }
}

function bySlot(channels: string | readonly string[]): Map<number, string[]> {
  const slots = new Map<number, string[]>();
  for (const channel of typeof channels === 'string' ? [channels] : channels) {
    const slot = slotOf(channel);
    slots.set(slot, [...(slots.get(slot) ?? []), channel]);
  }
  return slots;
}
