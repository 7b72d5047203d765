/** A clock that differs from the monotonic one by more than this has jumped. */
const jumpMs = 2000;

/** The archiving host's time as seconds that never go back, and its jumps. */
export class ArchiveClock {
  readonly #now: () => number;
  #wall: number;
  #monotonic = performance.now();

  constructor(now: () => number) {
    this.#now = now;
    this.#wall = now();
  }

  now(): number {
    return this.#now();
  }

  /** By how many milliseconds the clock jumped since the last call; 0 in most cases. */
  jump(): number {
    const wall = this.#now();
    const monotonic = performance.now();
    const by = wall - this.#wall - (monotonic - this.#monotonic);
    this.#wall = wall;
    this.#monotonic = monotonic;
    return Math.abs(by) > jumpMs ? Math.round(by) : 0;
  }
}

export function secondOf(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
