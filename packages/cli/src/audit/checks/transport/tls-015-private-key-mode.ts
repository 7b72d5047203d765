import { need } from '../../facts/fact.js';
import { type NodeCheck, notApplicable } from '../check.js';
import { judgePrivate } from '../read.js';

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
    return key === null ? notApplicable('the server has no private key') : judgePrivate(key);
  },
};
