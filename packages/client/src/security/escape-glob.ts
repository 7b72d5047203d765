/**
 * User input as a literal part of a glob pattern (SCAN MATCH, KEYS, PSUBSCRIBE, ACL): `*`, `?`, `[`, `]`, `\` and the
 * characters that mean something inside brackets lose their meaning.
 * @example
 * client.scanIterator({ MATCH: `user:${escapeGlob(name)}:*` });
 */
export function escapeGlob(text: string): string {
  return text.replace(/[*?[\]\\^-]/g, '\\$&');
}
