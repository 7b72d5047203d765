import { need } from '../../facts/fact.js';
import { fail, type NodeCheck, notApplicable, pass, redisAndValkey } from '../check.js';
import { run, shellQuote } from '../fix.js';

export const auth003: NodeCheck = {
  id: 'AUTH-003',
  title: 'The ACL file has no line for the default user',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H',
  why: 'With an ACL file, requirepass is ignored. Without a "user default" line the server starts open while CONFIG GET requirepass still shows a password.',
  passes: 'the ACL file says what the default user is',
  maps: 'AUTHN',
  engines: redisAndValkey,
  sources: ['CWE-306', 'CWE-1188'],
  judge(node) {
    const file = need(need(node.files).acl);
    if (file === null) return notApplicable('no ACL file is used');
    if (file.users.some((user) => user.name === 'default')) return pass(`${file.file.path} has a "user default" line`);
    return fail(
      `${file.file.path} does not mention the default user`,
      run(
        `printf 'user default off resetpass resetkeys resetchannels -@all\\n' >> ${shellQuote(file.file.path)}`,
        `sed -i '/^user default off/d' ${shellQuote(file.file.path)}`,
      ),
    );
  },
};
