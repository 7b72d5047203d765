import type { NodeCheck } from '../check.js';
import { noExcess } from '../excess.js';

export const acl008: NodeCheck = {
  id: 'ACL-008',
  title: 'A user can copy all data by replication',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:N/A:N',
  why: "SYNC ignores key patterns: a user without any key received the whole data set. MONITOR shows everybody's commands.",
  passes: 'SYNC and PSYNC for replication and backup users, MONITOR for administrators',
  maps: 'AUTHZ',
  sources: ['CWE-200'],
  judge: noExcess('replication', 'only roles made for it'),
};
