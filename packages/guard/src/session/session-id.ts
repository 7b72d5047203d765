import { randomBytes } from 'node:crypto';
import { sha256 } from '../digest.js';
import { GuardError } from '../errors.js';

/*
 * An id is 16 random bytes that name the session (its family: it keeps them over rotations) and 24 that prove it:
 *
 *   | family 22 characters | secret 32 characters |      base64url, 54 characters
 *
 * Redis sees the family, in the key, and SHA-256 of the whole id. A dump of Redis yields no usable cookie, and a
 * lookup by family cannot be timed to guess the secret. The proof is additional data of the encryption: a value
 * opens only for who presents the id it was sealed for, so overwriting the stored proof with one's own gains nothing.
 */
const FAMILY_BYTES = 16;
const SECRET_BYTES = 24;
const FAMILY_CHARS = 22;
const ID = /^[A-Za-z0-9_-]{54}$/;
/** 128 bits in base64: below that, an id can be guessed. */
const MIN_FOREIGN_CHARS = 22;
const MAX_FOREIGN_CHARS = 512;

/** Where a session is stored and what proves the right to it. */
export interface SessionAddress {
  /** Part of the Redis key. */
  readonly family: string;
  /** SHA-256 of the id, base64url. */
  readonly proof: string;
}

/** A new id; with `family`, a new secret for the same session. */
export function newSessionId(family: string = randomBytes(FAMILY_BYTES).toString('base64url')): string {
  return family + randomBytes(SECRET_BYTES).toString('base64url');
}

/** Address of one of our own ids; undefined when it is not one (garbage, another application's cookie). */
export function addressOf(id: string): SessionAddress | undefined {
  if (!ID.test(id)) return undefined;
  return { family: id.slice(0, FAMILY_CHARS), proof: sha256(id) };
}

/** Whether a text has the shape of a family. */
export function isFamily(text: string): boolean {
  return typeof text === 'string' && text.length === FAMILY_CHARS && /^[A-Za-z0-9_-]+$/.test(text);
}

/** Address of an id that a web framework made. Errors: REDKEEP_SESSION_ID when it is too short to be secret. */
export function foreignAddressOf(id: string, dangerouslyAcceptShortIds = false): SessionAddress {
  if (id.length > MAX_FOREIGN_CHARS || (id.length < MIN_FOREIGN_CHARS && !dangerouslyAcceptShortIds))
    throw new GuardError('REDKEEP_SESSION_ID', `${id.length} characters`);
  return { family: sha256(`family:${id}`).slice(0, FAMILY_CHARS), proof: sha256(`proof:${id}`) };
}
