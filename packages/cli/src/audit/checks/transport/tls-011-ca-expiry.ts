import { failEach, type NodeCheck, unknown } from '../check.js';
import { advise } from '../fix.js';
import { daysBetween } from '../read.js';
import { servedTls } from '../tls.js';

export const tls011: NodeCheck = {
  id: 'TLS-011',
  title: 'The certificate authority has expired or expires soon',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H',
  why: 'All certificates become invalid with it, on all machines at once; replacing it needs a period in which both CAs are trusted.',
  passes: 'more than 180 days left',
  maps: 'PKI',
  effort: 'hours',
  judge(node, facts) {
    const authorities = servedTls(node).chain.filter((one) => one.isCa);
    if (authorities.length === 0)
      return unknown('the CA is not in the chain that is served, and none was given: --ca FILE');
    const soon = authorities.filter((one) => daysBetween(facts.observedAt, one.notAfter) <= 180);
    return failEach(
      soon.map((one) => ({
        about: one.subject,
        evidence: `${one.subject} ends on ${one.notAfter.slice(0, 10)}`,
        fix: [
          advise(
            'Make a new CA, let all sides trust both (redkeep certs trust FILE), issue every certificate again (redkeep certs issue), then drop the old',
          ),
        ],
      })),
      authorities.map((one) => `${one.subject} until ${one.notAfter.slice(0, 10)}`).join(', '),
    );
  },
};
