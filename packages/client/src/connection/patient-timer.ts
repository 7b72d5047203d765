import { clearImmediate, clearTimeout, performance, setImmediate, setTimeout } from '../clock.js';

/** Later than this a timer was not busy but held up. */
const HELD_UP_MS = 20;

/**
 * A time limit for what comes from outside. When it fires late, the event loop was blocked, and what was waited for may
 * lie in the socket: it is given as much time again as it was late (at most twice the limit in all), and sockets are read
 * before it counts.
 */
export class PatientTimer {
  #timer: NodeJS.Timeout;
  #last: NodeJS.Immediate | undefined;

  constructor(ms: number, onLate: () => void) {
    this.#timer = this.#wait(ms, onLate, true);
  }

  #wait(ms: number, onLate: () => void, isFirst: boolean): NodeJS.Timeout {
    const due = performance.now() + ms;
    return setTimeout(() => {
      const late = performance.now() - due;
      if (isFirst && late > HELD_UP_MS) this.#timer = this.#wait(Math.min(late, ms), onLate, false);
      else this.#last = setImmediate(onLate);
    }, ms);
  }

  clear(): void {
    clearTimeout(this.#timer);
    if (this.#last !== undefined) clearImmediate(this.#last);
  }
  ref(): this {
    this.#timer.ref();
    return this;
  }
  unref(): this {
    this.#timer.unref();
    return this;
  }
}
