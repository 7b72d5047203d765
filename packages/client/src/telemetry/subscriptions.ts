import { channel } from 'node:diagnostics_channel';

/** Subscribes to a channel by its name. */
export type Subscribe = <E extends object>(name: string | symbol, listener: (event: E) => void) => void;

/**
 * Subscriptions that end together. What a listener throws (a meter of the application may) would end the process: it
 * becomes one warning.
 */
export class Subscriptions {
  readonly #ends: (() => void)[] = [];
  #warned = false;

  readonly subscribe: Subscribe = <E extends object>(name: string | symbol, listener: (event: E) => void) => {
    const guarded = (event: unknown) => {
      try {
        listener(event as E);
      } catch {
        this.#warn();
      }
    };
    const subscribed = channel(name);
    subscribed.subscribe(guarded);
    this.#ends.push(() => subscribed.unsubscribe(guarded));
  };

  #warn(): void {
    if (this.#warned) return;
    this.#warned = true;
    process.emitWarning('The OpenTelemetry SDK threw an error: spans or metrics are missing', {
      code: 'REDKEEP_CALLBACK_FAILED',
    });
  }

  end(): void {
    for (const end of this.#ends.splice(0)) end();
  }
}
