/** One command as MONITOR shows it. */
export interface MonitoredCommand {
  /** `address:port` of the client; `lua` for what a script or function runs, in its lines after the caller's. */
  readonly client: string;
  readonly args: readonly string[];
}

/** Reads `1339518083.107412 [0 127.0.0.1:60866] "SET" "k" "v"`; undefined for anything else. */
export function parseMonitorLine(line: string): MonitoredCommand | undefined {
  const match = /^\+?\d+\.\d+ \[\d+ (\S+)\] (.*)$/.exec(line);
  if (!match) return undefined;
  const args = [...match[2]!.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text]) => decodeEscapes(text!));
  return args.length > 0 ? { client: match[1]!, args } : undefined;
}

const named: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', a: '\u0007', b: '\b' };

function decodeEscapes(text: string): string {
  return text.replace(/\\(?:x([0-9a-f]{2})|(.))/g, (_, hex: string | undefined, char: string) =>
    hex === undefined ? (named[char] ?? char) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
