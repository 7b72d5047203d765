/** A connection for subscriptions that stands for as long as there are any. */
import type { RedisClient } from '../client/client.js';

export class Subscriber {
  readonly client: Promise<RedisClient>;
  readonly #onIdle: () => void;
  #users = 0;

  /** `onIdle`: nothing is subscribed to any more, or the connection could not be had; it is not to be used again. */
  constructor(client: Promise<RedisClient>, onIdle: () => void) {
    this.client = client;
    this.#onIdle = onIdle;
    client.catch(onIdle);
  }

  async use(change: (client: RedisClient) => Promise<void>): Promise<void> {
    this.#users++;
    try {
      await change(await this.client);
    } finally {
      this.#users--;
      await this.#rest();
    }
  }

  async #rest(): Promise<void> {
    const client = await this.client.catch(() => undefined);
    if (client === undefined || this.#users > 0 || client.isPubSubActive) return;
    this.#onIdle();
    if (client.isOpen) client.destroy();
  }
}
