import { need } from '../../facts/fact.js';
import { type NodeCheck, notApplicable, pass } from '../check.js';
import { judgePrivate } from '../read.js';

export const host004: NodeCheck = {
  id: 'HOST-004',
  title: 'The ACL file is readable by others',
  cvss: 'AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N',
  why: 'Its unsalted SHA-256 hashes can be guessed offline. ACL SAVE gives a 0600 file the mode 0644 back unless the umask is 077.',
  passes: 'mode 0640 or stricter',
  maps: 'FILE',
  sources: ['CWE-732', 'STIG V-251247'],
  judge(node) {
    const acl = need(need(node.files).acl);
    if (acl === null) return notApplicable('no ACL file is used');
    // Among the sources of a deployment the mode is that of the checkout; HOST-013 looks at who reads these.
    if (node.fromFiles && acl.users.every(({ clearPasswords }) => clearPasswords === 0))
      return pass(`${acl.file.path} holds no password in clear`);
    return judgePrivate(acl.file);
  },
};
