import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { readIfPresent } from '../files/read-if-present.js';

/** A change that was cut off explains nothing after this time. */
const longestMs = 3_600_000;
/** A round may see a change only after it has ended. */
const echoMs = 30_000;

/**
 * True while redkeep itself changes the deployment, or has just ended: its journal says so. A process that can write there has
 * every secret of the deployment already.
 */
export async function plannedChange(folder: string, now: number, kinds = /^(?:apply|undo|rotate-)/): Promise<boolean> {
  const journals = path.join(folder, 'journal');
  const names = (await readdir(journals).catch(() => [] as string[])).filter((name) => kinds.test(name));
  const recent = await Promise.all(names.map((name) => explains(path.join(journals, name, 'journal.json'), now)));
  return recent.includes(true);
}

async function explains(file: string, now: number): Promise<boolean> {
  const [text, written] = await Promise.all([readIfPresent(file), stat(file).catch(() => undefined)]);
  try {
    const { outcome, startedAt } = JSON.parse(text ?? '') as { outcome?: string; startedAt?: string };
    if (outcome === 'running') return now - Date.parse(startedAt ?? '') < longestMs;
    return written !== undefined && now - written.mtimeMs < echoMs;
  } catch {
    return false;
  }
}
