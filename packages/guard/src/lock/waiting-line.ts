/** Waiters of one process for one thing, first come, first served: only the first asks Redis. */
export class WaitingLine {
  readonly #lines = new Map<string, (() => void)[]>();

  /** Waits for the first place, at most `ms`. Returns what gives it to the next; undefined when the time was over. */
  async enter(name: string, ms: number, signal: AbortSignal | undefined): Promise<(() => void) | undefined> {
    const line = this.#lines.get(name);
    const leave = () => this.#leave(name);
    if (line === undefined) {
      this.#lines.set(name, []);
      return leave;
    }
    return new Promise((resolve) => {
      const settle = (place: (() => void) | undefined) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        resolve(place);
      };
      const mine = () => settle(leave);
      const abort = () => {
        const at = line.indexOf(mine);
        if (at === -1) return;
        line.splice(at, 1);
        settle(undefined);
      };
      const timer = setTimeout(abort, ms);
      signal?.addEventListener('abort', abort, { once: true });
      line.push(mine);
    });
  }

  #leave(name: string): void {
    const next = this.#lines.get(name)?.shift();
    if (next === undefined) this.#lines.delete(name);
    else next();
  }
}
