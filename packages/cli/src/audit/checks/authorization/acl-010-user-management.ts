import { failEach, type NodeCheck } from '../check.js';
import { acl } from '../fix.js';
import { excesses } from '../read.js';

export const acl010: NodeCheck = {
  id: 'ACL-010',
  title: 'A non-admin user can read or change users',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H',
  why: 'A user that can run ACL SETUSER can give itself every other right.',
  passes: 'ACL changes for administrators only',
  maps: 'AUTHZ',
  sources: ['STIG V-251188'],
  judge(node, facts) {
    return failEach(
      excesses(node, facts, 'acl').map(({ user, role, commands }) => ({
        about: user.name,
        evidence: `${user.name} (${role}) can run ${commands.join(', ')}`,
        fix: [acl(user.name, ['-acl'], user.written)],
      })),
      'only administrators can change users',
    );
  },
};
