import type { NodeCheck } from '../check.js';
import { noMistake } from '../rule-mistakes.js';

export const acl002: NodeCheck = {
  id: 'ACL-002',
  title: 'A user has @read and @write without -@dangerous',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:N',
  why: 'The common recipe "+@read +@write" contains FLUSHALL, KEYS, MIGRATE, RESTORE and SWAPDB.',
  passes: 'broad categories end with -@dangerous',
  maps: 'AUTHZ',
  sources: ['CWE-269'],
  judge: noMistake('broad-categories', 'no user has the recipe', ['-@dangerous', '-@scripting']),
};
