import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { readIfPresent } from '../../files/read-if-present.js';
import { replaceFile } from '../../files/replace-file.js';
import { entryFolder } from '../format/names.js';
import { parseLine } from '../format/signed.js';
import type { LoadedEntries, Problem } from './load-entries.js';

/** By store, then by chain. */
const seenSchema = z.record(z.string(), z.record(z.string(), z.strictObject({ seq: z.number(), hash: z.string() })));

/**
 * Compares the chains of a store with what this host read of them last. The newest entries of a chain have nothing
 * behind them that would show their removal; a reader that remembers them notices a store that was set back, a chain
 * that was written anew, and a store in the place of another.
 *
 * @returns what is wrong; the chains as they are now are remembered where nothing is
 */
export async function compareWithSeen(
  stateFolder: string,
  store: string,
  source: string,
  loaded: LoadedEntries,
): Promise<readonly Problem[]> {
  const file = path.join(stateFolder, 'seen.json');
  const text = await readIfPresent(file).catch(() => undefined);
  const all = (text === undefined ? undefined : parseLine(text, seenSchema)) ?? {};
  const seen = all[store] ?? {};
  // Anyone may add a chain to a store, and take it away.
  const writers = loaded.writers.filter(({ trusted }) => trusted);
  const now = chainsOf(writers);
  // A chain that was trusted then is still there where this call names no trusted key.
  const present = chainsOf(loaded.writers);
  const problems: Problem[] = [];
  const known = Object.keys(seen).map((chain) => chain.split('/')[0]);
  if (known.length > 0 && !known.includes(source) && !loaded.writers.some((writer) => known.includes(writer.source))) {
    problems.push({ object: 'entries/', text: `this store had backups of "${known[0]}" when this host read it last` });
  }
  for (const [chain, last] of Object.entries(seen)) {
    const [of, id = ''] = chain.split('/');
    if (of !== source) continue;
    const object = `${entryFolder(source)}${id}/`;
    const current = present[chain];
    if (!current || current.seq < last.seq) {
      const end = current ? `it ends at ${current.seq}` : 'it is gone';
      problems.push({
        object,
        text: `${end} and went to ${last.seq} when this host read it last: the store was set back`,
      });
      continue;
    }
    const next = loaded.entries.find((one) => one.source === source && one.writer === id && one.seq === last.seq + 1);
    const hash = current.seq === last.seq ? current.hash : next?.previous;
    if (hash !== undefined && hash !== last.hash)
      problems.push({ object, text: `entry ${last.seq} is not the one that this host read last` });
  }
  if (problems.length === 0 && writers.length > 0) await remember(file, { ...all, [store]: { ...seen, ...now } });
  return problems;
}

function chainsOf(writers: LoadedEntries['writers']): Record<string, { seq: number; hash: string }> {
  return Object.fromEntries(writers.map(({ source, id, seq, hash }) => [`${source}/${id}`, { seq, hash }] as const));
}

/** A reader without a folder of its own compares nothing; it reads all the same. */
async function remember(file: string, seen: z.infer<typeof seenSchema>): Promise<void> {
  try {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    await replaceFile(file, `${JSON.stringify(seen, null, 2)}\n`);
  } catch {
    return;
  }
}
