import { NotObserved, need } from '../../facts/fact.js';
import { fail, type NodeCheck, pass } from '../check.js';
import { acl, advise } from '../fix.js';

export const auth002: NodeCheck = {
  id: 'AUTH-002',
  title: 'The default user requires no password',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H',
  why: 'Every new connection starts as the default user. With "on nopass", anyone can connect without a password, even where requirepass shows one.',
  passes: 'the default user is off, or has a password',
  maps: 'AUTHN',
  sources: ['CWE-306'],
  judge(node) {
    const user = need(node.users).find((one) => one.name === 'default');
    if (!user) throw new NotObserved('the default user was not listed');
    if (!user.noPassword) return pass('the default user has no nopass flag');
    if (!user.enabled) return pass('nopass, but the default user is off');
    return fail(
      'the default user is on with nopass',
      advise('Make a named administrator first (ACL SETUSER admin on #<sha256> ~* &* +@all), then:'),
      acl(
        'default',
        ['off', 'resetpass', '-@all', 'resetkeys', 'resetchannels'],
        ['on', 'nopass', ...user.commands, ...user.keys, ...user.channels],
      ),
    );
  },
};
