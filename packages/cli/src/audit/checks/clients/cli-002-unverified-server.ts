import type { SystemCheck } from '../check.js';
import { inSource } from '../source.js';

export const cli002: SystemCheck = {
  id: 'CLI-002',
  title: 'The application does not verify the server',
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:N',
  why: 'TLS without verification does not protect against an attacker on the network path.',
  passes: 'chain and name are always verified',
  maps: 'CLIENT',
  sources: ['CWE-295'],
  effort: 'hours',
  judgeAll: inSource(['unverified-tls'], 'Remove it and give the CA: tls: { caFile }', 'unverified-tls'),
};
