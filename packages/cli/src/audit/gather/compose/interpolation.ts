import { referenceTo } from '../../facts/reference.js';

/** What variables are set to, by name; undefined where nothing that was read sets them. */
export type Variables = (name: string) => string | undefined;

interface Cursor {
  readonly text: string;
  at: number;
}

const nameAt = /[A-Za-z_]\w*/y;

function readName(cursor: Cursor): string | undefined {
  nameAt.lastIndex = cursor.at;
  const [name] = nameAt.exec(cursor.text) ?? [];
  if (name !== undefined) cursor.at += name.length;
  return name;
}

/** `${NAME}` and its forms, from behind the brace on; undefined for other text. */
function readBraced(cursor: Cursor, variables: Variables): string | undefined {
  const name = readName(cursor);
  if (name === undefined) return undefined;
  const value = variables(name);
  if (cursor.text[cursor.at] === '}') {
    cursor.at++;
    return value ?? referenceTo(name);
  }
  const [operator] = /^:?[-?+]/.exec(cursor.text.slice(cursor.at)) ?? [];
  if (operator === undefined) return undefined;
  cursor.at += operator.length;
  const word = readText(cursor, variables, true);
  if (cursor.text[cursor.at] !== '}') return undefined;
  cursor.at++;
  const isSet = operator.startsWith(':') ? value !== undefined && value !== '' : value !== undefined;
  switch (operator.at(-1)) {
    case '-':
      return isSet ? value : word;
    case '+':
      // Unknown, as a plain variable that nothing sets: it is there for being set.
      return isSet || value === undefined ? word : '';
    default:
      // Compose refuses to start where the variable is missing, so its value comes from outside of the files.
      return isSet ? value : referenceTo(name);
  }
}

function readText(cursor: Cursor, variables: Variables, inBraces: boolean): string {
  let result = '';
  while (cursor.at < cursor.text.length) {
    const char = cursor.text[cursor.at]!;
    if (inBraces && char === '}') break;
    if (char !== '$') {
      result += char;
      cursor.at++;
      continue;
    }
    const start = cursor.at++;
    if (cursor.text[cursor.at] === '$') {
      result += '$';
      cursor.at++;
      continue;
    }
    if (cursor.text[cursor.at] === '{') {
      cursor.at++;
      const value = readBraced(cursor, variables);
      if (value !== undefined) result += value;
      else {
        // Not a form of Compose's: what was written stays.
        cursor.at = start + 1;
        result += '$';
      }
      continue;
    }
    const name = readName(cursor);
    result += name === undefined ? '$' : (variables(name) ?? referenceTo(name));
  }
  return result;
}

/**
 * Fills variables in as Compose does: `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `${NAME:?message}`,
 * `${NAME?message}`, `${NAME:+other}`, `${NAME+other}`, each nested, and `$$` for a dollar sign. A variable that is not
 * set and has no default stays as `${NAME}`: its value comes from outside of the files.
 */
export function interpolate(text: string, variables: Variables): string {
  return text.includes('$') ? readText({ text, at: 0 }, variables, false) : text;
}
