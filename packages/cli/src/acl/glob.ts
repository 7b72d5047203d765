/**
 * Whether a glob of an ACL rule matches, byte by byte as servers do (`stringmatchlen` in util.c of Redis 6.0 to 8.x and
 * Valkey): `*`, `?`, `[abc]`, `[^a-z]` and `\` before a character that is meant literally. A class without its end runs
 * to the end of the pattern.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  return matches(Buffer.from(pattern), 0, Buffer.from(text), 0);
}

const [STAR, QUESTION, OPEN, CLOSE, CARET, DASH, BACKSLASH] = Buffer.from('*?[]^-\\');

function matches(pattern: Buffer, startOfPattern: number, text: Buffer, startOfText: number): boolean {
  let p = startOfPattern;
  let t = startOfText;
  while (p < pattern.length && t < text.length) {
    const symbol = pattern[p]!;
    if (symbol === STAR) {
      while (pattern[p + 1] === STAR) p++;
      if (p + 1 === pattern.length) return true;
      for (let rest = t; rest <= text.length; rest++) if (matches(pattern, p + 1, text, rest)) return true;
      return false;
    }
    if (symbol === OPEN) {
      const found = inClass(pattern, p + 1, text[t]!);
      if (!found.matched) return false;
      p = found.end;
    } else if (symbol === BACKSLASH && p + 1 < pattern.length) {
      p++;
      if (pattern[p] !== text[t]) return false;
    } else if (symbol !== QUESTION && symbol !== text[t]) return false;
    p++;
    t++;
  }
  if (t === text.length) while (pattern[p] === STAR) p++;
  return p === pattern.length && t === text.length;
}

/** Judges a character by the class that begins at `from`; `end` is the place of its `]`, or the pattern's last byte. */
function inClass(pattern: Buffer, from: number, character: number): { matched: boolean; end: number } {
  let p = from;
  const negated = pattern[p] === CARET;
  if (negated) p++;
  let matched = false;
  for (; ; p++) {
    if (pattern[p] === BACKSLASH && p + 1 < pattern.length) {
      p++;
      if (pattern[p] === character) matched = true;
    } else if (pattern[p] === CLOSE) break;
    else if (p >= pattern.length) {
      p = pattern.length - 1;
      break;
    } else if (p + 2 < pattern.length && pattern[p + 1] === DASH) {
      const [low, high] = [Math.min(pattern[p]!, pattern[p + 2]!), Math.max(pattern[p]!, pattern[p + 2]!)];
      p += 2;
      if (character >= low && character <= high) matched = true;
    } else if (pattern[p] === character) matched = true;
  }
  return { matched: negated ? !matched : matched, end: p };
}

/** A text that the glob matches, with `filler` for `*` and `?`; undefined where no simple one does. */
export function exampleOf(pattern: string, filler = 'x'): string | undefined {
  let text = '';
  for (let at = 0; at < pattern.length; at++) {
    const symbol = pattern[at]!;
    if (symbol === '*') {
      if (text === '' && at === pattern.length - 1) text = filler;
    } else if (symbol === '?') text += filler;
    else if (symbol === '\\' && at + 1 < pattern.length) text += pattern[++at]!;
    else if (symbol === '[') {
      const bytes = Buffer.from(pattern);
      const from = Buffer.byteLength(pattern.slice(0, at)) + 1;
      const fitting = printable.find((code) => inClass(bytes, from, code).matched);
      if (fitting === undefined) return undefined;
      text += String.fromCharCode(fitting);
      at = bytes.subarray(0, inClass(bytes, from, fitting).end).toString().length;
    } else text += symbol;
  }
  return matchesGlob(pattern, text) ? text : undefined;
}

const printable = Array.from({ length: 94 }, (_, index) => ((index + 64) % 94) + 33);

/** Names of many kinds, among them one for every first byte: a set of globs that matches all of them limits nothing. */
const probes: readonly string[] = [
  ...Array.from({ length: 94 }, (_, index) => `${String.fromCharCode(index + 33)}q7:zK0-${index}`),
  ...Array.from({ length: 94 }, (_, index) => `K0-${index}:zq7${String.fromCharCode(index + 33)}`),
  ...['app:1', 'session:9f2c', 'user:42:profile', 'bull:mail:wait', 'é:ü', '0', 'Z', 'a-long-name-'.repeat(8)],
];

/** Whether globs together match (as good as) every name: `*`, `**`, `?*`, `[a-m]*` with `[^a-m]*`. */
export function coversEverything(patterns: readonly string[]): boolean {
  return patterns.length > 0 && probes.every((probe) => patterns.some((pattern) => matchesGlob(pattern, probe)));
}
