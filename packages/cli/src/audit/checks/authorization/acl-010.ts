import { failEach, type NodeCheck } from '../check.js';
import { acl } from '../fix.js';
import { excesses } from '../read.js';

export const acl010: NodeCheck = {
  id: 'ACL-010',
  title: 'A user that is no administrator can read or change users',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H',
  why: 'ACL SETUSER is every right there is: its holder gives itself the rest.',
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
      'no role but administrators can change users',
    );
  },
};
