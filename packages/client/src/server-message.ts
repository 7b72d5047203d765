/**
 * The part of a server's refusal that a message may show. Servers echo arguments, so only their own words are shown: the
 * code word, and the fixed words of a text that they are known to send. What such a text echoes is masked, whether or not
 * an argument reads the same.
 */
import { SERVER_TEXTS } from './server-texts.js';

/** First words of servers' own errors, which say nothing of an argument even if one reads the same. */
export const KNOWN_PREFIXES: ReadonlySet<string> = new Set(
  (
    'ASK BUSY BUSYGROUP BUSYKEY CLUSTERDOWN CROSSSLOT DENIED ERR EXECABORT INPROG INUSE INVALIDOBJ IOERR LOADING ' +
    'MASTERDOWN MISCONF MOVED NOAUTH NOGOODSLAVE NOGROUP NOMASTERLINK NOPERM NOPROTO NOQUORUM NOREPLICAS NOSCRIPT ' +
    'NOTBUSY NOTREADY OOM READONLY SYNTAX TRYAGAIN UNBLOCKED UNKILLABLE WRONGPASS WRONGTYPE'
  ).split(' '),
);

/** Commands that run what the application wrote: their errors can have any text. */
export const SCRIPT_COMMANDS = /^(EVAL|FCALL)/;

/** A text with gaps: its fixed parts, in order. */
type Template = readonly string[];

const fixed = new Set<string>();
/** By code word; those with the most fixed words first. */
const templates = new Map<string, Template[]>();
let isRead = false;

function readTexts(): void {
  isRead = true;
  for (const line of SERVER_TEXTS.split('\n')) {
    if (line === '') continue;
    const first = line.split(' ', 1)[0]!;
    const code = KNOWN_PREFIXES.has(first) ? first : 'ERR';
    const text = code === first ? line : `ERR ${line}`;
    const parts = text.split(/%[sd]/);
    if (parts.length === 1) {
      fixed.add(text);
      continue;
    }
    templates.set(code, [...(templates.get(code) ?? []), parts]);
  }
  const weight = (parts: Template) => parts.join('').length;
  for (const list of templates.values()) list.sort((a, b) => weight(b) - weight(a));
}

/** The text that may be shown of `text`, whose code word is `prefix`, in answer to `command`. */
export function shownText(text: string, prefix: string, command: string | undefined): string {
  if (!isRead) readTexts();
  if (fixed.has(text)) return text;
  for (const parts of templates.get(prefix) ?? []) {
    const found = gapsOf(text, parts);
    if (found === undefined) continue;
    return parts.reduce((shown, part, i) => {
      const gap = found[i - 1]!;
      return `${shown}${isName(gap, command) ? gap : '<argument>'}${part}`;
    });
  }
  return `${prefix} (the server's text is in serverMessage)`;
}

/**
 * What is in the gaps of a template, each as short as it can be; undefined where the text is another. Each part is looked
 * for once behind the one before it, so that no text of a hostile server takes more than linear time.
 */
function gapsOf(text: string, parts: Template): string[] | undefined {
  const [first, ...others] = parts as [string, ...string[]];
  const last = others.pop()!;
  if (!text.startsWith(first)) return undefined;
  const gaps: string[] = [];
  let at = first.length;
  for (const part of others) {
    const next = text.indexOf(part, at);
    if (next === -1) return undefined;
    gaps.push(text.slice(at, next));
    at = next + part.length;
  }
  if (text.length - last.length < at || !text.endsWith(last)) return undefined;
  return [...gaps, text.slice(at, text.length - last.length)];
}

/** The command itself, as servers write it: `config|get`. */
function isName(echo: string, command: string | undefined): boolean {
  return command !== undefined && echo.toUpperCase().replace('|', ' ') === command;
}
