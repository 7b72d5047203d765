import { need } from '../../facts/fact.js';
import { failEach, type NodeCheck } from '../check.js';
import { restrict } from '../read.js';
import { usersWith } from '../rule-mistakes.js';

export const acl002: NodeCheck = {
  id: 'ACL-002',
  title: 'A user has @read and @write without -@dangerous',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:N',
  why: 'The common recipe "+@read +@write" contains FLUSHALL, KEYS, MIGRATE, RESTORE and SWAPDB.',
  passes: 'broad categories end with -@dangerous',
  maps: 'AUTHZ',
  sources: ['CWE-269'],
  judge(node, facts) {
    return failEach(
      usersWith('broad-categories', node).map((name) => ({
        about: name,
        evidence: `${name} can run ${(need(node.permissions).powers[name] ?? []).map((one) => one.name).join(', ')}`,
        fix: need(node.users)
          .filter((user) => user.name === name)
          .flatMap((user) => restrict(user, { node, facts }, ['-@dangerous', '-@scripting'], user.written)),
      })),
      'no user has the recipe',
    );
  },
};
