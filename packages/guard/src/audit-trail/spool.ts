import { open, readFile, rename, rm } from 'node:fs/promises';
import { GuardError } from '../errors.js';

/**
 * Lines kept on disk, in order, while Redis is away. Every line is on the disk (fsync) before `write` resolves.
 * The file is 0600 and bounded.
 */
export class Spool {
  readonly #path: string;
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(path: string, maxBytes: number) {
    this.#path = path;
    this.#maxBytes = maxBytes;
  }

  /** Adds lines. Errors: REDKEEP_AUDIT_SPOOL_FULL, and then none of them is written. */
  async write(lines: readonly string[]): Promise<void> {
    const text = lines.map((line) => `${line}\n`).join('');
    const size = Buffer.byteLength(text);
    if (this.#bytes + size > this.#maxBytes)
      throw new GuardError('REDKEEP_AUDIT_SPOOL_FULL', `${this.#maxBytes} bytes`);
    const file = await open(this.#path, 'a', 0o600);
    try {
      await file.appendFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    this.#bytes += size;
  }

  /** All whole lines; a line cut short by a crash was never acknowledged and is left out. */
  async read(): Promise<string[]> {
    let text: string;
    try {
      text = await readFile(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
    this.#bytes = Buffer.byteLength(text);
    return text.split('\n').slice(0, -1);
  }

  /** Keeps only these lines: what is still to be sent. */
  async keep(lines: readonly string[]): Promise<void> {
    this.#bytes = 0;
    if (lines.length === 0) return rm(this.#path, { force: true });
    const next = `${this.#path}.next`;
    await rm(next, { force: true });
    const file = await open(next, 'wx', 0o600);
    const text = lines.map((line) => `${line}\n`).join('');
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(next, this.#path);
    this.#bytes = Buffer.byteLength(text);
  }
}
