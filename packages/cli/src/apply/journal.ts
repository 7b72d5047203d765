import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { timestamp } from '../deployment/write-files.js';
import { explainSystemError } from '../errors.js';
import { appendLine } from '../files/append-line.js';
import { readIfPresent } from '../files/read-if-present.js';
import { replaceFile } from '../files/replace-file.js';

export type JournalOutcome = 'running' | 'done' | 'failed' | 'undone';

interface JournalHead {
  readonly kind: string;
  readonly startedAt: string;
  readonly outcome: JournalOutcome;
}

interface JournalEvent {
  readonly at: string;
  readonly step: string;
  readonly state: 'begun' | 'done';
  readonly data?: unknown;
}

/**
 * The record of a change to a running deployment, below `journal/` in its folder. A step is on disk before it is
 * taken, and marked when it is done, so that the next run of the command after a crash knows which step may have
 * happened half. Steps are written so that repeating one is safe. Mode 0600; no secret is written into it, but what
 * `keep` is given may hold password hashes.
 */
export class Journal {
  readonly folder: string;
  /** True when an earlier run was cut off and this one goes on with it. */
  readonly resumed: boolean;
  #head: JournalHead;
  readonly #events: JournalEvent[];

  private constructor(folder: string, head: JournalHead, events: JournalEvent[], resumed: boolean) {
    this.folder = folder;
    this.#head = head;
    this.#events = events;
    this.resumed = resumed;
  }

  /** Goes on with the unfinished journal of this kind, or begins one. */
  static async open(deploymentFolder: string, kind: string, now: Date): Promise<Journal> {
    const unfinished = (await Journal.list(deploymentFolder, kind)).findLast(({ outcome }) => outcome === 'running');
    if (unfinished) return unfinished;
    const folder = path.join(deploymentFolder, 'journal', `${kind}-${timestamp(now)}`);
    const head: JournalHead = { kind, startedAt: now.toISOString(), outcome: 'running' };
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw explainSystemError(error, folder);
    }
    const journal = new Journal(folder, head, [], false);
    await journal.#writeHead();
    return journal;
  }

  /** The journals of a kind, or of all, oldest first. */
  static async list(deploymentFolder: string, kind?: string): Promise<Journal[]> {
    const all = path.join(deploymentFolder, 'journal');
    const names = await readdir(all).catch(() => [] as string[]);
    const journals: Journal[] = [];
    for (const name of names.filter((each) => kind === undefined || each.startsWith(`${kind}-`)).sort()) {
      const folder = path.join(all, name);
      const head = await readIfPresent(path.join(folder, 'journal.json'));
      if (head === undefined) continue;
      const events = (await readIfPresent(path.join(folder, 'steps.jsonl'))) ?? '';
      journals.push(new Journal(folder, JSON.parse(head) as JournalHead, readEvents(events), true));
    }
    return journals;
  }

  get outcome(): JournalOutcome {
    return this.#head.outcome;
  }

  get startedAt(): Date {
    return new Date(this.#head.startedAt);
  }

  /** The name a person gives to undo it. */
  get id(): string {
    return path.basename(this.folder);
  }

  /** What a step wrote when it was done; undefined while it is not. */
  isDone(step: string): boolean {
    return this.#events.some((event) => event.step === step && event.state === 'done');
  }

  dataOf(step: string): unknown {
    return this.#events.findLast((event) => event.step === step && event.data !== undefined)?.data;
  }

  /** Steps in their order, with the last state of each. */
  get steps(): readonly { readonly step: string; readonly state: 'begun' | 'done' }[] {
    const states = new Map<string, 'begun' | 'done'>();
    for (const { step, state } of this.#events) states.set(step, state);
    return [...states].map(([step, state]) => ({ step, state }));
  }

  /**
   * Takes a step: on disk before, marked after. A step that is done already is not taken again; one that was begun is,
   * because it may have stopped anywhere.
   */
  async step<T>(name: string, work: () => Promise<T>, data?: unknown): Promise<T | undefined> {
    if (this.isDone(name)) return undefined;
    await this.#append({ step: name, state: 'begun', ...(data === undefined ? {} : { data }) });
    const result = await work();
    await this.#append({ step: name, state: 'done' });
    return result;
  }

  /** Keeps what was there before a change; what an interrupted run kept first stays. */
  async keep(name: string, content: string): Promise<void> {
    const file = path.join(this.folder, name);
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, content, { mode: 0o600, flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw explainSystemError(error, file);
    });
  }

  kept(name: string): Promise<string | undefined> {
    return readIfPresent(path.join(this.folder, name));
  }

  async finish(outcome: Exclude<JournalOutcome, 'running'>): Promise<void> {
    this.#head = { ...this.#head, outcome };
    await this.#writeHead();
  }

  async #append(event: Omit<JournalEvent, 'at'>): Promise<void> {
    const full: JournalEvent = { at: new Date().toISOString(), ...event };
    this.#events.push(full);
    await appendLine(path.join(this.folder, 'steps.jsonl'), JSON.stringify(full));
  }

  #writeHead(): Promise<void> {
    return replaceFile(path.join(this.folder, 'journal.json'), `${JSON.stringify(this.#head, null, 2)}\n`);
  }
}

/** A line that a crash cut off is left out: its step counts as not begun, or not done. */
function readEvents(text: string): JournalEvent[] {
  return text.split('\n').flatMap((line) => {
    if (line.trim() === '') return [];
    try {
      return [JSON.parse(line) as JournalEvent];
    } catch {
      return [];
    }
  });
}
