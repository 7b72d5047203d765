import type { DangerGroup } from 'redkeep';
import { aclRuleOf, commandsOfRole, type Power, type PowerCommand, powers } from '../../acl/powers.js';
import type { AclUser } from '../facts/acl-user.js';
import { need } from '../facts/fact.js';
import type { Facts, NodeFacts } from '../facts/facts.js';
import { failEach, type NodeRule, type Occurrence } from './check.js';
import type { FixStep } from './fix.js';
import { denials, enabledUsers, restrict, roleOf } from './read.js';

const notDeclared = 'role not declared';

interface Excess {
  readonly user: AclUser;
  readonly role: string;
  readonly commands: readonly PowerCommand[];
}

/** A rule that every user keeps to the commands of its role; `rules` take the others away, by default one by one. */
export const noExcess =
  (group: DangerGroup, otherwise: string, rules?: readonly string[]): NodeRule =>
  (node, facts) =>
    failEach(excessOf(group, node, facts, rules), otherwise);

type ExcessOccurrence = Occurrence & { readonly about: string };

/** An occurrence for each user that can run commands of the group that its role does not exist for. */
export function excessOf(
  group: DangerGroup,
  node: NodeFacts,
  facts: Facts,
  rules?: readonly string[],
): ExcessOccurrence[] {
  return excesses(node, facts, group).map((excess) => ({
    about: excess.user.name,
    evidence: describe(excess),
    fix: remedyOf(excess, node, facts, rules),
  }));
}

/** Commands of the group that a user can run and that its role does not exist for. */
function excesses(node: NodeFacts, facts: Facts, wanted: DangerGroup): Excess[] {
  const permissions = need(node.permissions);
  return enabledUsers(node).flatMap((user) => {
    const role = roleOf(user.name, node, facts);
    const fitting = role === undefined ? [] : commandsOfRole[role];
    if (fitting === 'all') return [];
    const granted = facts.expectations.granted?.[user.name] ?? [];
    const needed = facts.expectations.needed?.[user.name] ?? [];
    const commands = (permissions.powers[user.name] ?? []).filter(
      ({ name, group }) =>
        group === wanted &&
        !fitting.includes(name) &&
        !needed.includes(aclRuleOf(name)) &&
        !(group === 'scripting' && granted.includes(aclRuleOf(name))),
    );
    return commands.length > 0 ? [{ user, role: role ?? notDeclared, commands }] : [];
  });
}

/** "app (application) can run code inside the server: EVAL, FCALL; stop or block the service: KEYS". */
function describe({ user, role, commands }: Excess): string {
  const byPower = new Map<Power, string[]>();
  for (const { name, power } of commands) byPower.set(power, [...(byPower.get(power) ?? []), name]);
  const parts = [...byPower].map(([power, names]) => `${powers[power]}: ${names.join(', ')}`);
  return `${user.name} (${role}) can ${parts.join('; ')}`;
}

/** Takes away the commands that a user's role does not exist for. */
function remedyOf(
  { user, commands }: Excess,
  node: NodeFacts,
  facts: Facts,
  rules: readonly string[] = denials(commands),
): FixStep[] {
  return restrict(user, { node, facts }, rules, user.written);
}
