import { createHash } from 'node:crypto';

/**
 * What rendering needs beside the model: the secrets and certificates themselves, already made. It lives in memory
 * only, between the files it came from and the files it goes to.
 */
export interface Material {
  /** Password by user name. */
  readonly passwords: ReadonlyMap<string, string>;
  /** Hashes of further passwords that servers accept while a rotation is under way, by user name. */
  readonly alsoAccepted?: ReadonlyMap<string, readonly string[]>;
  /** PEM texts by certificate name. */
  readonly certificates: ReadonlyMap<string, { readonly cert: string; readonly key: string }>;
  /** The CAs that clients trust, the private one first; its key, unless it was moved off this machine. */
  readonly ca: { readonly cert: string; readonly key: string | undefined };
  /** The CAs that servers accept. */
  readonly clientCa: string;
}

/**
 * The form an ACL file takes: SHA-256, 64 lower-case hex digits. It is unsalted and fast, which only a password with
 * 256 bits of entropy can afford; that is why redkeep makes every password itself.
 */
export function passwordHash(password: string): string {
  return createHash('sha256').update(password).digest('hex');
}

export function passwordOf(material: Material, user: string): string {
  const password = material.passwords.get(user);
  if (password === undefined) throw new Error(`No password was made for the user ${user}.`);
  return password;
}

/** The passwords of a user as ACL rules, the current one first. */
export function passwordRules(material: Material, user: string): string[] {
  const hashes = [passwordHash(passwordOf(material, user)), ...(material.alsoAccepted?.get(user) ?? [])];
  return [...new Set(hashes)].map((hash) => `#${hash}`);
}
