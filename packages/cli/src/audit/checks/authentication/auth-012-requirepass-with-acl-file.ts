import { type NodeCheck, pass, redisAndValkey } from '../check.js';
import { run, shellQuote } from '../fix.js';
import { directive } from '../read.js';

export const auth012: NodeCheck = {
  id: 'AUTH-012',
  title: 'requirepass is set beside an ACL file',
  cvss: 'AV:N/AC:H/PR:L/UI:N/S:U/C:L/I:N/A:N',
  why: 'It is ignored, so it looks like a password that protects the server but has no effect.',
  passes: 'only one of the two',
  maps: 'CFG',
  engines: redisAndValkey,
  judge(node) {
    const password = directive(node, 'requirepass');
    const file = directive(node, 'aclfile');
    if (!password || !file) return pass('not both');
    return {
      status: 'fail',
      occurrences: [
        {
          evidence: 'requirepass and aclfile are both set',
          fix: [
            run(
              `sed -i.before '${password.line}d' ${shellQuote(password.file)}`,
              `mv ${shellQuote(`${password.file}.before`)} ${shellQuote(password.file)}`,
            ),
          ],
          at: { file: password.file, line: password.line },
        },
      ],
    };
  },
};
