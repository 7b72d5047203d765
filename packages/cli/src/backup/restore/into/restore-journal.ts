import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { readIfPresent } from '../../../files/read-if-present.js';
import { writeDurably } from '../../archive/state-folder.js';

const step = z.enum(['planned', 'safe', 'held', 'loading', 'loaded', 'released', 'undone']);
export type RestoreStep = z.infer<typeof step>;

/** What a restore into a running deployment has done; written before each step is taken. */
const journalSchema = z.strictObject({
  format: z.literal(1),
  deployment: z.string(),
  began: z.iso.datetime(),
  step,
  /** Keys that were brought back; null for all of them. */
  keys: z.array(z.string()).nullable(),
  /** What was there before: a base in the store, by writer and number; null where there was no key. */
  safety: z.strictObject({ writer: z.string(), from: z.number(), to: z.number() }).nullable(),
  /** Users that were locked out by it. */
  held: z.array(z.string()),
});
export type RestoreJournal = z.infer<typeof journalSchema>;

function journalFile(stateFolder: string): string {
  return path.join(stateFolder, 'restore.json');
}

export async function readJournal(stateFolder: string): Promise<RestoreJournal | undefined> {
  const text = await readIfPresent(journalFile(stateFolder));
  return text === undefined ? undefined : journalSchema.parse(JSON.parse(text));
}

export async function writeJournal(stateFolder: string, journal: RestoreJournal): Promise<void> {
  await mkdir(stateFolder, { recursive: true, mode: 0o700 });
  await writeDurably(journalFile(stateFolder), `${JSON.stringify(journal, null, 2)}\n`);
}

/** True while applications are locked out, or the data is neither the old nor the new. */
export function isOpen({ step }: RestoreJournal): boolean {
  return step === 'held' || step === 'loading' || step === 'loaded';
}
