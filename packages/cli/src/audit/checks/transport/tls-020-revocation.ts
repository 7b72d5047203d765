import type { NodeCheck } from '../check.js';
import { livesAtMost } from '../tls.js';

export const tls020: NodeCheck = {
  id: 'TLS-020',
  title: 'A stolen key cannot be revoked quickly',
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:N/A:N',
  why: 'No engine supports CRLs or OCSP, so only short lifetimes or a new CA end the use of a stolen key.',
  passes: 'certificates of at most 90 days in the regulated profile',
  maps: 'PKI',
  from: 'regulated',
  judge: livesAtMost(90, ', and no way to revoke'),
};
