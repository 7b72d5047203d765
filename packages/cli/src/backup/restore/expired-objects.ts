import { z } from 'zod';
import { expiryFolder } from '../format/names.js';
import { parseLine, readSigned } from '../format/signed.js';
import { readObject, type Store } from '../store/store.js';

export const expirySchema = z.strictObject({
  format: z.literal(1),
  source: z.string(),
  at: z.iso.datetime(),
  /** Names of the objects that were removed. */
  removed: z.array(z.string()),
});

const largestRecord = 64 * 1024 * 1024;

/**
 * The objects that expiry removed, by records that it signed. Only records of a trusted key count: otherwise anyone who
 * deletes objects could say that they had expired.
 */
export async function expiredObjects(
  store: Store,
  source: string,
  trusted: readonly string[],
): Promise<{ readonly names: ReadonlySet<string>; readonly untrusted: number }> {
  const names = new Set<string>();
  let untrusted = 0;
  for (const { name } of await store.list(expiryFolder(source))) {
    const content = await readObject(store, name, largestRecord);
    const signed = content && readSigned(content);
    // Of a key that is not trusted nothing is parsed.
    const record = signed && trusted.includes(signed.signer) ? parseLine(signed.line, expirySchema) : undefined;
    if (record?.source !== source) {
      untrusted += 1;
      continue;
    }
    for (const removed of record.removed) names.add(removed);
  }
  return { names, untrusted };
}
