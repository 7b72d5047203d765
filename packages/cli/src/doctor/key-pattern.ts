/**
 * A key's name with everything replaced that may identify somebody or be a secret (session ids, tokens, numbers, mail
 * addresses), so that it can be printed: `sess:9f…` becomes `sess:*`. A segment stays only when it reads like a word.
 */
export function keyPattern(key: string): string {
  return key
    .slice(0, 256)
    .split(/([:/|])/)
    .map((part, index) => (index % 2 === 1 ? part : wordOrStar(part)))
    .join('')
    .replace(/\*(?:[|/]\*)+/g, '*');
}

function wordOrStar(segment: string): string {
  if (segment === '') return '';
  const tagged = /^\{(.*)\}$/.exec(segment);
  if (tagged) return `{${wordOrStar(tagged[1]!)}}`;
  return /^[A-Za-z][A-Za-z_-]{0,23}(\.[a-z]{1,5})?$/.test(segment) && !looksRandom(segment) ? segment : '*';
}

/** Letters of both cases mixed within a word, or no vowel in a long one: an id rather than a name. */
function looksRandom(word: string): boolean {
  if (word.length < 8) return false;
  const switches = word.match(/[a-z][A-Z]/g)?.length ?? 0;
  return switches > 2 || !/[aeiouy]{1}/i.test(word) || /^[a-f]+$/i.test(word);
}
