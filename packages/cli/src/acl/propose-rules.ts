/** The least that covers what was seen. */
export interface Proposal {
  readonly count: number;
  /** In ACL notation, without the sign. */
  readonly commands: readonly string[];
  readonly keys: readonly string[];
}

/** Commands whose first argument is a subcommand. */
const containers = new Set([
  'client',
  'object',
  'xgroup',
  'xinfo',
  'memory',
  'script',
  'function',
  'cluster',
  'pubsub',
  'config',
  'acl',
  'command',
]);
/** Commands whose first argument is no key. */
const keyless = new Set([
  ...containers,
  'ping',
  'echo',
  'hello',
  'auth',
  'select',
  'info',
  'scan',
  'eval',
  'evalsha',
  'fcall',
  'multi',
  'exec',
  'discard',
  'unwatch',
  'publish',
  'subscribe',
  'psubscribe',
  'unsubscribe',
  'punsubscribe',
  'quit',
  'reset',
  'time',
  'dbsize',
  'wait',
  'readonly',
  'readwrite',
  'xread',
  'xreadgroup',
]);

/** Proposes rules from commands and their first argument: each command, each key space up to the first colon. */
export function proposeRules(seen: readonly (readonly string[])[]): Proposal {
  const commands = new Set<string>();
  const keys = new Set<string>();
  for (const [name = '', first] of seen) {
    const command = name.toLowerCase();
    commands.add(containers.has(command) && first !== undefined ? `${command}|${first.toLowerCase()}` : command);
    if (!keyless.has(command) && first !== undefined) keys.add(keySpace(first));
  }
  return { count: seen.length, commands: [...commands].sort(), keys: [...keys].sort() };
}

function keySpace(key: string): string {
  const at = key.indexOf(':');
  return at === -1 ? key.replace(/[*?[\]\\]/g, '\\$&') : `${key.slice(0, at).replace(/[*?[\]\\]/g, '\\$&')}:*`;
}
