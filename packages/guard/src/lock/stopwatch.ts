/**
 * Time since it was made, by the clock that says more: the monotonic one stops while a machine is suspended, the
 * wall clock can be set back.
 */
export class Stopwatch {
  readonly #monotonic = performance.now();
  readonly #wall = Date.now();

  get elapsedMs(): number {
    return Math.max(performance.now() - this.#monotonic, Date.now() - this.#wall);
  }
}
