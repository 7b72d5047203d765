import type { NodeCheck } from '../check.js';
import { noExcess } from '../excess.js';

export const acl010: NodeCheck = {
  id: 'ACL-010',
  title: 'A non-admin user can read or change users',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H',
  why: 'A user that can run ACL SETUSER can give itself every other right.',
  passes: 'ACL changes for administrators only',
  maps: 'AUTHZ',
  sources: ['STIG V-251188'],
  judge: noExcess('acl', 'only administrators can change users', ['-acl']),
};
