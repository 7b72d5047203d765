import { selectorPatterns } from '../../facts/acl-user.js';
import { roleOf } from '../../facts/dangerous-commands.js';
import { failEach, type NodeCheck } from '../check.js';
import { acl } from '../fix.js';
import { enabledUsers } from '../read.js';

export const acl006: NodeCheck = {
  id: 'ACL-006',
  title: 'A non-admin user can access every key',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N',
  why: 'One application can then read and delete the data of all others.',
  passes: 'key patterns for everyone but administrators',
  maps: 'AUTHZ',
  sources: ['STIG V-251187'],
  judge(node, facts) {
    const everything = (key: string): boolean => /^(~|%[RW]+~)\*$/i.test(key);
    return failEach(
      enabledUsers(node)
        .filter((user) => roleOf(user.name, facts.expectations.roles) !== 'admin')
        .flatMap((user) => [
          ...(user.keys.some(everything)
            ? [
                {
                  about: user.name,
                  evidence: `${user.name} reaches ${user.keys.join(' ')}`,
                  fix: [acl(user.name, ['resetkeys', `~${user.name}:*`], ['resetkeys', ...user.keys])],
                },
              ]
            : []),
          ...(selectorPatterns(user).keys.some(everything)
            ? [
                {
                  about: `${user.name} selectors`,
                  evidence: `${user.name} reaches every key by a selector: ${user.selectors.join(' ')}`,
                  fix: [acl(user.name, ['clearselectors'], user.selectors)],
                },
              ]
            : []),
        ]),
      'only administrators can access every key',
    );
  },
};
