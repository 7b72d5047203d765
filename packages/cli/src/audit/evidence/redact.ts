import type { AclLogEntry, Directive, Facts } from '../facts/facts.js';

const hidden = '<redacted>';

/** Directives whose arguments are secrets, or contain them. */
const secretDirective = /pass(word|wd)?$|^requirepass$|^masterauth$|^primaryauth$|^user$|^rename-command$|-pass$/i;
const secretArgument = /^--?(requirepass|masterauth|primaryauth|tls-\S*key-file-pass|a|pass|user)$/i;

export function redactDirective(directive: Directive): Directive {
  const { name, args } = directive;
  // `sentinel auth-pass NAME SECRET` says in its first argument what it is.
  const secret = secretDirective.test(name) || (name === 'sentinel' && secretDirective.test(args[0] ?? ''));
  return secret ? { ...directive, args: args.map(() => hidden) } : directive;
}

export function redactArguments(argv: readonly string[]): string[] {
  return argv.map((argument, index) => {
    const [, option] = argument.match(/^(--?[\w-]+)=/) ?? [];
    if (option !== undefined) return secretArgument.test(option) ? `${option}=${hidden}` : argument;
    return secretArgument.test(argv[index - 1] ?? '') ? hidden : argument;
  });
}

/** A container's command or health check; one that carries a secret is hidden whole, since a shell may have quoted it. */
function redactCommand(text: string): string {
  return text.split(/[\s"'=]+/).some((word) => secretArgument.test(word)) ? hidden : text;
}

/** Of a unit's environment only the names remain. */
function redactUnit(settings: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [
      name,
      name === 'Environment' ? value.replace(/=(?:"[^"]*"|'[^']*'|\S+)/g, `=${hidden}`) : redactCommand(value),
    ]),
  );
}

/** Names of keys and channels can be personal data. */
function redactEntry(entry: AclLogEntry): AclLogEntry {
  return entry.reason === 'key' || entry.reason === 'channel' ? { ...entry, object: hidden } : entry;
}

/**
 * The facts as text for people outside of the team: without password hashes, without arguments that carry secrets, without
 * names of keys, and without tables that only repeat what every server of the version has.
 */
export function redactedFacts(facts: Facts): string {
  const replace = (key: string, value: unknown): unknown => {
    switch (key) {
      case 'passwordHashes':
        return (value as readonly string[]).map(() => hidden);
      case 'directives':
        return (value as readonly Directive[]).map(redactDirective);
      case 'argv':
        return redactArguments(value as readonly string[]);
      case 'settings':
        return redactUnit(value as Readonly<Record<string, string>>);
      case 'healthCheck':
        return redactCommand(value as string);
      case 'command':
        return Array.isArray(value) ? [redactCommand(value.join(' '))] : value;
      case 'aclLog': {
        const fact = value as { readonly value?: readonly AclLogEntry[] };
        return fact.value ? { ...fact, value: fact.value.map(redactEntry) } : fact;
      }
      case 'cves':
        return { date: (value as Facts['cves']).date, entries: (value as Facts['cves']).entries.length };
      case 'commands': {
        const fact = value as { readonly value?: object };
        return fact.value && !Array.isArray(fact.value) ? { ...fact, value: Object.keys(fact.value) } : fact;
      }
      default:
        return value;
    }
  };
  return `${JSON.stringify(facts, replace, 2)}\n`;
}
