import { hkdfSync, randomBytes } from 'node:crypto';
import { Decrypter, Encrypter } from 'age-encryption';
import { CliError } from '../../errors.js';

/** Plaintext bytes of an age chunk; each is followed by a tag of 16 bytes (C2SP age-encryption.org/v1, "Payload"). */
export const chunkBytes = 64 * 1024;
export const tagBytes = 16;
export const payloadNonceBytes = 16;
/** A header holds one stanza a recipient; more than this is not a header. */
const longestHeaderBytes = 64 * 1024;

/** What starts an age file, and the key of what follows. */
export interface AgeHeader {
  /** The header and the nonce of the payload, as they stand in the file. */
  readonly bytes: Buffer;
  readonly payloadKey: Buffer;
}

/**
 * Makes the header of an age file for recipients. The library does everything about keys; the payload is left to
 * node:crypto, which is ten times as fast: a second recipient that writes no stanza keeps the file key for it.
 */
export async function createAgeHeader(recipients: readonly string[]): Promise<AgeHeader> {
  let fileKey: Uint8Array | undefined;
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  encrypter.addRecipient({
    wrapFileKey(key) {
      fileKey = Uint8Array.from(key);
      return [];
    },
  });
  const empty = Buffer.from(await encrypter.encrypt(new Uint8Array(0)));
  if (!fileKey) throw new Error('The age library did not wrap its file key.');
  // An empty payload is a nonce and the tag of one empty chunk.
  const header = empty.subarray(0, empty.length - payloadNonceBytes - tagBytes);
  const nonce = randomBytes(payloadNonceBytes);
  return { bytes: Buffer.concat([header, nonce]), payloadKey: payloadKey(fileKey, nonce) };
}

/** Opens a header with one of the identities; an error that says so when none fits. */
export async function openAgeHeader(header: Buffer, nonce: Buffer, identities: readonly string[]): Promise<Buffer> {
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  try {
    return payloadKey(await decrypter.decryptHeader(header), nonce);
  } catch (error) {
    throw new CliError(
      'REDKEEP_BACKUP_KEY_WRONG',
      'None of the given identities opens this backup.',
      'Give the identity of one of its recipients with --identity; "redkeep backup list" names the recipients.',
      { cause: error },
    );
  }
}

/** Length of the header at the start of `bytes`, or undefined while it is incomplete. */
export function headerLength(bytes: Buffer): number | undefined {
  const last = bytes.indexOf('\n--- ');
  const end = last < 0 ? -1 : bytes.indexOf('\n', last + 1);
  if (end >= 0) return end + 1;
  if (bytes.length > longestHeaderBytes) throw notAge();
  return undefined;
}

export function notAge(): CliError {
  return new CliError(
    'REDKEEP_BACKUP_DAMAGED',
    'An object of the backup is not a whole age file.',
    'Run "redkeep backup verify" to see which objects are damaged.',
  );
}

function payloadKey(fileKey: Uint8Array, nonce: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', fileKey, nonce, 'payload', 32));
}

/** The nonce of a chunk: its number in 11 bytes, and whether it is the last. */
export function chunkNonce(counter: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(counter, 5, 6);
  nonce[11] = last ? 1 : 0;
  return nonce;
}
