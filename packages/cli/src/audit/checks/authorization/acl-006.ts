import { roleOf } from '../../facts/dangerous-commands.js';
import { failEach, type NodeCheck } from '../check.js';
import { acl } from '../fix.js';
import { enabledUsers } from '../read.js';

export const acl006: NodeCheck = {
  id: 'ACL-006',
  title: 'A user that is no administrator reaches every key',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N',
  why: 'One application then reads and deletes the data of all others.',
  passes: 'key patterns for everyone but administrators',
  maps: 'AUTHZ',
  sources: ['STIG V-251187'],
  judge(node, facts) {
    return failEach(
      enabledUsers(node)
        .filter(
          (user) =>
            roleOf(user.name, facts.expectations.roles) !== 'admin' &&
            user.keys.some((key) => /^(~|%[RW]+~)\*$/i.test(key)),
        )
        .map((user) => ({
          about: user.name,
          evidence: `${user.name} reaches ${user.keys.join(' ')}`,
          fix: [acl(user.name, ['resetkeys', `~${user.name}:*`], ['resetkeys', ...user.keys])],
        })),
      'only administrators reach every key',
    );
  },
};
