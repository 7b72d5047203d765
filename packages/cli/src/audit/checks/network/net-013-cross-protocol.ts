import { need } from '../../facts/fact.js';
import { fail, type NodeCheck, pass, redisAndValkey } from '../check.js';
import { advise } from '../fix.js';

export const net013: NodeCheck = {
  id: 'NET-013',
  title: 'HTTP requests were sent to the server',
  cvss: 'AV:L/AC:H/PR:L/UI:N/S:U/C:H/I:H/A:H',
  why: 'A browser or a forged server-side request reached the port: the cross-protocol guard stopped it this time.',
  passes: 'no "Possible SECURITY ATTACK detected" in the log',
  maps: 'LOG',
  engines: redisAndValkey,
  sources: ['CWE-441'],
  judge(node) {
    const { crossProtocol } = need(need(node.files).log);
    return crossProtocol === 0
      ? pass('none in the log')
      : fail(
          `${crossProtocol} times in the log`,
          advise('Find the sender in the log lines and close its way to the port'),
        );
  },
};
