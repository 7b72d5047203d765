import { connect, createServer, type Server as NetServer, type Socket } from 'node:net';
import { waitFor } from './wait-for.js';

export type Direction = 'toServer' | 'toClient';
const DIRECTIONS: readonly Direction[] = ['toServer', 'toClient'];

/** What happens to bytes on their way; every field may change at any time, for connections that are open too. */
export interface Faults {
  /** Milliseconds that each piece waits. */
  delay: number;
  /** Pieces are forwarded in writes of at most so many bytes; 0 leaves them whole. */
  chunk: number;
  /** Bytes are taken and kept back while the connection stays open, as when a peer has silently gone. */
  stalled: boolean;
  /** Changes what is forwarded: garble, drop, repeat. Undefined forwards as is. */
  transform: ((bytes: Buffer) => Buffer) | undefined;
  /** The connection ends as soon as it has forwarded so many bytes in this direction; undefined: never. */
  cutAfter: number | undefined;
}

/** One connection through the proxy. */
export interface Link {
  /** What the client sent and what the server sent, before any fault. */
  readonly received: Readonly<Record<Direction, Buffer>>;
  /** Sends bytes of the test's own. */
  inject(direction: Direction, bytes: Buffer | string): void;
  /** Closes both sides: `rst` at once, `fin` in order. */
  cut(how?: 'rst' | 'fin'): void;
  readonly isOpen: boolean;
}

/**
 * A TCP proxy in front of a server, with faults that a test turns on and off.
 *
 * @example
 * await using proxy = await startFaultProxy(server.port);
 * proxy.faults.toClient.chunk = 1;
 * proxy.cut('rst');
 */
export class FaultProxy {
  readonly faults: Readonly<Record<Direction, Faults>> = { toServer: noFaults(), toClient: noFaults() };
  /** Every connection there has been, oldest first. */
  readonly links: readonly Link[];
  readonly host = '127.0.0.1';
  readonly #links: ProxyLink[] = [];
  readonly #listener: NetServer;
  readonly #target: { port: number; host: string };
  #refusing = false;

  constructor(listener: NetServer, target: { port: number; host: string }) {
    this.links = this.#links;
    this.#listener = listener;
    this.#target = target;
    listener.on('connection', (client: Socket) => this.#accept(client));
  }

  get port(): number {
    const address = this.#listener.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  }

  get openLinks(): readonly Link[] {
    return this.#links.filter((link) => link.isOpen);
  }

  /** New connections are reset at once, until `accept()`. */
  refuse(): void {
    this.#refusing = true;
  }

  accept(): void {
    this.#refusing = false;
  }

  /** Cuts every open connection. */
  cut(how: 'rst' | 'fin' = 'rst'): void {
    for (const link of this.#links) link.cut(how);
  }

  /** Keeps back everything in one direction or both, with the connections open. */
  stall(direction?: Direction): void {
    for (const one of direction ? [direction] : DIRECTIONS) this.faults[one].stalled = true;
  }

  /** Lets what was kept back go on. */
  unstall(): void {
    for (const direction of DIRECTIONS) this.faults[direction].stalled = false;
    for (const link of this.#links) link.flush();
  }

  /** All bytes seen in one direction over all connections, in order of connection. */
  received(direction: Direction): Buffer {
    return Buffer.concat(this.#links.map((link) => link.received[direction]));
  }

  /** Waits until the bytes seen in a direction contain `text`. */
  async waitForBytes(direction: Direction, text: string | Buffer): Promise<void> {
    await waitFor(() => this.received(direction).includes(text), { message: `bytes ${direction}: ${text}` });
  }

  /** Waits until so many connections have been made since the start. */
  async waitForLinks(count: number): Promise<void> {
    await waitFor(() => this.#links.length >= count, { message: `${count} connections` });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#listener.close(() => resolve()));
    this.cut('rst');
    await closed;
  }

  #accept(client: Socket): void {
    if (this.#refusing) {
      client.resetAndDestroy();
      return;
    }
    this.#links.push(new ProxyLink(client, connect({ ...this.#target, allowHalfOpen: true }), this.faults));
  }
}

/** @param target the server's port on 127.0.0.1, or port and host */
export async function startFaultProxy(target: number | { port: number; host: string }): Promise<FaultProxy> {
  const listener = createServer({ allowHalfOpen: true });
  const proxy = new FaultProxy(listener, typeof target === 'number' ? { port: target, host: '127.0.0.1' } : target);
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(0, '127.0.0.1', resolve);
  });
  return proxy;
}

function noFaults(): Faults {
  return { delay: 0, chunk: 0, stalled: false, transform: undefined, cutAfter: undefined };
}

type Step = () => void | Promise<void>;

class ProxyLink implements Link {
  readonly #sockets: Readonly<Record<Direction, Socket>>;
  readonly #faults: Readonly<Record<Direction, Faults>>;
  readonly #seen: Record<Direction, Buffer[]> = { toServer: [], toClient: [] };
  readonly #held: Record<Direction, Step[]> = { toServer: [], toClient: [] };
  readonly #forwarded: Record<Direction, number> = { toServer: 0, toClient: 0 };
  /** Pieces are forwarded one after the other: a delay must not change their order. */
  readonly #line: Record<Direction, Promise<void>> = { toServer: Promise.resolve(), toClient: Promise.resolve() };

  constructor(client: Socket, server: Socket, faults: Readonly<Record<Direction, Faults>>) {
    this.#sockets = { toServer: server, toClient: client };
    this.#faults = faults;
    for (const [direction, source, sink] of [
      ['toServer', client, server],
      ['toClient', server, client],
    ] as const) {
      source.setNoDelay(true);
      source.on('error', () => {});
      source.on('data', (bytes: Buffer) => {
        this.#seen[direction].push(bytes);
        this.#pass(direction, () => this.#forward(direction, bytes));
      });
      source.on('end', () => this.#pass(direction, () => void sink.end()));
      source.on('close', (hadError) => hadError && this.#pass(direction, () => void sink.resetAndDestroy()));
    }
  }

  get isOpen(): boolean {
    return DIRECTIONS.every((direction) => !this.#sockets[direction].destroyed);
  }

  get received(): Readonly<Record<Direction, Buffer>> {
    return { toServer: Buffer.concat(this.#seen.toServer), toClient: Buffer.concat(this.#seen.toClient) };
  }

  inject(direction: Direction, bytes: Buffer | string): void {
    this.#sockets[direction].write(bytes);
  }

  cut(how: 'rst' | 'fin' = 'rst'): void {
    for (const direction of DIRECTIONS) {
      if (how === 'fin') this.#sockets[direction].end();
      else this.#sockets[direction].resetAndDestroy();
    }
  }

  flush(): void {
    for (const direction of DIRECTIONS) {
      for (const step of this.#held[direction].splice(0)) this.#pass(direction, step);
    }
  }

  /** Does `step` when its turn comes: after the delay, unless stalled, and never before an earlier one. */
  #pass(direction: Direction, step: Step): void {
    const { delay } = this.#faults[direction];
    this.#line[direction] = this.#line[direction].then(async () => {
      if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
      if (this.#faults[direction].stalled) this.#held[direction].push(step);
      else await step();
    });
  }

  async #forward(direction: Direction, original: Buffer): Promise<void> {
    const { transform, chunk, cutAfter } = this.#faults[direction];
    let bytes = transform ? transform(original) : original;
    const room = cutAfter === undefined ? Number.POSITIVE_INFINITY : Math.max(0, cutAfter - this.#forwarded[direction]);
    const cutting = bytes.length >= room;
    if (cutting) bytes = bytes.subarray(0, room);
    const size = chunk > 0 ? chunk : Math.max(1, bytes.length);
    for (let start = 0; start < bytes.length; start += size) {
      await this.#write(direction, bytes.subarray(start, start + size));
      // A turn between pieces, so that the peer's system delivers them as separate reads.
      if (chunk > 0) await new Promise((resolve) => setImmediate(resolve));
    }
    if (cutting) {
      // In order for the side that reads: a reset could overtake the bytes that it was promised.
      this.#sockets[direction].end();
      this.#sockets[direction === 'toServer' ? 'toClient' : 'toServer'].resetAndDestroy();
    }
  }

  #write(direction: Direction, bytes: Buffer): Promise<void> {
    const socket = this.#sockets[direction];
    this.#forwarded[direction] += bytes.length;
    if (!socket.writable) return Promise.resolve();
    return new Promise((resolve) => socket.write(bytes, () => resolve()));
  }
}
