import { fail, type NodeCheck, pass } from '../check.js';
import { advise } from '../fix.js';
import { daysBetween } from '../read.js';
import { servedTls } from '../tls.js';

export const tls020: NodeCheck = {
  id: 'TLS-020',
  title: 'A stolen key cannot be revoked quickly',
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:N/A:N',
  why: 'No engine supports CRLs or OCSP, so only short lifetimes or a new CA end the use of a stolen key.',
  passes: 'certificates of at most 90 days in the regulated profile',
  maps: 'PKI',
  from: 'regulated',
  judge(node) {
    const [leaf] = servedTls(node).chain;
    const days = Math.round(daysBetween(leaf!.notBefore, leaf!.notAfter));
    return days <= 90
      ? pass(`${days} days`)
      : fail(
          `${days} days, and no way to revoke`,
          advise(
            'Issue certificates of at most 90 days: a stricter profile of redkeep init does, then redkeep certs renew --all',
          ),
        );
  },
};
