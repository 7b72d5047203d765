import { z } from 'zod';
import { readIfPresent } from '../../files/read-if-present.js';
import { replaceFile } from '../../files/replace-file.js';
import type { IncidentFolder } from '../folder.js';

const entry = z.strictObject({
  step: z.string(),
  node: z.string(),
  state: z.enum(['begun', 'done', 'undoing', 'undone']),
  at: z.iso.datetime(),
  /** What has to be put back; may hold hashes of passwords. */
  before: z.record(z.string(), z.string()),
});
export type ContainmentEntry = z.infer<typeof entry>;

const schema = z.strictObject({ format: z.literal(1), entries: z.array(entry) });

const fileName = 'containment.json';

/**
 * What containment has changed. A step is on disk, with what it replaces, before it is taken; what a step that was cut
 * off had read is used again, because it may have been taken already.
 */
export class ContainmentJournal {
  readonly #file: string;
  readonly #entries: Map<string, ContainmentEntry>;

  private constructor(file: string, entries: readonly ContainmentEntry[]) {
    this.#file = file;
    this.#entries = new Map(entries.map((each) => [keyOf(each.step, each.node), each]));
  }

  static async open(incident: IncidentFolder): Promise<ContainmentJournal> {
    const file = incident.file(fileName);
    const text = await readIfPresent(file);
    return new ContainmentJournal(file, text === undefined ? [] : schema.parse(JSON.parse(text)).entries);
  }

  /** In the order in which they were begun. */
  get entries(): readonly ContainmentEntry[] {
    return [...this.#entries.values()];
  }

  of(step: string, node: string): ContainmentEntry | undefined {
    return this.#entries.get(keyOf(step, node));
  }

  /** Steps in effect, or perhaps in effect. */
  get open(): readonly ContainmentEntry[] {
    return this.entries.filter(({ state }) => state !== 'undone');
  }

  async write(change: ContainmentEntry): Promise<void> {
    const key = keyOf(change.step, change.node);
    // A step that is taken again after it was taken back counts as the newest.
    if (this.#entries.get(key)?.state === 'undone') this.#entries.delete(key);
    this.#entries.set(key, change);
    await replaceFile(this.#file, `${JSON.stringify({ format: 1, entries: this.entries }, null, 2)}\n`);
  }
}

function keyOf(step: string, node: string): string {
  return `${step} ${node}`;
}
