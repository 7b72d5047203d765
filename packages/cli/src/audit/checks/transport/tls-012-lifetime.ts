import type { NodeCheck } from '../check.js';
import { livesAtMost } from '../tls.js';

export const tls012: NodeCheck = {
  id: 'TLS-012',
  title: "The certificate's lifetime is too long",
  cvss: 'AV:N/AC:H/PR:L/UI:N/S:U/C:L/I:N/A:N',
  why: 'Redis has no certificate revocation: a stolen key works until the certificate expires.',
  passes: 'at most 398 days, 90 preferred',
  maps: 'PKI',
  judge: livesAtMost(398),
};
