import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { GuardError } from '../errors.js';
import { SpoolLock } from './spool-lock.js';

/**
 * Lines kept on disk, in order, while Redis is away. Every line is on the disk (fsync) before `write` resolves.
 * The file is 0600, bounded, and belongs to one trail of one process at a time (see {@link SpoolLock}).
 */
export class Spool {
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #lock: SpoolLock;
  #bytes = 0;
  #isOpen = false;

  constructor(path: string, maxBytes: number) {
    this.#path = resolve(path);
    this.#maxBytes = maxBytes;
    this.#lock = new SpoolLock(this.#path);
  }

  /**
   * Makes sure that lines can be kept, before they have to be, and gives those that a former process left. A line
   * that its crash cut short was never acknowledged and goes.
   * Errors: REDKEEP_AUDIT_SPOOL when the file cannot be written, or belongs to another trail or process.
   */
  async open(): Promise<void> {
    if (this.#isOpen) return;
    await this.#lock.acquire();
    try {
      const file = await open(this.#path, 'a+', 0o600);
      try {
        const text = await file.readFile();
        this.#bytes = text.lastIndexOf(0x0a) + 1;
        await file.truncate(this.#bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await syncFolder(dirname(this.#path));
    } catch (cause) {
      await this.close();
      throw unusable(cause);
    }
    this.#isOpen = true;
  }

  /** Adds lines. Errors: REDKEEP_AUDIT_SPOOL_FULL, and then none of them is written. */
  async write(lines: readonly string[]): Promise<void> {
    const text = textOf(lines);
    const size = Buffer.byteLength(text);
    if (this.#bytes + size > this.#maxBytes)
      throw new GuardError('REDKEEP_AUDIT_SPOOL_FULL', `${this.#maxBytes} bytes`);
    await this.#lock.assertOurs();
    const file = await open(this.#path, 'a', 0o600);
    try {
      await file.appendFile(text);
      await file.sync();
    } catch (cause) {
      // A disk that is full may have taken a part.
      await file.truncate(this.#bytes).catch(() => undefined);
      throw unusable(cause);
    } finally {
      await file.close();
    }
    this.#bytes += size;
  }

  /** All lines, oldest first. */
  async read(): Promise<string[]> {
    return (await readFile(this.#path, 'utf8')).split('\n').slice(0, -1);
  }

  /** Keeps these lines instead of those that are there. */
  async replace(lines: readonly string[]): Promise<void> {
    await this.#lock.assertOurs();
    const text = textOf(lines);
    const next = `${this.#path}.next`;
    await rm(next, { force: true });
    const file = await open(next, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(next, this.#path);
    this.#bytes = Buffer.byteLength(text);
  }

  /** Puts lines that cannot be understood aside, into `<path>.unreadable`: they are evidence, and hold nothing up. */
  async setAside(lines: readonly string[]): Promise<void> {
    const file = await open(`${this.#path}.unreadable`, 'a', 0o600);
    try {
      await file.appendFile(textOf(lines));
      await file.sync();
    } finally {
      await file.close();
    }
  }

  /** Lets another process have it. An empty file goes. */
  async close(): Promise<void> {
    if (!this.#lock.isHeld) return;
    const ours = await this.#lock.assertOurs().then(
      () => true,
      () => false,
    );
    if (this.#isOpen && this.#bytes === 0 && ours) await rm(this.#path, { force: true });
    this.#isOpen = false;
    await this.#lock.release();
  }
}

/** A file that was just made is found again after a loss of power only when its folder is on the disk, too. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  // Not every system can.
  await folder.sync().catch(() => undefined);
  await folder.close();
}

function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

function unusable(cause: unknown): GuardError {
  return new GuardError('REDKEEP_AUDIT_SPOOL', (cause as NodeJS.ErrnoException).code, { cause });
}
