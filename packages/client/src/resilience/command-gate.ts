/** What commands pass on their way to a connection, where options ask for it: rate limit, then circuit breaker. */
import { type ProtectionMessage, protectionChannel } from '../diagnostics.js';
import { RedkeepError } from '../errors.js';
import type { CircuitBreaker } from './circuit-breaker.js';
import type { RateLimit } from './rate-limit.js';

export class CommandGate {
  readonly #limit: RateLimit | undefined;
  readonly #breaker: CircuitBreaker | undefined;
  readonly #onLimited: (command: string) => void;

  /** `onLimited` is called for each command that the rate limit rejects. */
  constructor(limit: RateLimit | undefined, breaker: CircuitBreaker | undefined, onLimited: (command: string) => void) {
    this.#limit = limit;
    this.#breaker = breaker;
    this.#onLimited = onLimited;
  }

  /** Runs `send`, which sends `count` commands, now, later or never. */
  run<T>(command: string, count: number, send: () => Promise<T>): Promise<T> {
    const breaker = this.#breaker;
    const sendThrough = breaker === undefined ? send : () => breaker.run(send);
    let wait: Promise<void> | undefined;
    try {
      wait = this.#limit?.take(count);
    } catch (error) {
      if (error instanceof RedkeepError && error.code === 'REDKEEP_RATE_LIMITED') {
        publish({ event: 'rate-limited', command, errorCode: error.code });
        this.#onLimited(command);
      }
      return Promise.reject(error);
    }
    if (wait === undefined) return sendThrough();
    publish({ event: 'rate-waited', command });
    return wait.then(sendThrough);
  }
}

function publish(message: ProtectionMessage): void {
  if (protectionChannel.hasSubscribers) protectionChannel.publish(message);
}
