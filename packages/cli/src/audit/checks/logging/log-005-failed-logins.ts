import { need } from '../../facts/fact.js';
import { fail, type NodeCheck, pass } from '../check.js';
import { advise, run } from '../fix.js';

export const log005: NodeCheck = {
  id: 'LOG-005',
  title: 'Many logins fail',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:N',
  why: 'Someone is guessing passwords, or a client uses an old one.',
  passes: 'fewer than 20 failed logins in the last hour',
  maps: 'LOG',
  sources: ['PCI DSS 10.2.1.4'],
  judge(node) {
    const recent = need(node.aclLog).filter((entry) => entry.reason === 'auth' && entry.ageSeconds < 3600);
    const count = recent.reduce((sum, entry) => sum + entry.count, 0);
    return count < 20
      ? pass(`${count} in the last hour`)
      : fail(
          `${count} in the last hour, for ${new Set(recent.map((entry) => entry.username)).size} user names`,
          run('redis-cli ACL LOG 128', '# nothing: it only reads'),
          advise('Find the sources by the addresses in ACL LOG and ban them (AUTH-015)'),
        );
  },
};
