/**
 * The further sockets of one connection. A command that waits on the server (BLPOP, XREAD BLOCK …) runs at its place
 * on the connection that it was called on; when another command is issued meanwhile, the socket moves here with what
 * waits on it, and the connection goes on with another one:
 *
 *     BLPOP         main: socket 1 (BLPOP waits)
 *     GET           main: socket 2 (GET)          busy: socket 1 (BLPOP waits)
 *     BLPOP's reply main: socket 2                spare: socket 1
 *
 * So nothing is opened before a command blocks, its order among others is kept, and it holds up nothing.
 */

/** What is needed of a connection here. */
export interface SideConnection {
  readonly state: string;
  readonly identity: string;
  close(): Promise<void>;
  destroy(): void;
  ref(): void;
  unref(): void;
}

/** Spare connections that are kept. */
const MAX_SPARES = 4;

export class SideConnections<C extends SideConnection> {
  #spares: C[] = [];
  readonly #busy = new Set<C>();

  /** A spare connection with the same user, name and database. */
  take(identity: string): C | undefined {
    for (let found = this.#spares.pop(); found !== undefined; found = this.#spares.pop()) {
      if (found.state !== 'ready') continue;
      if (found.identity === identity) return found;
      void found.close();
    }
    return undefined;
  }

  /** `connection` has commands that wait. */
  use(connection: C): void {
    this.#busy.add(connection);
  }

  /** Nothing waits on `connection` any more. */
  giveBack(connection: C, keep: boolean): void {
    this.#busy.delete(connection);
    if (connection.state !== 'ready') return;
    if (keep && this.#spares.length < MAX_SPARES) this.#spares.push(connection);
    else void connection.close();
  }

  /** Their server may not be the next one. */
  closeSpares(): void {
    for (const spare of this.#spares.splice(0)) if (spare.state === 'ready') void spare.close();
  }

  ref(): void {
    for (const connection of this.#all()) connection.ref();
  }
  unref(): void {
    for (const connection of this.#all()) connection.unref();
  }

  /** Ends what waits: nobody may wait for it any more. */
  destroy(): void {
    const all = this.#all();
    this.#spares = [];
    this.#busy.clear();
    for (const connection of all)
      if (connection.state !== 'closed' && connection.state !== 'idle') connection.destroy();
  }

  /** Lets what waits finish. */
  async close(): Promise<void> {
    const closing = this.#all().filter(({ state }) => state === 'ready');
    this.#spares = [];
    await Promise.all(closing.map((connection) => connection.close()));
  }

  #all(): C[] {
    return [...this.#spares, ...this.#busy];
  }
}
