import { maybe, NotObserved, need } from '../../facts/fact.js';
import { failEach, type NodeCheck } from '../check.js';
import { acl, advise } from '../fix.js';

export const auth002: NodeCheck = {
  id: 'AUTH-002',
  title: 'A user requires no password',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H',
  why: 'Every new connection starts as the default user. With "on nopass", anyone can connect without a password, even where requirepass shows one.',
  passes: 'every enabled user has a password',
  maps: 'AUTHN',
  sources: ['CWE-306'],
  judge(node) {
    const open = maybe(node.anonymous)?.openUsers ?? [];
    if (!node.users.observed && open.length > 0)
      return failEach(
        open.map((name) => ({
          about: name,
          evidence: `${name} logs in with any password`,
          fix: [advise(`Give ${name} a password: ACL SETUSER ${name} resetpass #<sha256 of the new password>`)],
        })),
        '',
      );
    const users = need(node.users);
    if (!users.some((one) => one.name === 'default')) throw new NotObserved('the default user was not listed');
    return failEach(
      users
        .filter((user) => user.enabled && user.noPassword)
        .map((user) => ({
          about: user.name,
          evidence:
            user.name === 'default'
              ? 'the default user is on with nopass'
              : `${user.name} is on with nopass: any password logs in`,
          fix:
            user.name === 'default'
              ? [
                  advise('Make a named administrator first (ACL SETUSER admin on #<sha256> ~* &* +@all), then:'),
                  acl(
                    'default',
                    ['off', 'resetpass', '-@all', 'resetkeys', 'resetchannels'],
                    ['on', 'nopass', ...user.written, ...user.keys, ...user.channels],
                  ),
                ]
              : [
                  advise(
                    `Give ${user.name} a password: ACL SETUSER ${user.name} resetpass #<sha256 of the new password>`,
                  ),
                ],
        })),
      'every enabled user has a password',
    );
  },
};
