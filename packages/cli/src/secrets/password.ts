import { randomBytes } from 'node:crypto';

/** Bytes of entropy in every password: 256 bits, out of reach of guessing against the unsalted hash in the ACL file. */
export const passwordBytes = 32;

/** A new password: base64url, so that it needs no quoting in a URL, a shell, YAML or redis.conf. */
export function createPassword(): string {
  return randomBytes(passwordBytes).toString('base64url');
}
