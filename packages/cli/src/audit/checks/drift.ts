import type { Directive } from '../facts/facts.js';
import type { Location } from '../facts/project-facts.js';

export interface Drift {
  readonly name: string;
  readonly file: string;
  readonly now: string;
  readonly at: Location;
}

const units: Readonly<Record<string, number>> = {
  b: 1,
  k: 1e3,
  kb: 1024,
  m: 1e6,
  mb: 1024 ** 2,
  g: 1e9,
  gb: 1024 ** 3,
};

/** `100mb` and `104857600`, `"a b"` and `a b` mean the same. */
function canonical(value: string): string {
  const text = value.trim().toLowerCase().replace(/\s+/g, ' ');
  const [, number, unit] = text.match(/^(\d+)([kmg]b?|b)$/) ?? [];
  return number && unit ? String(Number(number) * units[unit]!) : text;
}

// Shown by the server in another form than written, or repeated in the file.
const incomparable = [
  'notify-keyspace-events',
  'client-output-buffer-limit',
  'save',
  'dir',
  'unixsocketperm',
  'maxmemory-clients',
  'logfile',
];

/** Settings of the file that the running server has otherwise. Only settings the audit reads are compared. */
export function driftOf(directives: readonly Directive[], running: Readonly<Record<string, string>>): Drift[] {
  const last = new Map(directives.map((one) => [one.name, one]));
  return [...last.values()].flatMap(({ name, args, file, line }) => {
    const now = running[name];
    const written = args.join(' ');
    if (now === undefined || incomparable.includes(name) || canonical(now) === canonical(written)) return [];
    return [{ name, file: written, now, at: { file, line } }];
  });
}
