import { need } from '../../facts/fact.js';
import { fail, type NodeCheck, notApplicable, pass } from '../check.js';
import { chmod } from '../fix.js';
import { exceeds, octal } from '../read.js';

export const tls015: NodeCheck = {
  id: 'TLS-015',
  title: 'The private key is readable by others',
  cvss: 'AV:L/AC:L/PR:L/UI:N/S:C/C:H/I:L/A:N',
  why: 'Anyone who reads the key can impersonate the server until the certificate expires.',
  passes: 'mode 0600, or 0640 with a dedicated group',
  maps: 'PKI',
  sources: ['CWE-732', 'STIG V-251226'],
  judge(node) {
    const key = need(need(node.files).key);
    if (key === null) return notApplicable('the server has no private key');
    if (!exceeds(key.mode, 0o640)) return pass(`${key.path} is ${octal(key.mode)}`);
    return fail(`${key.path} is ${octal(key.mode)}`, chmod(key.path, 0o600, key.mode));
  },
};
