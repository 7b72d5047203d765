import { z } from 'zod';
import { readObject, type Store } from '../store/store.js';
import { label } from './entry.js';
import { proofFolder } from './names.js';
import { parseLine, readSigned } from './signed.js';

const shard = z.strictObject({
  shard: label,
  writer: z.string(),
  base: z.string(),
  segments: z.number(),
  second: z.number(),
  keys: z.number(),
  databases: z.record(z.string(), z.number()),
  digest: z.string(),
  commands: z.number(),
  encryptedBytes: z.number(),
  bytes: z.number(),
  fetchMs: z.number(),
  checkMs: z.number(),
  loadMs: z.number(),
  digestMs: z.number(),
  /** How many keys equalled those of the running server, and how many could not be compared. */
  live: z.strictObject({ compared: z.number(), passedOver: z.number() }).optional(),
});

/** The record of a restore that worked, signed by the host that did it. */
export const proofSchema = z.strictObject({
  format: z.literal(1),
  source: label,
  at: z.iso.datetime(),
  /** The engine that loaded it. */
  engine: z.string(),
  tookMs: z.number(),
  oneMoment: z.boolean(),
  shards: z.array(shard),
});
export type Proof = z.infer<typeof proofSchema>;

const largestProof = 1024 * 1024;

/** The proofs of a source by a trusted key, the oldest first. */
export async function loadProofs(store: Store, source: string, trusted: readonly string[]): Promise<readonly Proof[]> {
  const proofs: Proof[] = [];
  for (const { name } of await store.list(proofFolder(source))) {
    const content = await readObject(store, name, largestProof);
    const signed = content && readSigned(content);
    if (!signed || !trusted.includes(signed.signer)) continue;
    const proof = parseLine(signed.line, proofSchema);
    if (proof?.source === source) proofs.push(proof);
  }
  return proofs.sort((a, b) => (a.at < b.at ? -1 : 1));
}
