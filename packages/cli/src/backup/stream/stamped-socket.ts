import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** Bytes and when they arrived, in milliseconds since 1970. */
export interface StampedChunk {
  readonly data: Buffer;
  readonly at: number;
}

export interface StreamEndpoint {
  readonly host: string;
  readonly port: number;
  /** PEM texts; undefined is plaintext, which `--insecure-plaintext` asks for. */
  readonly tls?: { readonly ca: string; readonly cert?: string; readonly key?: string } | undefined;
}

/** Received and not yet taken bytes at which the socket is paused, so that TCP slows the server down. */
const highWaterBytes = 4 * 1024 * 1024;
const lowWaterBytes = 1024 * 1024;

/**
 * A socket whose chunks are stamped when they arrive and taken when there is time, in bounded memory. A reader that is
 * late does not move the time of a write.
 */
export class StampedSocket {
  readonly #socket: Socket;
  readonly #chunks: StampedChunk[] = [];
  #bytes = 0;
  #ended = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket, now: () => number) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (data: Buffer) => {
      this.#chunks.push({ data, at: now() });
      this.#bytes += data.length;
      if (this.#bytes > highWaterBytes) socket.pause();
      this.#wake?.();
    });
    socket.on('error', (error) => {
      this.#error ??= error;
      this.#wake?.();
    });
    socket.on('close', () => {
      this.#ended = true;
      this.#wake?.();
    });
  }

  /** Connects; TLS 1.2 or later with a verified certificate, or plaintext where the endpoint says so. */
  static async open(
    endpoint: StreamEndpoint,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal; readonly now: () => number },
  ): Promise<StampedSocket> {
    const { host, port, tls } = endpoint;
    const socket = tls
      ? connectTls({ host, port, ...tls, ...(isName(host) ? { servername: host } : {}), minVersion: 'TLSv1.2' })
      : connectTcp({ host, port });
    const limit = AbortSignal.any([AbortSignal.timeout(options.timeoutMs), options.signal]);
    try {
      await once(socket, tls ? 'secureConnect' : 'connect', { signal: limit });
      return new StampedSocket(socket, options.now);
    } catch (error) {
      socket.on('error', () => undefined);
      socket.destroy();
      if (limit.aborted && !options.signal.aborted) throw new Error(`no connection within ${options.timeoutMs} ms`);
      throw error;
    }
  }

  /** Arrived bytes that were not taken yet. */
  get heldBytes(): number {
    return this.#bytes;
  }

  write(data: string): void {
    if (!this.#socket.destroyed) this.#socket.write(data);
  }

  /** The next chunk; undefined when the server has closed the connection. Rejects after `idleMs` without one. */
  async take(idleMs: number): Promise<StampedChunk | undefined> {
    let timer: NodeJS.Timeout | undefined;
    let late = false;
    while (this.#chunks.length === 0 && !this.#ended && !this.#error && !late) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timer ??= setTimeout(() => {
          late = true;
          this.#wake?.();
        }, idleMs);
      });
    }
    clearTimeout(timer);
    this.#wake = undefined;
    const chunk = this.#chunks.shift();
    if (chunk) {
      this.#bytes -= chunk.data.length;
      if (this.#bytes < lowWaterBytes && this.#socket.isPaused()) this.#socket.resume();
      return chunk;
    }
    if (this.#error) throw this.#error;
    if (late && !this.#ended) throw new Error(`nothing arrived for ${idleMs} ms`);
    return undefined;
  }

  /** Puts back what was taken too much. */
  unshift(chunk: StampedChunk): void {
    if (chunk.data.length === 0) return;
    this.#chunks.unshift(chunk);
    this.#bytes += chunk.data.length;
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

/** SNI is for names; Node refuses an address there. */
function isName(host: string): boolean {
  return !/^[\d.]+$|:/.test(host);
}
