import { Rights } from '../../../acl/rights.js';
import { ruleSetsOf } from '../../facts/acl-user.js';
import { failEach, type NodeCheck } from '../check.js';
import { advise } from '../fix.js';
import { enabledUsers, isAdministrator } from '../read.js';

export const acl006: NodeCheck = {
  id: 'ACL-006',
  title: 'A non-admin user can access every key',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N',
  why: 'One application can then read and delete the data of all others.',
  passes: 'key patterns for everyone but administrators',
  maps: 'AUTHZ',
  sources: ['STIG V-251187'],
  judge(node, facts) {
    const wide = enabledUsers(node)
      .filter((user) => !isAdministrator(user.name, node, facts))
      .flatMap((user) =>
        ruleSetsOf(user).flatMap((set, index) => {
          const rights = new Rights(set, {});
          const uses = (['read', 'write'] as const).filter((use) =>
            rights.reachesEveryKey({ read: use === 'read', write: use === 'write' }),
          );
          if (uses.length === 0) return [];
          const by = index === 0 ? '' : ` by selector ${index}`;
          return [
            {
              about: index === 0 ? user.name : `${user.name} selectors`,
              evidence: `${user.name} can ${uses.join(' and ')} every key${by}: ${set.keys.join(' ')}`,
              fix: [
                advise(
                  `Find the keys ${user.name} uses (redkeep acl learn ${user.name}), then: ACL SETUSER ${user.name} resetkeys ~PREFIX:*`,
                ),
              ],
            },
          ];
        }),
      );
    return failEach(wide, 'only administrators can access every key');
  },
};
