import { readFile } from 'node:fs/promises';
import type { ServerCommand, ServerCommands } from './server-commands.js';

let loaded: Promise<ServerCommands> | undefined;

/**
 * The commands of Redis and Valkey as their servers described them (`data/commands.json`), for rules that are judged
 * without a server: ACL files, and servers that do not answer COMMAND.
 */
export function builtInCommands(): Promise<ServerCommands> {
  loaded ??= readFile(new URL('../../data/commands.json', import.meta.url), 'utf8').then((text) => {
    const { commands } = JSON.parse(text) as { commands: Record<string, string> };
    return Object.fromEntries(Object.entries(commands).map(([name, line]) => [name, commandOf(name, line)]));
  });
  return loaded;
}

/** `3 - admin,slow r rw?`: arity; C container, A for everybody, P names channels; categories; each key's use. */
function commandOf(name: string, line: string): ServerCommand {
  const [arity, flags = '', categories = '', ...keys] = line.split(' ');
  const end = name.lastIndexOf('|');
  return {
    arity: Number(arity),
    categories: categories === '-' ? [] : categories.split(',').map((one) => `@${one}`),
    ...(end !== -1 && { parent: name.slice(0, end) }),
    container: flags.includes('C'),
    noAuth: flags.includes('A'),
    channels: flags.includes('P'),
    keys: keys.map((use) => ({ read: use.includes('r'), write: use.includes('w'), optional: use.includes('?') })),
  };
}
