/** What a user was seen to do, gathered command by command; holds no value. */
export class Observation {
  count = 0;
  readonly commands = new Set<string>();
  /** Key spaces, and whether anything but reads touched them. */
  readonly spaces = new Map<string, 'read' | 'write'>();
  readonly channels = new Set<string>();

  add(
    args: readonly string[],
    touched: { readonly keys: readonly string[]; readonly readOnly: boolean },
    times = 1,
  ): void {
    const command = (args[0] ?? '').toLowerCase();
    this.count += times;
    this.commands.add(commandName(args));
    for (const channel of channelsOf(command, args)) this.channels.add(spaceOf(channel));
    for (const key of touched.keys) {
      const space = spaceOf(key);
      if (!touched.readOnly || !this.spaces.has(space)) this.spaces.set(space, touched.readOnly ? 'read' : 'write');
    }
  }

  merge(other: Observation): void {
    this.count += other.count;
    for (const command of other.commands) this.commands.add(command);
    for (const channel of other.channels) this.channels.add(channel);
    for (const [space, access] of other.spaces) {
      if (access === 'write' || !this.spaces.has(space)) this.spaces.set(space, access);
    }
  }
}

/** Commands whose first argument is a subcommand. */
const containers = new Set([
  ...['client', 'object', 'xgroup', 'xinfo', 'memory', 'script', 'function', 'cluster', 'pubsub', 'config', 'acl'],
  ...['command', 'slowlog', 'latency', 'module'],
]);

/** `get` or `config|get`, as ACL rules and the server's counters name a command. */
export function commandName([name = '', sub]: readonly string[]): string {
  const command = name.toLowerCase();
  return containers.has(command) && sub !== undefined ? `${command}|${sub.toLowerCase()}` : command;
}

function channelsOf(command: string, args: readonly string[]): readonly string[] {
  if (command === 'publish' || command === 'spublish') return args.slice(1, 2);
  return ['subscribe', 'psubscribe', 'ssubscribe'].includes(command) ? args.slice(1) : [];
}

/** Up to the first colon, as key spaces are customarily named; a name without one stands for itself. */
function spaceOf(key: string): string {
  const at = key.indexOf(':');
  const literal = (text: string) => text.replace(/[*?[\]\\]/g, '\\$&');
  return at === -1 ? literal(key) : `${literal(key.slice(0, at))}:*`;
}

/** The rules that cover what was seen, in ACL notation. `readPatterns`: whether the server knows `%R~` (7.0). */
export function rulesFor(observation: Observation, readPatterns: boolean): string[] {
  const keys = [...observation.spaces].map(([space, access]) =>
    access === 'read' && readPatterns ? `%R~${space}` : `~${space}`,
  );
  return [
    ...keys.sort(),
    ...[...observation.channels].sort().map((channel) => `&${channel}`),
    '-@all',
    ...[...observation.commands].sort().map((command) => `+${command}`),
  ];
}
