/**
 * The few parts of RESP that testing itself needs. Deliberately small, slow and separate from the client's protocol
 * code: a test that used the client's own decoder to judge the client would agree with its mistakes.
 */

/** An error reply (`-ERR …`), given as a value: a test often wants to look at it. */
export class RawError extends Error {
  override readonly name = 'RawError';
}

export type RawReply = string | number | boolean | null | RawError | RawReply[];

/** A value and the offset of the byte after it; undefined while bytes are missing. */
export type Parsed<T> = { readonly value: T; readonly end: number } | undefined;

/** One command as a client sends it: an array of bulk strings. */
export function encodeRequest(args: readonly (string | Buffer)[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${args.length}\r\n`)];
  for (const arg of args) {
    const bytes = typeof arg === 'string' ? Buffer.from(arg) : arg;
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'));
  }
  return Buffer.concat(parts);
}

/** Reads one command from what a client sent, with its arguments as bytes. */
export function parseRequest(bytes: Buffer, start = 0): Parsed<Buffer[]> {
  const head = parseLine(bytes, start);
  if (!head) return undefined;
  if (!/^\*\d+$/.test(head.value)) throw new Error(`Not a RESP command: ${JSON.stringify(head.value)}`);
  const args: Buffer[] = [];
  let offset = head.end;
  for (let left = Number(head.value.slice(1)); left > 0; left--) {
    const length = parseLine(bytes, offset);
    if (!length) return undefined;
    if (!/^\$\d+$/.test(length.value)) throw new Error(`Not a bulk string: ${JSON.stringify(length.value)}`);
    const end = length.end + Number(length.value.slice(1));
    if (bytes.length < end + 2) return undefined;
    args.push(bytes.subarray(length.end, end));
    offset = end + 2;
  }
  return { value: args, end: offset };
}

/** Reads one RESP2 or RESP3 reply. Maps, sets and pushes come as flat arrays, doubles and big numbers as text. */
export function parseReply(bytes: Buffer, start = 0): Parsed<RawReply> {
  const line = parseLine(bytes, start);
  if (!line) return undefined;
  const text = line.value.slice(1);
  const done = (value: RawReply): Parsed<RawReply> => ({ value, end: line.end });
  switch (line.value[0]) {
    case '+':
    case ',':
    case '(':
      return done(text);
    case '-':
      return done(new RawError(text));
    case ':':
      return done(Number(text));
    case '#':
      return done(text === 't');
    case '_':
      return done(null);
    case '$':
    case '=':
    case '!': {
      if (text === '-1') return done(null);
      const end = line.end + Number(text);
      if (bytes.length < end + 2) return undefined;
      const content = bytes.toString('utf8', line.end, end);
      if (line.value[0] === '!') return { value: new RawError(content), end: end + 2 };
      return { value: line.value[0] === '=' ? content.slice(4) : content, end: end + 2 };
    }
    case '*':
    case '~':
    case '>':
      return text === '-1' ? done(null) : parseElements(bytes, line.end, Number(text));
    case '%':
      return parseElements(bytes, line.end, Number(text) * 2);
    default:
      throw new Error(`Not a RESP reply: ${JSON.stringify(line.value.slice(0, 80))}`);
  }
}

function parseElements(bytes: Buffer, start: number, count: number): Parsed<RawReply> {
  const elements: RawReply[] = [];
  let offset = start;
  for (let left = count; left > 0; left--) {
    const element = parseReply(bytes, offset);
    if (!element) return undefined;
    elements.push(element.value);
    offset = element.end;
  }
  return { value: elements, end: offset };
}

function parseLine(bytes: Buffer, start: number): Parsed<string> {
  const end = bytes.indexOf('\r\n', start);
  return end < 0 ? undefined : { value: bytes.toString('utf8', start, end), end: end + 2 };
}
