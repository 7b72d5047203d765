import type { RedisClient } from 'redkeep';
import { isLeftBehind, isProbe, probeName } from './probe-user.js';

export interface AclDifference {
  readonly user: string;
  readonly kind: 'missing' | 'unexpected' | 'different';
  /** In the server's own notation, password hashes shortened. */
  readonly file?: string;
  readonly running?: string;
}

/** `user NAME rules…` lines by name, as ACL LIST and ACL files have them. */
export function readAclLines(text: string): Map<string, string[]> {
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/));
  return new Map(
    lines.flatMap(([keyword, name, ...rules]) =>
      // Defaults of every user; some servers print them, some do not.
      keyword === 'user' && name ? [[name, rules.filter((rule) => rule !== 'sanitize-payload')] as const] : [],
    ),
  );
}

/**
 * Compares the users of an ACL file with those a server runs with. Servers write rules in a notation of their own
 * (Redis 7.0 even chooses other categories), so the server itself translates the file's rules: they are given to a
 * user that is off, read back and removed; one that a killed run left behind is removed as well. Needs an administrator.
 */
export async function findDrift(admin: RedisClient, aclFile: string): Promise<AclDifference[]> {
  const file = readAclLines(aclFile);
  const running = readAclLines(((await admin.sendCommand(['ACL', 'LIST'])) as unknown as string[]).join('\n'));
  const probe = probeName();
  const differences: AclDifference[] = [];
  try {
    for (const [user, rules] of file) {
      const expected = await translate(admin, probe, rules);
      const actual = running.get(user)?.join(' ');
      if (actual === undefined) differences.push({ user, kind: 'missing', file: shorten(expected) });
      else if (!sameRules(actual, expected)) {
        differences.push({ user, kind: 'different', file: shorten(expected), running: shorten(actual) });
      }
    }
  } finally {
    await admin.sendCommand(['ACL', 'DELUSER', probe]);
  }
  for (const [user, rules] of running) {
    // Of another run's question, or left behind by one that was killed. Nobody can log in as a user that is off.
    if (isProbe(user) && rules.includes('off')) {
      if (isLeftBehind(user)) await admin.sendCommand(['ACL', 'DELUSER', user]);
      continue;
    }
    if (!file.has(user)) differences.push({ user, kind: 'unexpected', running: shorten(rules.join(' ')) });
  }
  return differences;
}

/**
 * Whether two lists of rules in a server's notation mean the same. Flags, passwords, patterns and selectors are sets; of
 * commands, only the order between what is granted and what is denied matters.
 */
export function sameRules(left: string, right: string): boolean {
  return canonical(left) === canonical(right);
}

function canonical(rules: string): string {
  const words = rules.match(/\([^)]*\)|\S+/g) ?? [];
  const rest = new Set<string>();
  const runs: { sign: string; rules: Set<string> }[] = [];
  for (const word of words) {
    const sign = word[0]!;
    if (sign === '(') rest.add(`(${canonical(word.slice(1, -1))})`);
    else if (sign !== '+' && sign !== '-') rest.add(word);
    else if (runs.at(-1)?.sign === sign) runs.at(-1)!.rules.add(word);
    else runs.push({ sign, rules: new Set([word]) });
  }
  return [...[...rest].sort(), ...runs.flatMap((run) => [...run.rules].sort())].join(' ');
}

/** The names of users whose rules mean something else in the second file, or that only one of the two has. */
export async function unlikeUsers(
  admin: RedisClient,
  first: ReadonlyMap<string, readonly string[]>,
  second: ReadonlyMap<string, readonly string[]>,
): Promise<string[]> {
  const probe = probeName();
  const unlike: string[] = [];
  try {
    for (const user of new Set([...first.keys(), ...second.keys()])) {
      const [a, b] = [first.get(user), second.get(user)];
      if (a?.join(' ') === b?.join(' ')) continue;
      if (!a || !b || !sameRules(await translate(admin, probe, a), await translate(admin, probe, b))) unlike.push(user);
    }
  } finally {
    await admin.sendCommand(['ACL', 'DELUSER', probe]);
  }
  return unlike;
}

async function translate(admin: RedisClient, probe: string, rules: readonly string[]): Promise<string> {
  const enabled = rules.includes('on');
  await admin.sendCommand(['ACL', 'SETUSER', probe, 'reset', ...rules.filter((rule) => rule !== 'on'), 'off']);
  const lines = readAclLines(((await admin.sendCommand(['ACL', 'LIST'])) as unknown as string[]).join('\n'));
  const translated = lines.get(probe) ?? [];
  return translated.map((rule) => (rule === 'off' && enabled ? 'on' : rule)).join(' ');
}

function shorten(rules: string): string {
  return rules.replace(/#([0-9a-f]{6})[0-9a-f]{58}/g, '#$1…');
}
