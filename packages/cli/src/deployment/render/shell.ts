/** A value as one word of a POSIX shell, whatever it contains. */
export function quoteShell(value: string): string {
  return /^[A-Za-z0-9_./:@%+,=-]+$/.test(value) ? value : `'${value.replace(/'/g, `'\\''`)}'`;
}
