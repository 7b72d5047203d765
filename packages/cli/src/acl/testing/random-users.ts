import type { Random } from '@redkeep/testing';
import type { ServerCommands } from '../server-commands.js';

const keyPatterns = [
  ...['*', '**', '?*', '*?', 'app:*', 'app:?', 'a[bp]p:*', '[^a]*', '[a-z]*', 'session:*', 'x', 'shared:*:v1', 'a\\*b'],
  ...['*:1', '[a-m]*', '[^a-m]*', 'user:[0-9]*', 'k[x-', '\\[x\\]*'],
];
const channelPatterns = ['*', '**', 'news:*', 'a?', '__sentinel__:hello', '[a-c]*'];

function pick<T>(random: Random, from: readonly T[]): T {
  return from[random(from.length)]!;
}

/** Rules made at random: categories, commands, subcommands, first arguments, patterns; many of them foolish. */
function rulesAt(random: Random, commands: ServerCommands, selectors: boolean): string[] {
  const names = Object.keys(commands);
  const leaves = names.filter((name) => !commands[name]!.container && commands[name]!.parent === undefined);
  const categories = [...new Set(Object.values(commands).flatMap((command) => command.categories))];
  const sign = () => (random(3) === 0 ? '-' : '+');
  const commandRule = (): string => {
    switch (random(10)) {
      case 0:
        return random(3) === 0 ? '+@all' : '-@all';
      case 1:
      case 2:
      case 3:
        return `${sign()}${pick(random, categories)}`;
      case 4:
        return `+${pick(random, leaves)}|first`;
      default:
        return `${sign()}${pick(random, names)}`;
    }
  };
  const access = () => pick(random, ['~', '~', '%R~', '%W~', '%RW~']);
  const many = <T>(most: number, make: () => T): T[] => Array.from({ length: random(most + 1) }, make);
  const keys = random(4) === 0 ? ['~*'] : many(3, () => `${access()}${pick(random, keyPatterns)}`);
  const channels = random(4) === 0 ? ['&*'] : many(2, () => `&${pick(random, channelPatterns)}`);
  const own = ['resetchannels', ...keys, ...channels, ...many(12, commandRule)];
  if (!selectors || random(3) > 0) return own;
  const inner = () =>
    `(${rulesAt(random, commands, false)
      .filter((rule) => rule !== 'resetchannels')
      .join(' ')})`;
  return [...own, ...many(2, inner).filter((text) => text !== '()')];
}

/** Rules of one user, some of which the server may refuse. */
export function randomRules(random: Random, commands: ServerCommands): string[] {
  return rulesAt(random, commands, true);
}
