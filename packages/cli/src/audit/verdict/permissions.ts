import { selectorPatterns } from '../facts/acl-user.js';
import { commandsOfRole, dangerousCommands, roleOf } from '../facts/dangerous-commands.js';
import { maybe } from '../facts/fact.js';
import type { Facts } from '../facts/facts.js';
import type { UserPermissions } from './result.js';

/** Ways from one right to more, told as an attacker would use them. */
const escalations: readonly { readonly any: readonly string[]; readonly leadsTo: string }[] = [
  { any: ['ACL SETUSER'], leadsTo: 'ACL SETUSER gives this user, or a new one, every right there is' },
  {
    any: ['CONFIG SET'],
    leadsTo: 'CONFIG SET dir and dbfilename, then a save, write a file of its choice on the host (crontab, SSH key)',
  },
  { any: ['MODULE LOAD'], leadsTo: 'MODULE LOAD runs native code as the server' },
  {
    any: ['EVAL', 'EVALSHA', 'FCALL', 'FUNCTION LOAD'],
    leadsTo: 'scripting reaches the Lua interpreter, where the code-execution flaws of 2024 to 2026 are',
  },
  { any: ['RESTORE'], leadsTo: 'RESTORE feeds crafted values to the parser (memory corruption on unpatched versions)' },
  { any: ['MIGRATE'], leadsTo: 'MIGRATE sends keys to any host that the server reaches' },
  { any: ['SYNC', 'PSYNC'], leadsTo: 'SYNC copies all data, whatever the key patterns say' },
  { any: ['MONITOR'], leadsTo: 'MONITOR shows every command of every client' },
  {
    any: ['REPLICAOF', 'CLUSTER MEET'],
    leadsTo: 'REPLICAOF makes the server a copy of a rogue primary, which can feed it anything',
  },
  { any: ['SORT'], leadsTo: 'SORT with BY and GET reads keys outside of the patterns on some versions' },
];

/** What every user of every node can really do. */
export function effectivePermissions(facts: Facts): UserPermissions[] {
  return facts.nodes.flatMap((node) => {
    const allowed = maybe(node.permissions)?.allowed ?? {};
    return (maybe(node.users) ?? []).map((user) => {
      const dangerous = dangerousCommands
        .map(({ label }) => label)
        .filter((label) => allowed[user.name]?.includes(label));
      const role = roleOf(user.name, facts.expectations.roles);
      const expected = commandsOfRole[role];
      const excess = expected === 'all' ? dangerous : dangerous.filter((label) => !expected.includes(label));
      return {
        node: node.address,
        user: user.name,
        role,
        enabled: user.enabled,
        keys: [...user.keys, ...selectorPatterns(user).keys],
        channels: [...user.channels, ...selectorPatterns(user).channels],
        dangerous,
        escalations: user.enabled
          ? escalations.filter(({ any }) => any.some((label) => excess.includes(label))).map(({ leadsTo }) => leadsTo)
          : [],
      };
    });
  });
}
