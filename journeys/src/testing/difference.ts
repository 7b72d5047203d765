import assert from 'node:assert/strict';

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

/** A program after the change that a page shows as a difference; every line that goes has to be there. */
export function changed(program: string, difference: string): string {
  let rest = program;
  let result = '';
  for (const line of difference.split('\n')) {
    const text = line.slice(1);
    if (line.startsWith('+')) result += `${text}\n`;
    else {
      const at = rest.indexOf(`${text}\n`);
      assert.ok(at >= 0, `not in the program: ${text}`);
      result += rest.slice(0, at) + (line.startsWith('-') ? '' : `${text}\n`);
      rest = rest.slice(at + text.length + 1);
    }
  }
  return result + rest;
}
