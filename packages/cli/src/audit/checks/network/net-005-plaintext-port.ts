import { need } from '../../facts/fact.js';
import { fail, type NodeCheck, pass } from '../check.js';
import { advise, config } from '../fix.js';
import { onlyLoopback } from '../read.js';

export const net005: NodeCheck = {
  id: 'NET-005',
  title: 'A port accepts plaintext connections',
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:N',
  why: 'Anyone on the network path can read and change passwords and data.',
  passes: 'the plaintext port is closed (port 0)',
  maps: 'TLS',
  sources: ['CWE-319', 'STIG V-251248', 'redis-baseline a56'],
  effort: 'hours',
  judge(node, facts) {
    const probe = need(node.plaintext);
    if (!probe.plaintext) return pass(`port ${probe.port} does not answer in clear`);
    const local = node.config.observed && onlyLoopback(node);
    if (local && facts.expectations.profile === 'development')
      return pass(`port ${probe.port} speaks in clear, on loopback only`);
    return fail(
      `port ${probe.port} answers in clear${local ? ' (on loopback)' : ''}`,
      advise('Give clients the TLS address first, then:'),
      config('port', '0', String(probe.port)),
    );
  },
};
