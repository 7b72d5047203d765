import type { AclUser } from '../facts/acl-user.js';
import { maybe, need } from '../facts/fact.js';
import type { NodeFacts } from '../facts/facts.js';
import { enabledUsers } from './read.js';

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

/** Names of the users whose rules contain the mistake and who got a dangerous command by it. */
export function usersWith(mistake: RuleMistake, node: NodeFacts): string[] {
  const { allowed } = need(node.permissions);
  // The file shows the order somebody wrote; the server may already have folded it.
  const written = (maybe(node.files)?.acl.observed && need(need(node.files).acl)?.users) || [];
  return enabledUsers(node)
    .filter((user) => (allowed[user.name] ?? []).length > 0)
    .filter((user) =>
      [user, ...written.filter((one) => one.name === user.name)].some((one) => mistakeOf(one) === mistake),
    )
    .map((user) => user.name);
}
