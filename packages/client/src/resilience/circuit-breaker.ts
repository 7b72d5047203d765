import { performance } from '../clock.js';
import { ErrorReply, InvalidOptionError, RedkeepError } from '../errors.js';

export interface CircuitBreakerOptions {
  /** Failures in a row that open the circuit. @default 20 */
  threshold?: number;
  /** Milliseconds until one command may try again. @default 5000 */
  coolDownMs?: number;
}

type State =
  | { readonly name: 'closed'; failures: number }
  | { readonly name: 'open'; readonly until: number }
  | { readonly name: 'half-open' };

/**
 * After too many failures in a row commands reject at once instead of waiting for their timeout; after a pause one
 * command tries, and its outcome decides. An error reply is an answer: the server is there.
 */
export class CircuitBreaker {
  readonly #threshold: number;
  readonly #coolDownMs: number;
  readonly #onChange: (state: State['name']) => void;
  #state: State = { name: 'closed', failures: 0 };

  constructor(options: CircuitBreakerOptions, onChange: (state: State['name']) => void) {
    const { threshold = 20, coolDownMs = 5000 } = options;
    if (!(threshold >= 1) || !(coolDownMs > 0))
      throw new InvalidOptionError('circuitBreaker', 'threshold must be at least 1 and coolDownMs positive');
    this.#threshold = threshold;
    this.#coolDownMs = coolDownMs;
    this.#onChange = onChange;
  }

  get state(): State['name'] {
    return this.#state.name;
  }

  /** Runs a command through the breaker. */
  run<T>(send: () => Promise<T>): Promise<T> {
    const state = this.#state;
    if (state.name === 'half-open' || (state.name === 'open' && performance.now() < state.until)) {
      return Promise.reject(new RedkeepError('REDKEEP_CIRCUIT_OPEN', 'The circuit is open after repeated failures'));
    }
    if (state.name === 'open') this.#to({ name: 'half-open' });
    // What was sent before the circuit changed says nothing of the server of now.
    const sentIn = this.#state;
    const answer = send();
    const judged = (judge: () => void) => {
      if (this.#state === sentIn) judge();
    };
    answer.then(
      () => judged(() => this.#succeeded()),
      (error) => judged(() => (isAnswer(error) ? this.#succeeded() : this.#failed(error))),
    );
    return answer;
  }

  #succeeded(): void {
    if (this.#state.name === 'closed') this.#state.failures = 0;
    else this.#to({ name: 'closed', failures: 0 });
  }

  #failed(error: unknown): void {
    // What the caller did (aborted, bad argument, refused) says nothing of the server.
    const { code } = error as { code?: string };
    const counts =
      code === 'REDKEEP_TIMEOUT' ||
      code === 'REDKEEP_MAYBE_EXECUTED' ||
      code === 'REDKEEP_SOCKET_CLOSED' ||
      code === 'REDKEEP_SERVER_NOT_READY' ||
      code === 'REDKEEP_CLIENT_OFFLINE' ||
      code === 'REDKEEP_CONNECT_TIMEOUT';
    if (this.#state.name === 'half-open') this.#to(counts ? this.#opened() : { name: 'closed', failures: 0 });
    else if (counts && this.#state.name === 'closed' && ++this.#state.failures >= this.#threshold)
      this.#to(this.#opened());
  }

  #opened(): State {
    return { name: 'open', until: performance.now() + this.#coolDownMs };
  }

  #to(state: State): void {
    this.#state = state;
    this.#onChange(state.name);
  }
}

/** A server that is not ready answers too, and serves nothing. */
function isAnswer(error: unknown): boolean {
  return error instanceof ErrorReply && error.code !== 'REDKEEP_SERVER_NOT_READY';
}
