import { argumentText } from '../argument-text.js';

/**
 * User input as a literal part of a glob pattern (SCAN MATCH, KEYS, PSUBSCRIBE, ACL): `*`, `?`, `[`, `]`, `\` and the
 * characters that mean something inside brackets lose their meaning.
 * @example
 * client.scanIterator({ MATCH: `user:${escapeGlob(name)}:*` });
 */
export function escapeGlob(text: string): string {
  return argumentText('escapeGlob', 0, text).replace(/[*?[\]\\^-]/g, '\\$&');
}
