import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { z } from 'zod';

/** What an evidence folder says of itself; the signature is over this text's exact bytes. */
export const manifestSchema = z.strictObject({
  schema: z.literal('urn:redkeep:schema:evidence-1'),
  tool: z.strictObject({ name: z.literal('redkeep'), version: z.string() }),
  createdAt: z.iso.datetime(),
  target: z.string(),
  grade: z.enum(['A', 'B', 'C', 'D', 'F']).nullable(),
  /** SHA-256 of the signing key's public half (SPKI, DER), hex. */
  key: z.strictObject({ algorithm: z.literal('Ed25519'), fingerprint: z.string().regex(/^[0-9a-f]{64}$/) }),
  files: z.array(
    z.strictObject({
      name: z.string().regex(/^[\w][\w.-]*$/),
      bytes: z.int().min(0),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
});

export type Manifest = z.infer<typeof manifestSchema>;

export const manifestFile = 'manifest.json';
export const signatureFile = 'manifest.sig';
export const publicKeyFile = 'public-key.pem';

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

export function keyFingerprint(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return sha256(publicKey.export({ type: 'spki', format: 'der' }));
}

/** A text as it can slip into another one: as it is, escaped, encoded (base64 at each of its three alignments), hashed. */
export function secretForms(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const base64 = [0, 1, 2].map((shift) => {
    // Only whole sextets of the secret itself: what is before and behind it changes the ones at the edges.
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const whole = Math.floor(((shift + bytes.length) * 8) / 6);
    return encoded.slice(Math.ceil((shift * 8) / 6), whole);
  });
  const forms = [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    ...base64,
    ...base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    sha256(secret),
    createHash('sha256').update(secret).digest('base64').replace(/=+$/, ''),
    createHash('sha1').update(secret).digest('hex'),
  ];
  return [...new Set(forms)];
}

/** Secrets that the audit itself held, in the forms in which they could slip into a text. */
export function leakOf(text: string, secrets: readonly string[]): boolean {
  return secrets
    .filter((secret) => secret.length >= 8)
    .some((secret) => secretForms(secret).some((form) => text.includes(form)));
}

/**
 * Puts files together with a manifest of their hashes and an Ed25519 signature over it.
 * @throws when a file contains one of `secrets`: a bundle that leaks must not exist.
 */
export function sealBundle(
  files: Readonly<Record<string, string>>,
  about: Pick<Manifest, 'tool' | 'createdAt' | 'target' | 'grade'>,
  privateKey: KeyObject,
  secrets: readonly string[],
): Record<string, string | Buffer> {
  for (const [name, content] of Object.entries(files)) {
    if (leakOf(content, secrets)) throw new Error(`a secret of the audit would stand in ${name}: nothing was written`);
  }
  const manifest: Manifest = {
    schema: 'urn:redkeep:schema:evidence-1',
    ...about,
    key: { algorithm: 'Ed25519', fingerprint: keyFingerprint(privateKey) },
    files: Object.entries(files).map(([name, content]) => ({
      name,
      bytes: Buffer.byteLength(content),
      sha256: sha256(content),
    })),
  };
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  return {
    ...files,
    [manifestFile]: text,
    [signatureFile]: sign(null, Buffer.from(text), privateKey),
    [publicKeyFile]: createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }) as string,
  };
}

/** What is wrong with a bundle, in words; empty when every byte is as it was signed. */
export function flawsOf(
  files: ReadonlyMap<string, Buffer>,
  publicKey: KeyObject,
): { readonly manifest?: Manifest; readonly flaws: readonly string[] } {
  const text = files.get(manifestFile);
  const signature = files.get(signatureFile);
  if (!text || !signature) return { flaws: [`${text ? signatureFile : manifestFile} is missing`] };
  if (!verify(null, text, publicKey, signature)) return { flaws: ['the signature is not of this key and manifest'] };
  const manifest = manifestSchema.parse(JSON.parse(text.toString('utf8')));
  const listed = new Set([manifestFile, signatureFile, publicKeyFile, ...manifest.files.map(({ name }) => name)]);
  return {
    manifest,
    flaws: [
      ...manifest.files.flatMap(({ name, sha256: expected }) => {
        const content = files.get(name);
        if (!content) return [`${name} is missing`];
        return sha256(content) === expected ? [] : [`${name} was changed`];
      }),
      ...[...files.keys()].filter((name) => !listed.has(name)).map((name) => `${name} is not in the manifest`),
    ],
  };
}
