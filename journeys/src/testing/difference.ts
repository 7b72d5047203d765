/** The program before a change that a page shows as a difference of the whole, and the one after it. */
export function bothSides(difference: string): { readonly before: string; readonly after: string } {
  const side = (sign: '-' | '+') =>
    difference
      .split('\n')
      .filter((line) => !line.startsWith(sign))
      .map((line) => `${line.slice(1)}\n`)
      .join('');
  return { before: side('+'), after: side('-') };
}
