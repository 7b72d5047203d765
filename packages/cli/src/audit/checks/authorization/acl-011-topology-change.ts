import type { NodeCheck } from '../check.js';
import { noExcess } from '../excess.js';

export const acl011: NodeCheck = {
  id: 'ACL-011',
  title: 'A user can change the topology',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:N',
  why: 'REPLICAOF makes the server follow a rogue primary, which can feed it any data, and on old versions a module.',
  passes: 'for administrators and Sentinel only',
  maps: 'AUTHZ',
  sources: ['CWE-284'],
  judge: noExcess('topology', 'administrators and Sentinel only'),
};
