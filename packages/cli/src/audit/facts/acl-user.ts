import { createHash } from 'node:crypto';
import { Rights, type RuleSet } from '../../acl/rights.js';
import type { ServerCommands } from '../../acl/server-commands.js';

/** One user as an ACL line describes it, read from `ACL LIST` or from an ACL file. */
export interface AclUser {
  readonly name: string;
  readonly enabled: boolean;
  readonly noPassword: boolean;
  /** SHA-256 of each password, hex; clear passwords of a file are hashed while reading and not kept. */
  readonly passwordHashes: readonly string[];
  /** Number of passwords in clear text. */
  readonly clearPasswords: number;
  /** Estimated strength in bits of the weakest clear password; absent when there is none. */
  readonly weakestBits?: number;
  readonly keys: readonly string[];
  readonly channels: readonly string[];
  /** Command rules in order, canonical: `+@all` or `-@all` first, later rules for the same name replace earlier ones. */
  readonly commands: readonly string[];
  /** Command rules as written, before anything was canonicalized. */
  readonly written: readonly string[];
  readonly selectors: readonly string[];
  readonly skipsSanitizing: boolean;
  readonly databases: readonly string[];
  readonly line?: number;
}

/** Splits an ACL line into its rules; a selector goes from a word that begins with `(` to one that ends with `)`. */
function rulesOf(text: string): string[] {
  const rules: string[] = [];
  let selector: string[] | undefined;
  for (const word of text.split(/\s+/).filter(Boolean)) {
    if (selector === undefined && !word.startsWith('(')) rules.push(word);
    else {
      selector = [...(selector ?? []), word];
      if (!word.endsWith(')')) continue;
      rules.push(selector.join(' '));
      selector = undefined;
    }
  }
  return selector === undefined ? rules : [...rules, ...selector];
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

/** Bits of strength by alphabet and length: an upper bound that is good enough to distinguish random from typed. */
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
      written.length = 0;
      selectors.length = 0;
    } else if (lower === 'skip-sanitize-payload') skipsSanitizing = true;
    else if (lower === 'sanitize-payload') skipsSanitizing = false;
    else if (rule.startsWith('>')) {
      clear.push(rule.slice(1));
      hashes.push(createHash('sha256').update(rule.slice(1)).digest('hex'));
      noPassword = false;
    } else if (rule.startsWith('#')) {
      hashes.push(lower.slice(1));
      noPassword = false;
    } else if (rule.startsWith('<')) {
      const gone = createHash('sha256').update(rule.slice(1)).digest('hex');
      hashes = hashes.filter((hash) => hash !== gone);
    } else if (rule.startsWith('!')) hashes = hashes.filter((hash) => hash !== lower.slice(1));
    else if (rule.startsWith('(')) selectors.push(rule);
    else if (lower === 'clearselectors') selectors.length = 0;
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

/** The sets of rights of a user: its own first, then those of its selectors (Redis 7.0). */
export function ruleSetsOf(user: AclUser): readonly RuleSet[] {
  const selectors = user.selectors.flatMap((text) => parseAclUser(`user selector ${text.slice(1, -1)}`) ?? []);
  return [user, ...selectors].map(({ keys, channels, written }) => ({ keys, channels, commands: written }));
}

/** Key and channel patterns of a user's selectors (Redis 7.0): each is a second set of rights beside the user's own. */
export function selectorPatterns(user: AclUser): { keys: string[]; channels: string[] } {
  const rules = user.selectors.flatMap((selector) => selector.slice(1, -1).split(/\s+/));
  return {
    keys: rules.flatMap((rule) => (rule === 'allkeys' ? ['~*'] : /^[~%]/.test(rule) ? [rule] : [])),
    channels: rules.flatMap((rule) => (rule === 'allchannels' ? ['&*'] : rule.startsWith('&') ? [rule] : [])),
  };
}

/**
 * What decides whether two descriptions give the same rights, as one comparable text per aspect. Servers before 7.2
 * report rules in words of their own, so commands are compared by what the rules allow, not by how they read.
 */
export function aclFingerprint(user: AclUser, commands: ServerCommands): Record<string, string> {
  const allowed = (set: RuleSet): string => {
    const rights = new Rights(set, commands);
    return Object.keys(commands)
      .filter((name) => commands[name]?.container === false)
      .flatMap((name) =>
        rights.permits(name) ? [name] : rights.firstArgumentsOf(name).map((first) => `${name} ${first}`),
      )
      .sort()
      .join(' ');
  };
  return {
    state: user.enabled ? 'on' : 'off',
    passwords: user.noPassword ? 'nopass' : [...user.passwordHashes].sort().join(' '),
    keys: [...user.keys].sort().join(' '),
    channels: [...user.channels].sort().join(' '),
    commands: allowed(ruleSetsOf(user)[0]!),
    selectors: ruleSetsOf(user)
      .slice(1)
      .map((set) => [...set.keys, ...set.channels, allowed(set)].sort().join(' '))
      .sort()
      .join(';'),
  };
}
