/**
 * One step of a remedy. The first three can be applied and undone by `audit --fix`; `run` is printed for the operator;
 * `advise` is what no command does.
 */
export type FixStep =
  | { readonly kind: 'config'; readonly name: string; readonly value: string; readonly was?: string }
  | {
      readonly kind: 'acl';
      readonly user: string;
      readonly rules: readonly string[];
      readonly undo?: readonly string[];
    }
  | { readonly kind: 'chmod'; readonly path: string; readonly mode: number; readonly was: number }
  /** `undo` is a command, or `# ` and the reason why there is none. */
  | { readonly kind: 'run'; readonly command: string; readonly undo: string }
  | { readonly kind: 'advise'; readonly text: string };

export interface PrintedFix {
  readonly command: string;
  /** What takes it back, or `# ` and why nothing does; absent where the step is advice. */
  readonly rollback?: string;
  readonly automatic: boolean;
}

export function config(name: string, value: string, was?: string): FixStep {
  return { kind: 'config', name, value, ...(was !== undefined && { was }) };
}

export function acl(user: string, rules: readonly string[], undo?: readonly string[]): FixStep {
  return { kind: 'acl', user, rules, ...(undo && { undo }) };
}

export function chmod(path: string, mode: number, was: number): FixStep {
  return { kind: 'chmod', path, mode, was };
}

export function run(command: string, undo: string): FixStep {
  return { kind: 'run', command, undo };
}

export function advise(text: string): FixStep {
  return { kind: 'advise', text };
}

/**
 * A new password for a user without a moment in which neither works: beside the old one, then instead of it. Only its
 * SHA-256 in a command; 64 lower-case hex digits.
 */
export function newPassword(user: string): FixStep[] {
  const setUser = `redis-cli ACL SETUSER ${shellQuote(user)}`;
  return [
    run(`${setUser} '#<sha256 of the new password>'`, `${setUser} '!<sha256 of the new password>'`),
    advise(
      'Move the clients to it, then take the old one away: ACL SETUSER USER !<sha256 of the old>, CLIENT KILL USER USER',
    ),
  ];
}

/** Quotes for a POSIX shell where it has to be. */
export function shellQuote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

const octal = (mode: number): string => `0${mode.toString(8).padStart(3, '0')}`;

/** Password hashes are unsalted: a report that travels must not carry them. */
function withoutHashes(rule: string): string {
  return /^[#!][0-9a-f]{64}$/.test(rule) ? `${rule[0]}<its hash>` : rule;
}

/** `redis-cli` as it reaches the server, wherever a command names it. */
function reaching(command: string, options: readonly string[]): string {
  const text = ['redis-cli', ...options.map(shellQuote)].join(' ');
  return options.length === 0
    ? command
    : command.replace(/(^|; |&& |\| )redis-cli(?= )/g, (_, before: string) => before + text);
}

/** The step as the operator would type it; `options` say how redis-cli reaches the server. */
export function printFix(step: FixStep, options: readonly string[] = []): PrintedFix {
  const { command, rollback, automatic } = printStep(step);
  return {
    command: reaching(command, options),
    ...(rollback !== undefined && { rollback: reaching(rollback, options) }),
    automatic,
  };
}

function printStep(step: FixStep): PrintedFix {
  switch (step.kind) {
    case 'config':
      return {
        command: `redis-cli CONFIG SET ${step.name} ${shellQuote(step.value)}`,
        rollback:
          step.was === undefined
            ? `# not known: the server did not report ${step.name}; note it before (CONFIG GET ${step.name})`
            : `redis-cli CONFIG SET ${step.name} ${shellQuote(step.was)}`,
        automatic: step.was !== undefined,
      };
    case 'acl':
      return {
        command: `redis-cli ACL SETUSER ${[step.user, ...step.rules].map(withoutHashes).map(shellQuote).join(' ')}`,
        rollback: step.undo
          ? `redis-cli ACL SETUSER ${[step.user, ...step.undo].map(withoutHashes).map(shellQuote).join(' ')}`
          : '# not known: note the line of ACL LIST before',
        automatic: step.undo !== undefined,
      };
    case 'chmod':
      return {
        command: `chmod ${octal(step.mode)} ${shellQuote(step.path)}`,
        rollback: `chmod ${octal(step.was)} ${shellQuote(step.path)}`,
        automatic: true,
      };
    case 'run':
      return { command: step.command, rollback: step.undo, automatic: false };
    case 'advise':
      return { command: `# ${step.text}`, automatic: false };
  }
}
