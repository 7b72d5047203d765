import { need } from '../../facts/fact.js';
import { fail, type NodeCheck, pass } from '../check.js';
import { advise } from '../fix.js';
import { onlyLoopback, settingIfAny } from '../read.js';

export const auth015: NodeCheck = {
  id: 'AUTH-015',
  title: 'Password guessing is not slowed down',
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N',
  why: 'No engine locks out or delays clients after failed logins, so a program that reads ACL LOG has to do it.',
  passes: 'a monitor throttles sources of failed logins, or client certificates are required',
  maps: 'AUTHN',
  from: 'production',
  sources: ['CWE-307', 'NIST AC-7', 'PCI DSS 8.3.4'],
  judge(node, facts) {
    if (node.config.observed && settingIfAny(node, 'tls-auth-clients') === 'yes' && settingIfAny(node, 'port') === '0')
      return pass('only holders of a client certificate get as far as a password');
    if (node.config.observed && onlyLoopback(node)) return pass('listens on loopback only');
    return need(facts.operations.monitoring).throttles
      ? pass('the monitor throttles')
      : fail(
          'nothing throttles failed logins',
          advise(
            'Ban addresses that fail again and again, from ACL LOG (fail2ban, nftables), or let only holders of a client certificate in',
          ),
        );
  },
};
