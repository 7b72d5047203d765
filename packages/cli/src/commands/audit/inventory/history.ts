import { appendFile, readFile } from 'node:fs/promises';
import { z } from 'zod';
import { explainSystemError } from '../../../errors.js';

const lineSchema = z.object({
  name: z.string(),
  observedAt: z.string(),
  grade: z.enum(['A', 'B', 'C', 'D', 'F']).nullable(),
  score: z.number().nullable(),
  /** Fingerprint and text of every occurrence of every finding. */
  findings: z.record(z.string(), z.string()),
});

/** What one audit of one deployment found, kept so that the next can say what changed. */
export type PastAudit = z.infer<typeof lineSchema>;

/** The newest audit of each deployment. A line that a crash cut short is passed over. */
export async function readHistory(file: string): Promise<ReadonlyMap<string, PastAudit>> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw explainSystemError(error, file);
  });
  const newest = new Map<string, PastAudit>();
  for (const line of text.split('\n')) {
    try {
      const parsed = lineSchema.safeParse(JSON.parse(line));
      if (parsed.success) newest.set(parsed.data.name, parsed.data);
    } catch {
      // Empty, or cut short.
    }
  }
  return newest;
}

/** Adds audits to the history, one line each. The file names servers and weaknesses: for its owner only. */
export async function appendHistory(file: string, audits: readonly PastAudit[]): Promise<void> {
  if (audits.length === 0) return;
  try {
    // A line that a crash cut short ends here, and spoils no other.
    await appendFile(file, `\n${audits.map((one) => JSON.stringify(one)).join('\n')}\n`, { mode: 0o600 });
  } catch (error) {
    throw explainSystemError(error, file);
  }
}
