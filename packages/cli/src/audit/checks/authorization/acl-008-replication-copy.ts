import { failEach, type NodeCheck } from '../check.js';
import { describeExcess, excesses, remedyOf } from '../read.js';

export const acl008: NodeCheck = {
  id: 'ACL-008',
  title: 'A user can copy all data by replication',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:N/A:N',
  why: "SYNC ignores key patterns: a user without any key received the whole data set. MONITOR shows everybody's commands.",
  passes: 'SYNC and PSYNC for replication and backup users, MONITOR for administrators',
  maps: 'AUTHZ',
  sources: ['CWE-200'],
  judge(node, facts) {
    return failEach(
      excesses(node, facts, 'replication').map((excess) => ({
        about: excess.user.name,
        evidence: describeExcess(excess),
        fix: remedyOf(excess, node, facts),
      })),
      'only roles made for it',
    );
  },
};
