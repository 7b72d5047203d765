import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { readIfPresent } from '../../../files/read-if-present.js';
import { replaceFile } from '../../../files/replace-file.js';

const step = z.enum(['held', 'safe', 'loading', 'loaded', 'released', 'undone']);
export type RestoreStep = z.infer<typeof step>;

/** What a restore into a running deployment has done; written before each step is taken. */
const journalSchema = z.strictObject({
  format: z.literal(1),
  began: z.iso.datetime(),
  step,
  source: z.string(),
  /**
   * Number of each writer's newest entry when the restore began. What an archive has taken since then is the restore
   * itself, half of it perhaps: a run that goes on must not choose its moment there.
   */
  upTo: z.record(z.string(), z.number()),
  /** Keys that are brought back; null for all of them. */
  keys: z.array(z.string()).nullable(),
  /** What was there before: entries in the store, by writer and number; null where there was nothing. */
  safety: z.strictObject({ writer: z.string(), from: z.number(), to: z.number() }).nullable(),
  /** Users that were locked out by it. */
  held: z.array(z.string()),
});
export type RestoreJournal = z.infer<typeof journalSchema>;

/** In the deployment, whatever state folder a command names: it is about the deployment and not about a store. */
function journalFolder(deploymentFolder: string): string {
  return path.join(deploymentFolder, 'backup', 'state', 'restore');
}

export async function readJournal(deploymentFolder: string): Promise<RestoreJournal | undefined> {
  const text = await readIfPresent(path.join(journalFolder(deploymentFolder), 'restore.json'));
  return text === undefined ? undefined : journalSchema.parse(JSON.parse(text));
}

export async function writeJournal(deploymentFolder: string, journal: RestoreJournal): Promise<void> {
  const folder = journalFolder(deploymentFolder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await replaceFile(path.join(folder, 'restore.json'), `${JSON.stringify(journal, null, 2)}\n`);
}

/** True while applications are locked out, or the data is neither the old nor the new. */
export function isOpen({ step }: RestoreJournal): boolean {
  return step !== 'released' && step !== 'undone';
}
