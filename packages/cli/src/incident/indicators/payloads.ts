/** Text that attackers store in keys so that the server writes it where another program runs it. */
export const payloadKinds = {
  cron: 'a line of a crontab that downloads or runs something',
  'ssh-key': 'a public key for SSH on a line of its own',
  'web-shell': 'a script for a web server that runs commands',
  program: 'a program (ELF)',
  'download-and-run': 'a download that is piped into a shell',
} as const;
export type PayloadKind = keyof typeof payloadKinds;

const cronField = String.raw`(?:\*(?:/\d+)?|[\d,*/-]+)`;
const cronTime = String.raw`(?:@(?:reboot|hourly|daily|weekly|monthly)|${cronField}(?:[ \t]+${cronField}){4})`;
const runs = String.raw`(?:curl|wget|lynx|fetch|cd1|url|bash|/bin/sh|sh|python\d?|perl|nc|ncat|socat|base64)\b|/(?:tmp|var/tmp|dev/shm|run/shm)/\S`;

const patterns: Readonly<Record<PayloadKind, RegExp>> = {
  cron: new RegExp(String.raw`(?:^|[\r\n])[ \t]*${cronTime}[ \t]+(?:[\w-]+[ \t]+)?[^\r\n]*(?:\b${runs})[^\r\n]*`),
  // Between line ends: an application that keeps public keys has them alone, not inside padding.
  'ssh-key': /[\r\n]\s*(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-nistp\d+)\s+AAAA[0-9A-Za-z+/=]{16,}[^\r\n]*[\r\n]/,
  'web-shell': /<\?php[^\r\n]*\b(?:eval|system|exec|passthru|shell_exec|popen|assert)\s*\(|<%[^\r\n]*getRuntime\(\)/i,
  program: /^\x7fELF/,
  'download-and-run': /\b(?:curl|wget)\b[^\r\n|]*https?:[^\r\n|]*\|\s*(?:sudo\s+)?(?:ba|da|z)?sh\b/,
};

export interface Payload {
  readonly kind: PayloadKind;
  /** The line that matched, printable and short: it is what the attacker wrote. */
  readonly excerpt: string;
}

/** Bytes of a value that are looked at from its start and from its end. */
export const lookedAtBytes = 256 * 1024;

/** What a value would do in a crontab, an authorized_keys file, a web root; undefined where it does nothing of these. */
export function payloadIn(value: string): Payload | undefined {
  for (const [kind, pattern] of Object.entries(patterns) as [PayloadKind, RegExp][]) {
    const found = pattern.exec(value);
    if (found) return { kind, excerpt: printable(found[0]) };
  }
  return undefined;
}

/** Elements of a list, set, hash, sorted set or stream that are looked at, from each end where it has ends. */
export const lookedAtElements = 200;

/** Code that leaves the sandbox of Lua, or tries a known fault of it. */
const escapes: readonly (readonly [RegExp, string])[] = [
  [/package\s*\.\s*(?:loadlib|loaders|searchers|cpath)|\[\s*["']loadlib["']\s*\]/, 'loads a library (CVE-2022-0543)'],
  // No script of an application has a use for it, however the rest of the name is put together.
  [/(?<![.\w'"])package\s*[.[]/, 'uses the package table (CVE-2022-0543)'],
  [/\bluaopen_(?:io|os)\b/, 'opens the library io or os (CVE-2022-0543)'],
  [/\b(?:io\s*\.\s*popen|os\s*\.\s*execute)\b/, 'runs a program'],
  [/\bunpack\s*\([^)]*,\s*\d{6,}/, 'unpacks a huge range (CVE-2025-46817)'],
  [/\bcollectgarbage\s*\(\s*["'](?:step|setpause|setstepmul)/, 'drives the garbage collector (CVE-2025-49844)'],
  [/\bsetmetatable\s*\(\s*(?:_G|string|redis|server)\b/, 'changes tables that all scripts share (CVE-2025-46818)'],
];

/** What a script or function would do beyond its sandbox. */
export function escapeIn(code: string): string | undefined {
  return escapes.find(([pattern]) => pattern.test(code))?.[1];
}

/** The lines of code that an escape is in. */
export function suspiciousLines(code: string): string[] {
  return code
    .split('\n')
    .filter((line) => escapeIn(line) !== undefined)
    .map(printable);
}

export function printable(text: string): string {
  return text
    .replace(/[\r\n]+/g, ' ')
    .replace(/[^\x20-\x7e]/g, '?')
    .trim()
    .slice(0, 160);
}
