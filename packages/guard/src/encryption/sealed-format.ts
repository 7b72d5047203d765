import { GuardError } from '../errors.js';

/*
 * A sealed value, in bytes:
 *
 *   0      3     4       5        13       29        33             n      n+16
 *   | F5RK | alg | flags | key id | salt   | counter | ciphertext … | tag  |
 *
 * F5 never occurs in UTF-8, so no text can be taken for a sealed value. The key id is derived from the key itself,
 * the salt names the subkey that one process derived for itself, and the counter is that subkey's nonce. All 33
 * header bytes are authenticated together with the name of the key the value is stored under.
 */

export const HEADER_BYTES = 33;
export const TAG_BYTES = 16;
export const KEY_ID_OFFSET = 5;
export const KEY_ID_BYTES = 8;
export const SALT_OFFSET = 13;
export const SALT_BYTES = 16;
export const COUNTER_OFFSET = 29;

/** Algorithm numbers of the fourth byte. */
export const ALGORITHM = { aes256Gcm: 1, chacha20Poly1305: 2 } as const;
export type AlgorithmId = (typeof ALGORITHM)[keyof typeof ALGORITHM];

/** Bits of the fifth byte. */
export const FLAG = { compressed: 1, padded: 2 } as const;
const KNOWN_FLAGS = FLAG.compressed | FLAG.padded;

/** Whether these bytes begin like a sealed value. */
export function isSealed(bytes: Uint8Array): boolean {
  return bytes.length > 3 && bytes[0] === 0xf5 && bytes[1] === 0x52 && bytes[2] === 0x4b;
}

/** Writes the header into the first 33 bytes of `target`. */
export function writeHeader(
  target: Buffer,
  algorithm: AlgorithmId,
  flags: number,
  keyId: Buffer,
  salt: Buffer,
  counter: number,
): void {
  target[0] = 0xf5;
  target[1] = 0x52;
  target[2] = 0x4b;
  target[3] = algorithm;
  target[4] = flags;
  keyId.copy(target, KEY_ID_OFFSET);
  salt.copy(target, SALT_OFFSET);
  target.writeUInt32BE(counter, COUNTER_OFFSET);
}

/** Checks the shape of a sealed value before any key is looked up; says why it is refused. */
function checkSealed(sealed: Buffer): void {
  if (!isSealed(sealed)) throw new GuardError('REDKEEP_ENCRYPTION_FOREIGN');
  const algorithm = sealed[3];
  if (algorithm !== ALGORITHM.aes256Gcm && algorithm !== ALGORITHM.chacha20Poly1305)
    throw new GuardError('REDKEEP_ENCRYPTION_VERSION', `algorithm ${algorithm}`);
  if ((sealed[4]! & ~KNOWN_FLAGS) !== 0) throw new GuardError('REDKEEP_ENCRYPTION_VERSION', `flags ${sealed[4]}`);
  if (sealed.length < HEADER_BYTES + TAG_BYTES) throw new GuardError('REDKEEP_ENCRYPTION_TAMPERED', 'truncated');
}

/** Id of the key that sealed this value, 16 hex digits. Errors: REDKEEP_ENCRYPTION_FOREIGN, _VERSION, _TAMPERED. */
export function keyIdOf(sealed: Buffer): string {
  checkSealed(sealed);
  return sealed.toString('hex', KEY_ID_OFFSET, KEY_ID_OFFSET + KEY_ID_BYTES);
}
