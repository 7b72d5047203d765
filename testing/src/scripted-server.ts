import { createServer, type Server as NetServer, type Socket } from 'node:net';
import { createServer as createTlsServer, TLSSocket } from 'node:tls';
import type { Credential } from './pki.js';
import { parseRequest } from './resp.js';
import { waitFor } from './wait-for.js';

/** A connection to a scripted server. */
export interface Peer {
  /** Its number, from 0, in order of arrival. */
  readonly index: number;
  /** Commands received on it, arguments as text. */
  readonly received: readonly (readonly string[])[];
  /** Sends raw bytes, RESP or anything else. */
  write(bytes: Buffer | string): void;
  /** Closes in order (FIN). */
  end(): void;
  /** Closes at once: RST; under TLS, which Node cannot reset, without TLS's own farewell. */
  reset(): void;
  readonly isOpen: boolean;
}

/** Raw bytes to answer with; undefined answers nothing. */
export type Answer = Buffer | string | undefined;
export type Responder = (command: readonly string[], peer: Peer) => Answer | Promise<Answer>;

export interface ScriptedOptions {
  /** Serves TLS with this certificate. */
  readonly tls?: Credential & { readonly ca?: string; readonly requestCert?: boolean };
  /** Called for every command that the queue (see `reply`) and `handshake` leave. Default: `+OK`. */
  readonly onCommand?: Responder;
  /**
   * Who answers HELLO, AUTH, CLIENT and SELECT. `resp3` (default) and `resp2` answer as a server does, resp2 refusing
   * HELLO as Redis 5 did; `none` leaves them to the script.
   */
  readonly handshake?: 'resp3' | 'resp2' | 'none';
}

/**
 * A peer that understands commands and answers what a test prescribes, to show a client bytes that no honest server
 * sends.
 *
 * @example
 * await using server = await startScriptedServer();
 * server.reply('GET', '$-2\r\n');
 */
export class ScriptedServer {
  readonly host = '127.0.0.1';
  /** Every connection there has been. */
  readonly peers: readonly Peer[];
  readonly #peers: ScriptedPeer[] = [];
  readonly #listener: NetServer;
  readonly #options: ScriptedOptions;
  readonly #queues = new Map<string, (Answer | Responder)[]>();

  constructor(listener: NetServer, options: ScriptedOptions) {
    this.peers = this.#peers;
    this.#listener = listener;
    this.#options = options;
    listener.on(options.tls ? 'secureConnection' : 'connection', (socket: Socket) => {
      this.#peers.push(new ScriptedPeer(this.#peers.length, socket, (command, peer) => this.#respond(command, peer)));
    });
  }

  get port(): number {
    const address = this.#listener.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  }

  get url(): string {
    return `${this.#options.tls ? 'rediss' : 'redis'}://${this.host}:${this.port}`;
  }

  /** All commands received, over all connections, each connection's in order. */
  get received(): readonly (readonly string[])[] {
    return this.#peers.flatMap((peer) => peer.received);
  }

  /** The next time a command of this name comes, these bytes answer it. Several calls queue up. */
  reply(name: string, answer: Answer | Responder): this {
    const key = name.toUpperCase();
    this.#queues.set(key, [...(this.#queues.get(key) ?? []), answer]);
    return this;
  }

  /** Waits until a command of this name has come so many times (default once), and gives the last of them. */
  async waitForCommand(name: string, count = 1): Promise<readonly string[]> {
    const matching = () => this.received.filter((command) => command[0]?.toUpperCase() === name.toUpperCase());
    await waitFor(() => matching().length >= count, { message: `${name}, ${count} times` });
    return matching()[count - 1] as readonly string[];
  }

  /** Waits until so many connections have been made since the start. */
  async waitForPeers(count: number): Promise<Peer> {
    await waitFor(() => this.#peers.length >= count, { message: `${count} connections` });
    return this.#peers[count - 1] as Peer;
  }

  /** Closes every open connection at once. */
  dropPeers(): void {
    for (const peer of this.#peers) peer.reset();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#listener.close(() => resolve()));
    this.dropPeers();
    await closed;
  }

  async #respond(command: readonly string[], peer: Peer): Promise<Answer> {
    const name = command[0]?.toUpperCase() ?? '';
    const queued = this.#queues.get(name);
    if (queued && queued.length > 0) {
      const answer = queued.shift();
      return typeof answer === 'function' ? answer(command, peer) : answer;
    }
    const greeting = this.#greet(name);
    if (greeting !== undefined) return greeting;
    return this.#options.onCommand ? this.#options.onCommand(command, peer) : '+OK\r\n';
  }

  #greet(name: string): Answer {
    const { handshake = 'resp3' } = this.#options;
    if (handshake === 'none' || !['HELLO', 'AUTH', 'CLIENT', 'SELECT'].includes(name)) return undefined;
    if (name !== 'HELLO') return '+OK\r\n';
    return handshake === 'resp2' ? "-ERR unknown command 'HELLO'\r\n" : HELLO;
  }
}

const HELLO = map({
  server: 'redis',
  version: '7.4.0',
  proto: 3,
  id: 1,
  mode: 'standalone',
  role: 'master',
  modules: [],
});

function map(fields: Record<string, string | number | readonly []>): string {
  const value = (one: string | number | readonly []) =>
    typeof one === 'number' ? `:${one}\r\n` : typeof one === 'string' ? `$${one.length}\r\n${one}\r\n` : '*0\r\n';
  const entries = Object.entries(fields);
  return `%${entries.length}\r\n${entries.map(([name, one]) => value(name) + value(one)).join('')}`;
}

export async function startScriptedServer(options: ScriptedOptions = {}): Promise<ScriptedServer> {
  const listener = options.tls ? createTlsServer(options.tls) : createServer();
  const server = new ScriptedServer(listener, options);
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(0, '127.0.0.1', resolve);
  });
  return server;
}

class ScriptedPeer implements Peer {
  readonly index: number;
  readonly received: string[][] = [];
  readonly #socket: Socket;
  #pending: Buffer = Buffer.alloc(0);
  /** Answers leave in the order of the commands, though a responder may take its time. */
  #line: Promise<void> = Promise.resolve();

  constructor(index: number, socket: Socket, respond: (command: string[], peer: Peer) => Promise<Answer>) {
    this.index = index;
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => {
      this.#pending = Buffer.concat([this.#pending, bytes]);
      for (let request = parseRequest(this.#pending); request; request = parseRequest(this.#pending)) {
        const command = request.value.map((argument) => argument.toString());
        this.#pending = this.#pending.subarray(request.end);
        this.received.push(command);
        this.#line = this.#line.then(async () => {
          const answer = await respond(command, this);
          if (answer !== undefined) this.write(answer);
        });
      }
    });
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  write(bytes: Buffer | string): void {
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  end(): void {
    this.#socket.end();
  }

  reset(): void {
    // A socket that is ending cannot be reset: Node.js would leave its handle open, and the process alive.
    if (this.#socket instanceof TLSSocket || this.#socket.writableEnded) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }
}
