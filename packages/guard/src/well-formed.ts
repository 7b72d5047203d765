import { GuardError } from './errors.js';

/**
 * Text without half a surrogate pair. UTF-8 has no bytes for one: every such half becomes U+FFFD, and two identities that
 * differ in it only would be one person to a hash and to Redis.
 */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

/** An identity, subject, scope or name of a call. Errors: REDKEEP_GUARD_ARGUMENT with what it is, without the value. */
export function checkedName(value: unknown, what: string, most = Number.POSITIVE_INFINITY): string {
  if (typeof value !== 'string' || value === '' || value.length > most)
    throw new GuardError('REDKEEP_GUARD_ARGUMENT', what);
  return wellFormed(value, what);
}

/** Text that is about to become bytes. Errors: REDKEEP_GUARD_ARGUMENT. */
export function wellFormed(text: string, what: string): string {
  if (!isWellFormed(text)) throw new GuardError('REDKEEP_GUARD_ARGUMENT', `${what} is not well-formed Unicode`);
  return text;
}
