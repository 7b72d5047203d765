import { need } from '../../facts/fact.js';
import { fail, type NodeCheck, pass } from '../check.js';
import { advise } from '../fix.js';

export const cfg021: NodeCheck = {
  id: 'CFG-021',
  title: 'A password is visible in the process list',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N',
  why: 'Every user of the host, and every monitoring agent, reads command lines.',
  passes: 'no --requirepass, --masterauth or -a among the arguments',
  maps: 'PWD',
  sources: ['CWE-214', 'redis-baseline a1'],
  judge(node) {
    const { argv, pid } = need(node.process);
    const leaking = argv
      .filter((argument) => /^--?(requirepass|masterauth|tls-key-file-pass|user$)/.test(argument))
      .map((argument) => argument.split('=')[0]!);
    return leaking.length === 0
      ? pass('no secret among the arguments')
      : fail(
          `process ${pid} was started with ${leaking.join(', ')}`,
          advise('Put it into redis.conf (0640) or an ACL file, restart, and rotate it'),
        );
  },
};
