/** Longer names are no misspelling of any option. */
const LONGEST = 64;
/** Changed letters up to which a name is taken for a misspelling of another. */
const CLOSE = 3;

/** The name that somebody meant who wrote `given`; undefined when none is within three letters of it. */
export function nearestName(given: string, known: Iterable<string>): string | undefined {
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

/** Levenshtein. */
function distance(a: string, b: string): number {
  if (a.length > LONGEST) return Number.POSITIVE_INFINITY;
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
