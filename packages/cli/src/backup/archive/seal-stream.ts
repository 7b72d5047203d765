import { createHash, type Hash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { ageEncrypt } from '../age/age-encrypt.js';

/** What became of the bytes. */
export interface Sealed {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly plainBytes: number;
  readonly compressed: boolean;
}

/** Fast first: an archive must keep up with its server, and an RDB is compressed already where it pays. */
const gzipLevel = 1;
/** Data that does not become smaller than this share is stored as it is. */
const worthwhileRatio = 0.9;
const sampleBytes = 64 * 1024;

/**
 * Compresses, encrypts and hashes bytes into a file, in constant memory. Whether to compress is decided on the first
 * 64 KiB: gzip on compressed data costs most of the throughput and saves nothing.
 *
 *     write ─> (sample) ─> [gzip] ─> age ─> SHA-256 ─> file ─> fsync
 */
export class SealStream {
  readonly #file: string;
  readonly #recipients: readonly string[];
  #sample: Buffer[] = [];
  #sampled = 0;
  #plainBytes = 0;
  #head: Transform | undefined;
  #done: Promise<void> | undefined;
  #hashing: HashStream | undefined;
  #compressed = false;

  constructor(file: string, recipients: readonly string[]) {
    this.#file = file;
    this.#recipients = recipients;
  }

  get plainBytes(): number {
    return this.#plainBytes;
  }

  /** Resolves when more may be written. */
  async write(data: Buffer): Promise<void> {
    this.#plainBytes += data.length;
    if (this.#head) return this.#give(data);
    this.#sample.push(data);
    this.#sampled += data.length;
    if (this.#sampled >= sampleBytes) await this.#begin();
  }

  async finish(): Promise<Sealed> {
    await this.#begin();
    this.#head!.end();
    await this.#done;
    const handle = await open(this.#file, 'r+');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    const { bytes, sha256 } = this.#hashing!.result();
    return { file: this.#file, bytes, sha256, plainBytes: this.#plainBytes, compressed: this.#compressed };
  }

  /** Ends it where nobody wants the result, and removes the file. */
  async abandon(): Promise<void> {
    this.#head?.destroy();
    await this.#done?.catch(() => undefined);
    await rm(this.#file, { force: true });
  }

  async #give(data: Buffer): Promise<void> {
    if (this.#head!.write(data)) return;
    // The pipeline rejects when a later stage fails; then there is no drain to wait for.
    await Promise.race([once(this.#head!, 'drain'), this.#done]);
  }

  async #begin(): Promise<void> {
    if (this.#head) return;
    const sample = Buffer.concat(this.#sample);
    this.#sample = [];
    this.#compressed = await isCompressible(sample);
    const encrypt = await ageEncrypt(this.#recipients);
    const hashing = new HashStream();
    const file: WriteStream = createWriteStream(this.#file, { flags: 'wx', mode: 0o600, highWaterMark: 1024 * 1024 });
    this.#hashing = hashing;
    if (this.#compressed) {
      const gzip = createGzip({ level: gzipLevel, chunkSize: 128 * 1024 });
      this.#head = gzip;
      this.#done = pipeline(gzip, encrypt, hashing, file);
    } else {
      this.#head = encrypt;
      this.#done = pipeline(encrypt, hashing, file);
    }
    this.#done.catch(() => undefined);
    if (sample.length > 0) await this.#give(sample);
  }
}

async function isCompressible(sample: Buffer): Promise<boolean> {
  const gzip = createGzip({ level: gzipLevel });
  gzip.end(sample);
  let bytes = 0;
  for await (const part of gzip) bytes += (part as Buffer).length;
  return bytes < sample.length * worthwhileRatio;
}

class HashStream extends Transform {
  readonly #hash: Hash = createHash('sha256');
  #bytes = 0;

  override _transform(data: Buffer, _: BufferEncoding, done: TransformCallback): void {
    this.#hash.update(data);
    this.#bytes += data.length;
    done(null, data);
  }

  result(): { bytes: number; sha256: string } {
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }
}
