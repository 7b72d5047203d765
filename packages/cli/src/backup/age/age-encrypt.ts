import { createCipheriv } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import { type AgeHeader, chunkBytes, chunkNonce, createAgeHeader, tagBytes } from './age-header.js';

/** Encrypts what passes through it into one age file for the recipients (`age1…`). */
export async function ageEncrypt(recipients: readonly string[]): Promise<Transform> {
  return new AgeEncryptStream(await createAgeHeader(recipients));
}

class AgeEncryptStream extends Transform {
  readonly #key: Buffer;
  readonly #held = Buffer.allocUnsafe(chunkBytes);
  #length = 0;
  #counter = 0;

  constructor(header: AgeHeader) {
    super();
    this.#key = header.payloadKey;
    this.push(header.bytes);
  }

  override _transform(data: Buffer, _: BufferEncoding, done: TransformCallback): void {
    let at = 0;
    while (at < data.length) {
      // A full chunk leaves only when more follows: the last one carries a mark.
      if (this.#length === chunkBytes) {
        this.#seal(this.#held, false);
        this.#length = 0;
      }
      // Whole chunks with something behind them need no copy.
      if (this.#length === 0 && data.length - at > chunkBytes) {
        this.#seal(data.subarray(at, at + chunkBytes), false);
        at += chunkBytes;
        continue;
      }
      const taken = data.copy(this.#held, this.#length, at, at + chunkBytes - this.#length);
      this.#length += taken;
      at += taken;
    }
    done();
  }

  override _flush(done: TransformCallback): void {
    this.#seal(this.#held.subarray(0, this.#length), true);
    done();
  }

  #seal(chunk: Buffer, last: boolean): void {
    const cipher = createCipheriv('chacha20-poly1305', this.#key, chunkNonce(this.#counter++, last), {
      authTagLength: tagBytes,
    });
    this.push(cipher.update(chunk));
    cipher.final();
    this.push(cipher.getAuthTag());
  }
}
