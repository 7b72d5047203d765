/** What goes wrong, and a server that does it: the columns of the matrix in docs/guarantees.md. */
import { type Answer, type Peer, type ScriptedServer, startScriptedServer } from '@redkeep/testing';

export const FAULTS = [
  'silence',
  'close',
  'half a frame',
  'garbage',
  'wrong shape',
  'passing error',
  'permanent error',
  'slow',
  'blocked event loop',
  'abort',
  'callback throws',
  'callback hangs',
] as const;
export type Fault = (typeof FAULTS)[number];

/** Milliseconds that a command may take where no answer is expected; other times are stated as multiples of it. */
export const COMMAND_MS = 400;
/** What a slow answer takes. */
export const SLOW_MS = 60;

/**
 * Milliseconds that a command may take under a fault: where an answer is expected, or the error comes by itself, so many
 * that a busy machine does not turn it into a time-out.
 */
export function commandMs(fault: Fault): number {
  return ['silence', 'close', 'half a frame', 'garbage', 'wrong shape', 'blocked event loop'].includes(fault)
    ? COMMAND_MS
    : COMMAND_MS * 10;
}
/** Times that a passing error is answered before the right answer. */
const PASSING_TIMES = 2;

/** What a right answer is, and what a wrong one. */
export interface Script {
  /** The command of the path under test: `GET`. */
  readonly target: string;
  readonly right: string | ((command: readonly string[], peer: Peer) => string);
  /** Well-formed, and of a form that the command does not have. */
  readonly wrong?: string;
  readonly passing?: string;
  readonly permanent?: string;
  /** Answers to other commands. */
  readonly others?: Readonly<Record<string, string | ((command: readonly string[], peer: Peer) => Answer)>>;
  readonly handshake?: 'resp3' | 'none';
}

/** A server that misbehaves at one command from {@link inject} to {@link heal}. */
export class FaultyServer implements AsyncDisposable {
  readonly server: ScriptedServer;
  /** How often the target was asked for, over all connections. */
  asked = 0;
  #fault: Fault | undefined;
  #passed = 0;
  /** Connections that will never answer again: a peer that left one question out would answer the next ones wrongly. */
  readonly #hung = new WeakSet<Peer>();
  readonly #script: Script;

  private constructor(server: ScriptedServer, script: Script) {
    this.server = server;
    this.#script = script;
  }

  static async start(script: Script): Promise<FaultyServer> {
    let self: FaultyServer | undefined;
    const server = await startScriptedServer({
      handshake: script.handshake ?? 'resp3',
      onCommand: (command, peer) => self!.#answer(command, peer),
    });
    self = new FaultyServer(server, script);
    return self;
  }

  get url(): string {
    return this.server.url;
  }
  get port(): number {
    return this.server.port;
  }
  get connections(): number {
    return this.server.peers.length;
  }

  inject(fault: Fault): void {
    this.#fault = fault;
    this.#passed = 0;
  }

  heal(): void {
    this.#fault = undefined;
  }

  #right(command: readonly string[], peer: Peer): string {
    const { right } = this.#script;
    return typeof right === 'string' ? right : right(command, peer);
  }

  async #answer(command: readonly string[], peer: Peer): Promise<Answer> {
    const name = command[0]!.toUpperCase();
    if (this.#hung.has(peer)) return undefined;
    const { target, others, wrong, passing, permanent } = this.#script;
    if (name !== target) {
      const other = others?.[name];
      if (other !== undefined) return typeof other === 'string' ? other : other(command, peer);
      return name === 'PING' ? '+PONG\r\n' : '+OK\r\n';
    }
    this.asked++;
    const right = () => this.#right(command, peer);
    switch (this.#fault) {
      case 'silence':
        this.#hung.add(peer);
        return undefined;
      case 'close':
        peer.reset();
        return undefined;
      case 'half a frame':
        this.#hung.add(peer);
        return '$1000\r\nhalf';
      case 'garbage':
        return '\u0000\u0001 of another protocol\r\n';
      case 'wrong shape':
        return wrong ?? '*1\r\n*1\r\n:1\r\n';
      case 'passing error':
        return this.#passed++ < PASSING_TIMES
          ? `-${passing ?? 'LOADING Redis is loading the dataset in memory'}\r\n`
          : right();
      case 'permanent error':
        return `-${permanent ?? "NOPERM this user has no permissions to run the 'get' command"}\r\n`;
      case 'slow':
      case 'abort':
        await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
        return right();
      case 'blocked event loop': {
        // The answer lies in the client's socket before its timers are late.
        peer.write(right());
        const end = performance.now() + COMMAND_MS * 1.5;
        while (performance.now() < end);
        return undefined;
      }
      default:
        return right();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.server[Symbol.asyncDispose]();
  }
}
