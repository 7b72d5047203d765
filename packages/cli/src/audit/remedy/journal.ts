import { readFile } from 'node:fs/promises';
import { replaceFile } from '../../files/replace-file.js';
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

  #write(): Promise<void> {
    return replaceFile(this.#path, `${JSON.stringify(this.#entries, null, 2)}\n`);
  }
}
