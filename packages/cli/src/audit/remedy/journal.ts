import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { PlannedChange } from './plan.js';

export interface JournalEntry extends PlannedChange {
  readonly at: string;
  /** `begun` is written before the change is made: after a crash it may or may not have happened, and undoing it is safe. */
  readonly state: 'begun' | 'done' | 'undone';
}

/** The record of what `--fix` changed, written before each change. Mode 0600: an undo can hold password hashes. */
export class Journal {
  readonly #path: string;
  #entries: JournalEntry[];

  private constructor(path: string, entries: JournalEntry[]) {
    this.#path = path;
    this.#entries = entries;
  }

  static async open(path: string): Promise<Journal> {
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '[]';
      throw error;
    });
    return new Journal(path, JSON.parse(text) as JournalEntry[]);
  }

  /** Entries in a state, with their places, oldest first. */
  inState(...states: readonly JournalEntry['state'][]): { readonly entry: JournalEntry; readonly index: number }[] {
    return this.#entries.map((entry, index) => ({ entry, index })).filter(({ entry }) => states.includes(entry.state));
  }

  async begin(change: PlannedChange, at: string): Promise<number> {
    this.#entries = [...this.#entries, { ...change, at, state: 'begun' }];
    await this.#write();
    return this.#entries.length - 1;
  }

  async mark(index: number, state: 'done' | 'undone'): Promise<void> {
    this.#entries = this.#entries.map((entry, at) => (at === index ? { ...entry, state } : entry));
    await this.#write();
  }

  /** Written beside and renamed, flushed before: a crash leaves the old journal or the new one, never half of one. */
  async #write(): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
    const file = await open(`${this.#path}.new`, 'w', 0o600);
    try {
      await file.writeFile(`${JSON.stringify(this.#entries, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${this.#path}.new`, this.#path);
  }
}
