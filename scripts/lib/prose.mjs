// Patterns that make prose read as translated; see CONTRIBUTING.md, "English". Few, and each nearly always wrong.
import { walk } from './module-syntax.mjs';

/** What is found, and what to write instead. */
export const PATTERNS = [
  [
    /(?<!\b(?:[Tt]here|[Tt]hat|which|[Ii]t|[Ii]f) )\b(?:is|are|was|were) no (?!longer\b|more\b|less\b|one\b)\w+/,
    'is not a …',
  ],
  [/(?<!\b[Tt]here )\b(?:is|are) none\b/, 'does not count, is ignored, is missing'],
  [
    /(?:^|[.:;(] )(?:Who|Whoever|Whom) (?:[a-z]+s|can|has|is)\b(?![^.]*\?)/,
    'a subject: the caller, a client, anyone who',
  ],
  [/\bwhom(?:ever)?\b|\bwhoever\b/i, 'a subject or object: the client, the user, anyone who'],
  [/\b(?:stands|stood)\b(?! for\b| out\b)/, 'is connected, is open, is in'],
  [/\bmend(?:s|ed|ing)?\b/i, 'fix'],
  [/\bbelieves\b/, 'accepts, trusts, uses'],
  [/\b(?:credentials|passwords?|keys|certificates?) turns?\b/i, 'rotate'],
  [/\b1 (?:entries|differences|changes|users|commands|servers|nodes)\b/, 'the singular'],
  [/\b0 (?:differences|findings|changes)\b/, 'No differences.'],
  [/\bpass(?:ed|es)? by\b/, 'bypassed'],
];

/** Complaints about a text: `where` names it, `text` is prose without code, which begins in line `first`. */
export function checkProse(where, text, first = 1) {
  return text.split('\n').flatMap((line, at) =>
    PATTERNS.flatMap(([pattern, instead]) => {
      const [found] = pattern.exec(line) ?? [];
      return found === undefined ? [] : [`${where}:${at + first}: "${found.trim()}": write: ${instead}`];
    }),
  );
}

/** Complaints about the comments of a source, and about its texts of three words and more: messages, titles, help. */
export function checkSourceProse({ path, program }) {
  const complaints = program.comments.flatMap(({ value, loc }) => checkProse(path, withoutCode(value), loc.start.line));
  walk(program, (node) => {
    const text =
      node.type === 'StringLiteral' ? node.value : node.type === 'TemplateElement' ? node.value.cooked : undefined;
    if (text !== undefined && / .* /.test(text))
      complaints.push(...checkProse(path, withoutCode(text), node.loc.start.line));
  });
  return complaints;
}

const withoutCode = (text) => text.replace(/`[^`\n]*`/g, '`…`');

/** A Markdown text with its code blocks and inline code blanked, so that lines keep their numbers. */
export function proseOf(markdown) {
  return withoutCode(markdown.replace(/^```[\s\S]*?^```$/gm, (block) => block.replace(/[^\n]/g, '')));
}
