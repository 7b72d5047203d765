import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { type KeptResponse, keptOf } from './kept-response.js';

/** Milliseconds that a handler may go on after its client has gone, until it counts as one that never answers. */
export const ORPHANED_MS = 60_000;

/** The names are node:http's. */
interface Sending {
  write: ServerResponse['write'];
  end: ServerResponse['end'];
  writeHead: ServerResponse['writeHead'];
  flushHeaders: ServerResponse['flushHeaders'];
}

/** Holds back what a handler sends on node:http's response, until `send`. */
export class CapturedResponse {
  /** What the handler answered. Rejects when it has not within a minute after the client has gone. */
  readonly ended: Promise<KeptResponse>;
  readonly #response: ServerResponse;
  readonly #original: Sending;
  readonly #chunks: Buffer[] = [];

  constructor(response: ServerResponse) {
    this.#response = response;
    const { write, end, writeHead, flushHeaders } = response;
    this.#original = { write, end, writeHead, flushHeaders };
    this.ended = new Promise((resolve, reject) => {
      response.write = (chunk: unknown, ...rest: unknown[]) => {
        this.#add(chunk, rest);
        return true;
      };
      response.end = (...args: unknown[]) => {
        this.#add(args[0], args.slice(1));
        resolve(keptOf(response.statusCode, response.getHeaders(), Buffer.concat(this.#chunks)));
        return response;
      };
      response.writeHead = (status: number, ...rest: unknown[]) => {
        response.statusCode = status;
        const headers = rest.find((part) => typeof part === 'object');
        if (typeof rest[0] === 'string') response.statusMessage = rest[0];
        setHeaders(response, headers as OutgoingHttpHeaders | OutgoingHttpHeader[] | undefined);
        return response;
      };
      response.flushHeaders = () => undefined;
      response.once('close', () => {
        setTimeout(() => reject(new Error('the handler never answered')), ORPHANED_MS).unref();
      });
    });
  }

  /** Sends what the handler has answered. */
  send(): void {
    this.discard();
    this.#response.end(Buffer.concat(this.#chunks));
  }

  /** Lets the response be used again, without what was held back. */
  discard(): void {
    Object.assign(this.#response, this.#original);
  }

  #add(chunk: unknown, rest: readonly unknown[]): void {
    const done = rest.find((part) => typeof part === 'function') as (() => void) | undefined;
    if (typeof chunk === 'string') {
      const encoding = typeof rest[0] === 'string' ? (rest[0] as BufferEncoding) : 'utf8';
      this.#chunks.push(Buffer.from(chunk, encoding));
    } else if (chunk instanceof Uint8Array) this.#chunks.push(Buffer.from(chunk));
    const called = typeof chunk === 'function' ? (chunk as () => void) : done;
    if (called !== undefined) process.nextTick(called);
  }
}

function setHeaders(response: ServerResponse, headers: OutgoingHttpHeaders | OutgoingHttpHeader[] | undefined): void {
  if (Array.isArray(headers)) {
    for (let at = 0; at + 1 < headers.length; at += 2)
      response.appendHeader(String(headers[at]), String(headers[at + 1]));
    return;
  }
  for (const [name, value] of Object.entries(headers ?? {})) if (value !== undefined) response.setHeader(name, value);
}
