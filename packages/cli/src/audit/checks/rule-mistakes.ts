import { versionAtLeast } from '../../vocabulary/engines.js';
import type { AclUser } from '../facts/acl-user.js';
import { maybe, need } from '../facts/fact.js';
import type { NodeFacts } from '../facts/facts.js';
import { failEach, type NodeRule } from './check.js';
import { enabledUsers, restrict } from './read.js';

/** Ways of writing rules that give more than their author meant. */
export type RuleMistake = 'broad-categories' | 'late-grant';

const broad = /^\+@(read|write|keyspace)$/;

function mistakeOf(user: AclUser): RuleMistake | undefined {
  const denial = user.written.lastIndexOf('-@dangerous');
  const grant = user.written.findLastIndex((rule) => broad.test(rule) || rule === '+@all' || rule === '+@admin');
  if (grant === -1) return undefined;
  if (denial !== -1 && denial < grant) return 'late-grant';
  return denial === -1 && user.written.some((rule) => broad.test(rule)) && !user.written.includes('+@all')
    ? 'broad-categories'
    : undefined;
}

/**
 * The rules in the order somebody wrote them. Redis before 7.2 words the rules anew, in ACL LIST and in a file it saved:
 * there, only a file that reads otherwise was written by a person.
 */
function asWritten(user: AclUser, node: NodeFacts): AclUser | undefined {
  const files = maybe(node.files);
  const inFile = files && maybe(files.acl)?.users.find((one) => one.name === user.name);
  const engine = maybe(node.engine);
  if (engine?.name !== 'redis' || versionAtLeast(engine.version, '7.2')) return inFile ?? user;
  // The order of reworded rules is another one after every start.
  const sorted = (one: AclUser): string => [...one.written].sort().join(' ');
  return inFile && sorted(inFile) !== sorted(user) ? inFile : undefined;
}

/** A rule that no user's rules contain the mistake; `rules` take back what it gave. */
export const noMistake =
  (mistake: RuleMistake, otherwise: string, rules: readonly string[]): NodeRule =>
  (node, facts) => {
    const { powers } = need(node.permissions);
    return failEach(
      usersWith(mistake, node).map((name) => ({
        about: name,
        evidence: `${name} can run ${(powers[name] ?? []).map((one) => one.name).join(', ')}`,
        fix: need(node.users)
          .filter((user) => user.name === name)
          .flatMap((user) => restrict(user, { node, facts }, rules, user.written)),
      })),
      otherwise,
    );
  };

/** Names of the users whose rules contain the mistake and who got a dangerous command by it. */
export function usersWith(mistake: RuleMistake, node: NodeFacts): string[] {
  const { powers } = need(node.permissions);
  return enabledUsers(node)
    .filter((user) => (powers[user.name] ?? []).length > 0)
    .filter((user) => {
      const written = asWritten(user, node);
      return written !== undefined && mistakeOf(written) === mistake;
    })
    .map((user) => user.name);
}
