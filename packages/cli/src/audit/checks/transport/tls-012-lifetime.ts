import { fail, type NodeCheck, pass } from '../check.js';
import { advise } from '../fix.js';
import { daysBetween } from '../read.js';
import { servedTls } from '../tls.js';

export const tls012: NodeCheck = {
  id: 'TLS-012',
  title: "The certificate's lifetime is too long",
  cvss: 'AV:N/AC:H/PR:L/UI:N/S:U/C:L/I:N/A:N',
  why: 'Redis has no certificate revocation: a stolen key works until the certificate expires.',
  passes: 'at most 398 days, 90 preferred',
  maps: 'PKI',
  judge(node) {
    const [leaf] = servedTls(node).chain;
    const days = Math.round(daysBetween(leaf!.notBefore, leaf!.notAfter));
    return days <= 398
      ? pass(`${days} days`)
      : fail(
          `${days} days`,
          advise(
            'Issue certificates of at most 90 days: a stricter profile of redkeep init does, then redkeep certs renew --all',
          ),
        );
  },
};
