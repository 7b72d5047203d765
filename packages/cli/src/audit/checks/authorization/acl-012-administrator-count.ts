import { fail, type NodeCheck, pass } from '../check.js';
import { advise } from '../fix.js';
import { enabledUsers } from '../read.js';

export const acl012: NodeCheck = {
  id: 'ACL-012',
  title: 'There are more than two administrators',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:L/A:N',
  why: 'Each administrator has full control of the server, so their number should be small enough to review.',
  passes: 'at most two users with every right',
  maps: 'AUTHZ',
  sources: ['PCI DSS 7.2.4'],
  judge(node) {
    const admins = enabledUsers(node).filter((user) => user.commands[0] === '+@all' && user.commands.length === 1);
    return admins.length <= 2
      ? pass(`${admins.length}: ${admins.map((user) => user.name).join(', ')}`)
      : fail(
          `${admins.length}: ${admins.map((user) => user.name).join(', ')}`,
          advise('Give each the role it needs (redkeep init --app), then take +@all away'),
        );
  },
};
