import { need } from '../../facts/fact.js';
import { fail, type NodeCheck, notApplicable, pass } from '../check.js';
import { acl } from '../fix.js';

export const auth004: NodeCheck = {
  id: 'AUTH-004',
  title: 'The default user is enabled',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:L/A:L',
  why: 'A shared identity cannot be limited, rotated or traced; clients that forget their user name still get in.',
  passes: 'the default user is off and has no rights',
  maps: 'AUTHN',
  sources: ['STIG V-251222', 'redis-baseline a34'],
  judge(node) {
    const user = need(node.users).find((one) => one.name === 'default');
    if (!user) return pass('there is no default user');
    if (user.noPassword && user.enabled) return notApplicable('on without a password: see AUTH-002');
    if (!user.enabled) return pass('the default user is off');
    const secrets = user.passwordHashes.map((hash) => `#${hash}`);
    return fail(
      'the default user is on',
      acl(
        'default',
        ['off', 'resetpass', '-@all', 'resetkeys', 'resetchannels'],
        ['on', ...secrets, ...user.commands, ...user.keys, ...user.channels],
      ),
    );
  },
};
