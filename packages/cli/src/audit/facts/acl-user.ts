import { createHash } from 'node:crypto';
import type { CommandCategories } from './engine-facts.js';

/** One user as an ACL line describes it, read from `ACL LIST` or from an ACL file. */
export interface AclUser {
  readonly name: string;
  readonly enabled: boolean;
  readonly noPassword: boolean;
  /** SHA-256 of each password, hex; clear passwords of a file are hashed while reading and not kept. */
  readonly passwordHashes: readonly string[];
  /** How many passwords stood in clear. */
  readonly clearPasswords: number;
  /** Estimated strength in bits of the weakest clear password; absent when there is none. */
  readonly weakestBits?: number;
  readonly keys: readonly string[];
  readonly channels: readonly string[];
  /** Command rules in order, canonical: `+@all` or `-@all` first, later rules for the same name replace earlier ones. */
  readonly commands: readonly string[];
  /** Command rules as they stood, before anything was canonicalized. */
  readonly written: readonly string[];
  readonly selectors: readonly string[];
  readonly skipsSanitizing: boolean;
  readonly databases: readonly string[];
  readonly line?: number;
}

/** Splits an ACL line into its rules, keeping a selector's parentheses together. */
function rulesOf(text: string): string[] {
  return text.match(/\([^)]*\)|\S+/g) ?? [];
}

/** Redis keeps one rule for each name: a later one replaces an earlier one and, for a whole command, its subcommands. */
function applyCommandRule(rules: readonly string[], rule: string): string[] {
  const lower = rule.toLowerCase();
  if (lower === '+@all' || lower === 'allcommands') return ['+@all'];
  if (lower === '-@all' || lower === 'nocommands') return ['-@all'];
  const name = lower.slice(1);
  const kept = rules.filter((old) => {
    const oldName = old.slice(1);
    return oldName !== name && !oldName.startsWith(`${name}|`);
  });
  return [...kept, lower];
}

/** Bits of strength by alphabet and length: an upper bound that is good enough to tell random from typed. */
export function passwordBits(password: string): number {
  const alphabets: [RegExp, number][] = [
    [/[a-z]/, 26],
    [/[A-Z]/, 26],
    [/[0-9]/, 10],
    [/[^a-zA-Z0-9]/, 30],
  ];
  const hexOnly = /^[0-9a-f]+$/i.test(password);
  const size = hexOnly ? 16 : alphabets.reduce((sum, [has, count]) => sum + (has.test(password) ? count : 0), 0);
  const distinct = new Set(password).size;
  return Math.floor(Math.min(password.length, distinct * 4) * Math.log2(Math.max(size, 1)));
}

/**
 * Reads one `user …` line (Redis 6.0+, ACL LIST or ACL file).
 * @example parseAclUser('user app on #5e88… ~app:* resetchannels -@all +get')?.keys // ['app:*']
 */
export function parseAclUser(text: string, line?: number): AclUser | undefined {
  const [keyword, name, ...rules] = rulesOf(text.trim());
  if (keyword?.toLowerCase() !== 'user' || name === undefined) return undefined;
  let enabled = false;
  let noPassword = false;
  let skipsSanitizing = false;
  let hashes: string[] = [];
  let keys: string[] = [];
  let channels: string[] = [];
  let commands: string[] = ['-@all'];
  const databases: string[] = [];
  const selectors: string[] = [];
  const written: string[] = [];
  const clear: string[] = [];
  for (const rule of rules) {
    const lower = rule.toLowerCase();
    if (lower === 'on') enabled = true;
    else if (lower === 'off') enabled = false;
    else if (lower === 'nopass') {
      noPassword = true;
      hashes = [];
    } else if (lower === 'resetpass') {
      noPassword = false;
      hashes = [];
    } else if (lower === 'reset') {
      [enabled, noPassword, hashes, keys, channels, commands] = [false, false, [], [], [], ['-@all']];
    } else if (lower === 'skip-sanitize-payload') skipsSanitizing = true;
    else if (lower === 'sanitize-payload') skipsSanitizing = false;
    else if (rule.startsWith('>')) {
      clear.push(rule.slice(1));
      hashes.push(createHash('sha256').update(rule.slice(1)).digest('hex'));
      noPassword = false;
    } else if (rule.startsWith('#')) {
      hashes.push(lower.slice(1));
      noPassword = false;
    } else if (rule.startsWith('(')) selectors.push(rule);
    else if (lower === 'allkeys') keys = ['~*'];
    else if (lower === 'resetkeys') keys = [];
    else if (rule.startsWith('~') || rule.startsWith('%')) keys.push(rule);
    else if (lower === 'allchannels') channels = ['&*'];
    else if (lower === 'resetchannels') channels = [];
    else if (rule.startsWith('&')) channels.push(rule);
    else if (lower.startsWith('db=') || lower === 'alldbs') databases.push(lower);
    else if (/^[+-]/.test(rule) || lower === 'allcommands' || lower === 'nocommands') {
      written.push(lower);
      commands = applyCommandRule(commands, rule);
    }
  }
  return {
    name,
    enabled,
    noPassword,
    passwordHashes: hashes,
    clearPasswords: clear.length,
    ...(clear.length > 0 && { weakestBits: Math.min(...clear.map(passwordBits)) }),
    keys,
    channels,
    commands,
    written,
    selectors,
    skipsSanitizing,
    databases,
    ...(line !== undefined && { line }),
  };
}

/** Key and channel patterns of a user's selectors (Redis 7.0): each is a second set of rights beside the user's own. */
export function selectorPatterns(user: AclUser): { keys: string[]; channels: string[] } {
  const rules = user.selectors.flatMap((selector) => selector.slice(1, -1).split(/\s+/));
  return {
    keys: rules.flatMap((rule) => (rule === 'allkeys' ? ['~*'] : /^[~%]/.test(rule) ? [rule] : [])),
    channels: rules.flatMap((rule) => (rule === 'allchannels' ? ['&*'] : rule.startsWith('&') ? [rule] : [])),
  };
}

/** Whether rules, applied from left to right, allow a command; the last rule that speaks about it wins. */
export function rulesAllow(rules: readonly string[], command: string, categories: readonly string[]): boolean {
  const container = command.split('|')[0];
  let allowed = false;
  for (const rule of rules) {
    const subject = rule.slice(1);
    if (subject === '@all' || subject === command || subject === container || categories.includes(subject)) {
      allowed = rule.startsWith('+');
    }
  }
  return allowed;
}

function allowedCommands(user: AclUser, commands: CommandCategories): string[] {
  return Object.entries(commands)
    .filter(([name, categories]) => rulesAllow(user.commands, name, categories))
    .map(([name]) => name);
}

/**
 * What decides whether two descriptions give the same rights, as one comparable text per aspect. Servers before 7.2
 * report rules in words of their own, so commands are compared by what the rules allow, not by how they read.
 */
export function aclFingerprint(user: AclUser, commands: CommandCategories): Record<string, string> {
  return {
    state: user.enabled ? 'on' : 'off',
    passwords: user.noPassword ? 'nopass' : [...user.passwordHashes].sort().join(' '),
    keys: [...user.keys].sort().join(' '),
    channels: [...user.channels].sort().join(' '),
    commands: allowedCommands(user, commands).join(' '),
    selectors: user.selectors
      .map((selector) => parseAclUser(`user selector ${selector.slice(1, -1)}`)!)
      .map((inner) => [inner.keys, inner.channels, allowedCommands(inner, commands)].flat().join(' '))
      .sort()
      .join(';'),
  };
}
