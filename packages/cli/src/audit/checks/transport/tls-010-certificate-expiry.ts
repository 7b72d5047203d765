import { NotObserved } from '../../facts/fact.js';
import { fail, type NodeCheck, pass } from '../check.js';
import { run } from '../fix.js';
import { daysBetween } from '../read.js';
import { servedTls } from '../tls.js';

export const tls010: NodeCheck = {
  id: 'TLS-010',
  title: 'The server certificate has expired or expires soon',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H',
  why: 'On that day every client that verifies certificates stops, and the quick workaround is to turn verification off.',
  passes: 'more than 30 days left and already valid (a third of its lifetime for one that lives less than 90 days)',
  maps: 'PKI',
  sources: ['CWE-298'],
  judge(node, facts) {
    const [leaf] = servedTls(node).chain;
    if (!leaf) throw new NotObserved('no certificate was served');
    const left = Math.floor(daysBetween(facts.observedAt, leaf.notAfter));
    const lifetime = daysBetween(leaf.notBefore, leaf.notAfter);
    if (daysBetween(facts.observedAt, leaf.notBefore) > 0)
      return fail(
        `not valid before ${leaf.notBefore}`,
        run('redkeep certs renew', '# none: put the old files back from your backup of the pki folder'),
      );
    if (left > Math.min(30, lifetime / 3)) return pass(`${left} days left (${leaf.notAfter})`);
    return fail(
      left < 0 ? `expired on ${leaf.notAfter}` : `${left} days left (${leaf.notAfter})`,
      run('redkeep certs renew', '# none: put the old files back from your backup of the pki folder'),
    );
  },
};
