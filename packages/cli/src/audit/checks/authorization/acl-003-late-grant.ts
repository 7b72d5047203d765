import { need } from '../../facts/fact.js';
import { failEach, type NodeCheck } from '../check.js';
import { restrict } from '../read.js';
import { usersWith } from '../rule-mistakes.js';

export const acl003: NodeCheck = {
  id: 'ACL-003',
  title: 'A later rule gives back what an earlier one took away',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:N',
  why: 'Rules apply from left to right: "-@dangerous +@write" allows FLUSHALL again.',
  passes: 'denials come last',
  maps: 'AUTHZ',
  sources: ['CWE-269'],
  judge(node, facts) {
    return failEach(
      usersWith('late-grant', node).map((name) => ({
        about: name,
        evidence: `${name} can run ${(need(node.permissions).powers[name] ?? []).map((one) => one.name).join(', ')}`,
        fix: need(node.users)
          .filter((user) => user.name === name)
          .flatMap((user) => restrict(user, { node, facts }, ['-@dangerous'], user.written)),
      })),
      'denials come last',
    );
  },
};
