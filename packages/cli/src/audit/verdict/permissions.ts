import { exampleOf } from '../../acl/glob.js';
import { commandsOfRole, exampleCall, powers } from '../../acl/powers.js';
import { roleOf } from '../checks/read.js';
import { selectorPatterns } from '../facts/acl-user.js';
import { maybe } from '../facts/fact.js';
import type { Facts } from '../facts/facts.js';
import type { UserPermissions } from './result.js';

/** What every user of every node can really do. */
export function effectivePermissions(facts: Facts): UserPermissions[] {
  return facts.nodes.flatMap((node) => {
    const permissions = maybe(node.permissions);
    const table = maybe(node.commands) ?? {};
    return (maybe(node.users) ?? []).map((user) => {
      const own = permissions?.powers[user.name] ?? [];
      const role = roleOf(user.name, node, facts);
      const expected = role === undefined ? [] : commandsOfRole[role];
      const excess = expected === 'all' ? [] : own.filter(({ name }) => !expected.includes(name));
      const pattern = [...user.keys, ...selectorPatterns(user).keys][0]?.replace(/^%\w+~|^~/, '');
      const key = exampleOf(pattern ?? 'x') ?? 'x';
      return {
        node: node.address,
        user: user.name,
        role: role ?? 'not declared',
        enabled: user.enabled,
        keys: [...user.keys, ...selectorPatterns(user).keys],
        channels: [...user.channels, ...selectorPatterns(user).channels],
        dangerous: own.map(({ name }) => name),
        powers: [...new Set(own.map(({ power }) => powers[power]))],
        escalations: user.enabled
          ? excess.map(({ name, harm }) => {
              const command = table[name.toLowerCase().replace(' ', '|')];
              return `${command ? exampleCall(name.toLowerCase().replace(' ', '|'), command, key) : name}: ${harm}`;
            })
          : [],
      };
    });
  });
}
