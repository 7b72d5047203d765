import { argumentText } from '../argument-text.js';
import { InvalidArgumentError } from '../errors.js';

/** Longer names are not taken for a misspelling. */
const LONGEST = 64;
/** Changed letters up to which a name is taken for a misspelling of another. */
const CLOSE = 3;

/**
 * Returns the name of `known` that `given` is probably a misspelling of, or undefined if all differ by more than three
 * letters.
 * @throws InvalidArgumentError
 */
export function nearestName(given: string, known: readonly string[]): string | undefined {
  argumentText('nearestName', 0, given);
  if (!Array.isArray(known)) throw new InvalidArgumentError('nearestName', 1, 'must be an array of strings');
  let nearest: string | undefined;
  let least = CLOSE + 1;
  for (const name of known) {
    const letters = distance(given.toLowerCase(), name.toLowerCase());
    if (letters >= least) continue;
    nearest = name;
    least = letters;
  }
  return nearest;
}

/** Levenshtein; the same letters in another order are one mistake. */
function distance(a: string, b: string): number {
  if (a.length > LONGEST) return Number.POSITIVE_INFINITY;
  if (a !== b && a.length === b.length && [...a].sort().join('') === [...b].sort().join('')) return 1;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
