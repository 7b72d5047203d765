import { need } from '../../facts/fact.js';
import { failEach, type NodeCheck, notApplicable, redisAndValkey } from '../check.js';
import { advise, run } from '../fix.js';

export const auth007: NodeCheck = {
  id: 'AUTH-007',
  title: 'The ACL file contains cleartext passwords',
  cvss: 'AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N',
  why: 'Backups, images and editors copy the file; a hash (#sha256) at least has to be guessed, though it is unsalted.',
  passes: 'only #sha256 hashes',
  maps: 'PWD',
  engines: redisAndValkey,
  sources: ['CWE-312', 'STIG V-251223', 'redis-baseline a37'],
  judge(node) {
    const file = need(need(node.files).acl);
    if (file === null) return notApplicable('no ACL file is used');
    return failEach(
      file.users
        .filter((user) => user.clearPasswords > 0)
        .map((user) => ({
          about: user.name,
          evidence: `the password of ${user.name} is stored in clear text`,
          fix: [
            run('redis-cli ACL SAVE', '# none: the clear passwords are gone from the file, which is the point'),
            advise('writes hashes; the file is then 0644 unless the umask is 077: see HOST-004'),
          ],
          at: { file: file.file.path, line: user.line ?? 1 },
        })),
      'hashes only',
    );
  },
};
