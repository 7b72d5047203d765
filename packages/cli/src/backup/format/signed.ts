import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import type { z } from 'zod';

/**
 * A signed document is three lines: a JSON object, the Ed25519 signature of that line in base64, and the signer's
 * public key in base64 (DER). `openssl pkeyutl -verify` checks the same.
 */
export interface SignedLine {
  /** The exact bytes that were signed. */
  readonly line: string;
  readonly signer: string;
}

export function signLine(line: string, key: KeyObject): Buffer {
  const signature = sign(null, Buffer.from(line), key).toString('base64');
  return Buffer.from(`${line}\n${signature}\n${publicKeyText(key)}\n`);
}

/** The document, or undefined where its signature does not hold. Says nothing about whose signature it is. */
export function readSigned(data: Buffer): SignedLine | undefined {
  const [line, signature, signer, end, ...more] = data.toString('utf8').split('\n');
  if (!line || !signature || !signer || end !== '' || more.length > 0) return undefined;
  // Exactly these bytes: base64 and UTF-8 have more than one way to say the same.
  if (!data.equals(Buffer.from(`${line}\n${signature}\n${signer}\n`))) return undefined;
  const raw = Buffer.from(signature, 'base64');
  if (raw.toString('base64') !== signature) return undefined;
  try {
    const key = createPublicKey({ key: Buffer.from(signer, 'base64'), format: 'der', type: 'spki' });
    if (publicKeyText(key) !== signer) return undefined;
    return verify(null, Buffer.from(line), key, raw) ? { line, signer } : undefined;
  } catch {
    return undefined;
  }
}

/** The document of a signed line, or undefined where it is not of that form: a signature says nothing about that. */
export function parseLine<T>(line: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

/** The public half of a key in base64, as it is printed, pinned and compared. */
export function publicKeyText(key: KeyObject): string {
  const half = key.type === 'private' ? createPublicKey(key) : key;
  return half.export({ format: 'der', type: 'spki' }).toString('base64');
}

/** How a signer is named in object names. */
export function signerId(publicKey: string): string {
  return createHash('sha256').update(Buffer.from(publicKey, 'base64')).digest('hex').slice(0, 16);
}

export function sha256Of(data: Buffer | string): string {
  return createHash('sha256').update(data).digest('hex');
}
