/** Words of a line as redis-cli reads them: blanks part them, quotes keep them together; undefined: a quote is open. */
export function splitWords(line: string): string[] | undefined {
  const words: string[] = [];
  let rest = line.trim();
  while (rest !== '') {
    const match = /^(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\s"']\S*))(?=\s|$)/.exec(rest);
    if (!match) return undefined;
    const [whole, double, single, plain] = match;
    words.push(plain ?? decodeEscapes((double ?? single)!));
    rest = rest.slice(whole.length).trimStart();
  }
  return words;
}

const named: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

function decodeEscapes(text: string): string {
  return text.replace(/\\(?:x([0-9a-f]{2})|(.))/gi, (_, hex: string | undefined, character: string) =>
    hex === undefined ? (named[character] ?? character) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** A reply as lines for a terminal: nothing in it is taken for a command by the terminal. */
export function formatReply(reply: unknown, indent = ''): string[] {
  if (reply === null || reply === undefined) return [`${indent}(nil)`];
  if (typeof reply === 'number' || typeof reply === 'bigint') return [`${indent}(integer) ${reply}`];
  if (Buffer.isBuffer(reply)) return [`${indent}${printable(reply.toString())}`];
  if (reply instanceof Map) return formatReply([...reply].flat(), indent);
  if (reply instanceof Set) return formatReply([...reply], indent);
  if (Array.isArray(reply)) {
    if (reply.length === 0) return [`${indent}(empty)`];
    return reply.flatMap((item, index) => {
      const [first = '', ...others] = formatReply(item, '   ');
      return [`${indent}${index + 1})${first.slice(2)}`, ...others.map((line) => indent + line)];
    });
  }
  if (typeof reply === 'object') return formatReply(Object.entries(reply).flat(), indent);
  return String(reply)
    .split(/\r?\n/)
    .map((line) => indent + printable(line));
}

function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '\ufffd');
}
