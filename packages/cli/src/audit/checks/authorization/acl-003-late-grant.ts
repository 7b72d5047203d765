import type { NodeCheck } from '../check.js';
import { noMistake } from '../rule-mistakes.js';

export const acl003: NodeCheck = {
  id: 'ACL-003',
  title: 'A later rule gives back what an earlier one took away',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:N',
  why: 'Rules apply from left to right: "-@dangerous +@write" allows FLUSHALL again.',
  passes: 'denials come last',
  maps: 'AUTHZ',
  sources: ['CWE-269'],
  judge: noMistake('late-grant', 'denials come last', ['-@dangerous']),
};
