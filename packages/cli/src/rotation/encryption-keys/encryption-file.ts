import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { CliError, explainSystemError } from '../../errors.js';

/** In the deployment's folder, where no other is given. */
export const encryptionFileName = 'encryption.yaml';

const pattern = z.string().min(1);

/** What is sealed, and with which ring; docs/rotation.md shows an example. */
const encryptionSchema = z.strictObject({
  /** As given to `Encryption` in the applications. */
  environment: z.string().min(1),
  /** One key a line, newest first; what `keysFromFile` reads. */
  keyFile: z.string().min(1),
  /** The name under which receivers get the ring. */
  name: z
    .string()
    .regex(/^[\w.-]{1,64}$/)
    .default('encryption-keys'),
  values: z
    .array(z.strictObject({ match: pattern, space: z.string().min(1), fields: z.array(z.string()).optional() }))
    .default([]),
  /** Keys that are kept wrapped with this ring: of persons, and data keys. */
  wrapped: z.strictObject({ prefix: z.string().default('redkeep:keys:') }).optional(),
  /** Folders of other deployments with data or keys under this ring: persons' keys are kept apart from the data. */
  deployments: z.array(z.string().min(1)).default([]),
  /** Keys of Redis that are looked at a second while values are sealed anew. */
  rate: z.number().int().min(1).max(1_000_000).default(1000),
});

export type EncryptionFile = z.infer<typeof encryptionSchema>;

/** Reads what is sealed; its paths are relative to it. */
export async function readEncryptionFile(file: string): Promise<EncryptionFile> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw explainSystemError(error, file);
  });
  const parsed = encryptionSchema.safeParse(parseText(text));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new CliError(
      'REDKEEP_USAGE',
      `${file} does not say what is sealed: ${issue!.path.join('.') || 'the whole'}: ${issue!.message}.`,
      'docs/rotation.md shows such a file.',
    );
  }
  const at = (name: string) => path.resolve(path.dirname(file), name);
  const { keyFile, deployments } = parsed.data;
  return { ...parsed.data, keyFile: at(keyFile), deployments: deployments.map(at) };
}

function parseText(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}
