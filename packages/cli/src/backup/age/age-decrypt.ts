import { createDecipheriv } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import {
  chunkBytes,
  chunkNonce,
  headerLength,
  notAge,
  openAgeHeader,
  payloadNonceBytes,
  tagBytes,
} from './age-header.js';

const sealedBytes = chunkBytes + tagBytes;

/**
 * Decrypts one age file with one of the identities (`AGE-SECRET-KEY-1…`). What it lets through was authenticated
 * chunk by chunk; a cut file ends in an error, since the last chunk carries a mark.
 */
export class AgeDecrypt extends Transform {
  readonly #identities: readonly string[];
  #key: Buffer | undefined;
  #counter = 0;
  #held: Buffer = Buffer.alloc(0);

  constructor(identities: readonly string[]) {
    super();
    this.#identities = identities;
  }

  override _transform(data: Buffer, _: BufferEncoding, done: TransformCallback): void {
    this.#take(data).then(() => done(), done);
  }

  override _flush(done: TransformCallback): void {
    try {
      if (!this.#key || this.#held.length < tagBytes) throw notAge();
      // Only an empty file may end in an empty chunk.
      if (this.#held.length === tagBytes && this.#counter > 0) throw notAge();
      this.#open(this.#held, true);
      done();
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
    }
  }

  async #take(data: Buffer): Promise<void> {
    this.#held = this.#held.length === 0 ? data : Buffer.concat([this.#held, data]);
    if (!this.#key) {
      const length = headerLength(this.#held);
      if (length === undefined || this.#held.length < length + payloadNonceBytes) return;
      const header = this.#held.subarray(0, length);
      const nonce = this.#held.subarray(length, length + payloadNonceBytes);
      this.#key = await openAgeHeader(header, nonce, this.#identities);
      this.#held = this.#held.subarray(length + payloadNonceBytes);
    }
    let at = 0;
    while (this.#held.length - at > sealedBytes) {
      this.#open(this.#held.subarray(at, at + sealedBytes), false);
      at += sealedBytes;
    }
    this.#held = this.#held.subarray(at);
  }

  #open(sealed: Buffer, last: boolean): void {
    const split = sealed.length - tagBytes;
    const decipher = createDecipheriv('chacha20-poly1305', this.#key!, chunkNonce(this.#counter++, last), {
      authTagLength: tagBytes,
    });
    decipher.setAuthTag(sealed.subarray(split));
    const plain = decipher.update(sealed.subarray(0, split));
    try {
      decipher.final();
    } catch {
      throw notAge();
    }
    this.push(plain);
  }
}
