/**
 * A long bulk string that becomes text while it arrives: the text is held once, not as bytes first and as text after.
 * The pieces stay a rope; reading it as a whole makes V8 flatten it.
 */
import { isAscii } from 'node:buffer';
import { StringDecoder } from 'node:string_decoder';
import { ProtocolError } from '../errors.js';
import { latin1 } from './text.js';

const CRLF = [13, 10];

export class LongText {
  #text = '';
  #remaining: number;
  #ending = 0;
  /** Holds a character that is cut; not used while everything is ASCII. */
  #decoder: StringDecoder | undefined;

  /** `length` in bytes, without CRLF. */
  constructor(length: number) {
    this.#remaining = length;
  }

  /** Takes what belongs to it from `chunk[from..end)`; returns where it ends. */
  fill(chunk: Buffer, from: number, end: number): number {
    const to = Math.min(end, from + this.#remaining);
    if (to > from) {
      const piece = chunk.subarray(from, to);
      if (this.#decoder === undefined && !isAscii(piece)) this.#decoder = new StringDecoder('utf8');
      this.#text += this.#decoder?.write(piece) ?? latin1(chunk, from, to);
      this.#remaining -= to - from;
    }
    let pos = to;
    while (this.#remaining === 0 && this.#ending < 2 && pos < end) {
      if (chunk[pos++] !== CRLF[this.#ending++]) throw new ProtocolError('A bulk string is not ended by CRLF');
    }
    return pos;
  }

  get complete(): boolean {
    return this.#ending === 2;
  }
  get text(): string {
    return this.#text + (this.#decoder?.end() ?? '');
  }
}
