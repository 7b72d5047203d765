import type { Location } from '../../facts/project-facts.js';
import { interpolate, type Variables } from './interpolation.js';

/** One variable of an env file. */
export interface EnvLine {
  readonly name: string;
  /** Undefined for a name alone: its value comes from the environment of the caller. */
  readonly value: string | undefined;
  readonly at: Location;
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

/** The text of a quoted value from behind its quote on, and where it ends; it may span lines. */
function quoted(text: string, from: number, quote: string): { value: string; end: number } | undefined {
  let value = '';
  for (let at = from; at < text.length; at++) {
    const char = text[at]!;
    if (char === quote) return { value, end: at + 1 };
    if (char === '\\' && quote === '"') {
      const next = text[++at] ?? '';
      // `\$` keeps its dollar sign from being a variable.
      value += escapes[next] ?? (next === '$' ? '$$' : next === '"' || next === '\\' ? next : `\\${next}`);
    } else if (char === '\\' && text[at + 1] === "'") {
      value += "'";
      at++;
    } else value += char;
  }
  return undefined;
}

/**
 * Reads an env file as Compose does: `NAME=value`, `export NAME=value`, `NAME: value`, comments, single quotes (as they
 * are), double quotes (escapes, variables, several lines), and variables of the lines before. With `raw`, values are
 * taken as they are (`env_file` with `format: raw`).
 */
export function parseEnvFile(
  text: string,
  file: string,
  variables: Variables = () => undefined,
  raw = false,
): EnvLine[] {
  const lines: EnvLine[] = [];
  const known = new Map<string, string>();
  const lookUp: Variables = (name) => known.get(name) ?? variables(name);
  let at = 0;
  let line = 1;
  while (at < text.length) {
    const newline = text.indexOf('\n', at);
    const end = newline === -1 ? text.length : newline;
    const row = text.slice(at, end);
    const match = /^\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*(?:([=:])[ \t]*|$)/.exec(row);
    const location = { file, line };
    let next = end + 1;
    if (match && !row.trimStart().startsWith('#')) {
      const [whole, name = '', sign] = match;
      const start = at + whole.length;
      const quote = text[start];
      if (sign === undefined) lines.push({ name, value: undefined, at: location });
      else if (!raw && (quote === '"' || quote === "'")) {
        const found = quoted(text, start + 1, quote);
        const value = found === undefined ? row.slice(whole.length) : found.value;
        if (found) {
          const rest = text.indexOf('\n', found.end);
          next = (rest === -1 ? text.length : rest) + 1;
        }
        const filled = quote === '"' ? interpolate(value, lookUp) : value;
        known.set(name, filled);
        lines.push({ name, value: filled, at: location });
      } else {
        const plain = row.slice(whole.length);
        const value = raw ? plain : interpolate(plain.replace(/\s+#.*$|^#.*$/, '').trim(), lookUp);
        known.set(name, value);
        lines.push({ name, value, at: location });
      }
    }
    line += text.slice(at, Math.min(next, text.length)).split('\n').length - 1;
    at = next;
  }
  return lines;
}
