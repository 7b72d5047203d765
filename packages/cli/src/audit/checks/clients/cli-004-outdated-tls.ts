import type { SystemCheck } from '../check.js';
import { inSource } from '../source.js';

export const cli004: SystemCheck = {
  id: 'CLI-004',
  title: 'The application allows outdated TLS versions versions',
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N',
  why: 'An attacker on the network path can force TLS 1.0 or 1.1.',
  passes: 'minVersion TLSv1.2 or later',
  maps: 'CLIENT',
  sources: ['CWE-327'],
  effort: 'hours',
  judgeAll: inSource(['old-tls'], 'minVersion TLSv1.2'),
};
