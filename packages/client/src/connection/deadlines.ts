import { clearTimeout, performance, setImmediate, setTimeout } from '../clock.js';

/**
 * Deadlines without a timer a command. Commands keep their own deadline; one timer sleeps until the earliest, and
 * when it fires the owner looks through its queue and says which is the next. In a healthy connection it fires once
 * per timeout, whatever the rate.
 */
/** Turns of the event loop that are waited for while data keeps coming. */
const MAX_ROUNDS = 64;

export class Deadlines {
  /** Monotonic, as of this turn: reading the clock once a turn instead of once a command. */
  #now = 0;
  readonly #onDue: (now: number) => number;
  readonly #reads: () => number;
  #lastReads = -1;
  #timer: NodeJS.Timeout | undefined;
  #earliest = Number.POSITIVE_INFINITY;
  #fresh = false;

  /**
   * `onDue` handles what is due and returns the earliest deadline that is left (Infinity: none). `reads` changes with
   * every read from the socket.
   */
  constructor(onDue: (now: number) => number, reads: () => number) {
    this.#onDue = onDue;
    this.#reads = reads;
  }

  /** The deadline `timeout` milliseconds from now, in whole milliseconds: V8 keeps small integers without an object. */
  add(timeout: number): number {
    if (!this.#fresh) {
      this.#now = Math.floor(performance.now());
      this.#fresh = true;
    }
    const deadline = Math.ceil(this.#now + timeout);
    if (deadline < this.#earliest) this.#arm(deadline);
    return deadline;
  }

  /** A deadline that was set elsewhere. */
  keep(deadline: number): void {
    if (deadline !== 0 && deadline < this.#earliest) this.#arm(deadline);
  }

  /** The turn is over: the clock must be read again. */
  tick(): void {
    this.#fresh = false;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#earliest = Number.POSITIVE_INFINITY;
  }

  #arm(deadline: number): void {
    this.#earliest = deadline;
    clearTimeout(this.#timer);
    // The socket keeps the process alive, not its timers.
    this.#timer = setTimeout(this.#fire, Math.max(1, Math.ceil(deadline - performance.now()))).unref();
  }

  readonly #fire = (): void => {
    this.#fresh = false;
    this.#earliest = Number.POSITIVE_INFINITY;
    // After the sockets were read: replies that came while the event loop was blocked lie there, and count.
    setImmediate(this.#afterRead, 0);
  };

  readonly #afterRead = (round: number): void => {
    const reads = this.#reads();
    if (round < MAX_ROUNDS && reads !== this.#lastReads) {
      this.#lastReads = reads;
      setImmediate(this.#afterRead, round + 1);
      return;
    }
    const earliest = this.#onDue(performance.now());
    if (earliest < this.#earliest) this.#arm(earliest);
  };
}
