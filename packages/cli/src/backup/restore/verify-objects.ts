import { CliError } from '../../errors.js';
import { type Entry, type ObjectRef, objectOf } from '../format/entry.js';
import { dataFolder } from '../format/names.js';
import type { Store } from '../store/store.js';
import { mapLimited, type Problem } from './load-entries.js';
import { hashed } from './read-object.js';

export interface VerifyOptions {
  readonly gone: ReadonlySet<string>;
  /** Share of the objects whose bytes are read, 0 to 1; the others are only looked for. */
  readonly share: number;
  readonly onProgress?: (bytes: number, total: number) => void;
}

export interface VerifyResult {
  readonly problems: readonly Problem[];
  readonly objects: number;
  readonly bytes: number;
  readonly readBytes: number;
  /** Objects that no entry names: from a crash between object and entry. Harmless. */
  readonly unnamed: readonly string[];
}

const readers = 4;

/** Compares the objects of a source with what its writers signed. Needs no identity. */
export async function verifyObjects(
  store: Store,
  source: string,
  entries: readonly Entry[],
  { gone, share, onProgress }: VerifyOptions,
): Promise<VerifyResult> {
  const refs = entries.flatMap((entry) => (entry.source === source ? (objectOf(entry) ?? []) : []));
  const wanted = new Map<string, ObjectRef>();
  const problems: Problem[] = [];
  for (const ref of refs) {
    if (gone.has(ref.name)) continue;
    if (wanted.has(ref.name)) problems.push({ object: ref.name, text: 'two entries name it' });
    wanted.set(ref.name, ref);
  }
  const stored = new Map((await store.list(dataFolder(source))).map(({ name, bytes }) => [name, bytes]));
  const present: ObjectRef[] = [];
  for (const ref of wanted.values()) {
    const bytes = stored.get(ref.name);
    if (bytes === undefined) problems.push({ object: ref.name, text: 'it is missing' });
    else if (bytes !== ref.bytes) problems.push({ object: ref.name, text: `${bytes} bytes instead of ${ref.bytes}` });
    else present.push(ref);
  }
  const read = spread(present, share);
  const total = read.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  await mapLimited(read, readers, async (ref) => {
    try {
      for await (const part of hashed(store, ref)) {
        done += part.length;
        onProgress?.(done, total);
      }
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      problems.push({ object: ref.name, text: error.message.slice(ref.name.length + 2).replace(/\.$/, '') });
    }
  });
  const unnamed = [...stored.keys()].filter((name) => !wanted.has(name) && !gone.has(name));
  const bytes = [...wanted.values()].reduce((sum, ref) => sum + ref.bytes, 0);
  return { problems, objects: wanted.size, bytes, readBytes: done, unnamed };
}

/** An even part of a list, the newest included. */
function spread<T>(items: readonly T[], share: number): T[] {
  const count = Math.ceil(items.length * Math.min(1, Math.max(0, share)));
  return Array.from(
    { length: count },
    (_, index) => items[items.length - 1 - Math.floor((index * items.length) / count)]!,
  );
}
