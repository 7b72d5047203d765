import { need } from '../../facts/fact.js';
import { dragonfly, fail, type NodeCheck, pass } from '../check.js';
import { advise } from '../fix.js';

export const auth018: NodeCheck = {
  id: 'AUTH-018',
  title: 'An old password may still work after a change of requirepass',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:N',
  why: 'Dragonfly adds the new password and keeps the old one valid.',
  passes: 'the default user has one password',
  maps: 'PWD',
  engines: dragonfly,
  sources: ['CWE-613'],
  judge(node) {
    const user = need(node.users).find((one) => one.name === 'default');
    const count = user?.passwordHashes.length ?? 0;
    return count > 1
      ? fail(`the default user has ${count} passwords`, advise('ACL SETUSER default <OLD, then try the old one'))
      : pass('at most one password');
  },
};
