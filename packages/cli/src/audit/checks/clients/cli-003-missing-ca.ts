import type { SystemCheck } from '../check.js';
import { inSource } from '../source.js';

export const cli003: SystemCheck = {
  id: 'CLI-003',
  title: 'The application trusts public CAs for a private server',
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N',
  why: 'Any public authority can then issue a certificate for it; with a private CA the connection fails and people turn verification off.',
  passes: 'the private CA is given',
  maps: 'CLIENT',
  sources: ['CWE-295'],
  effort: 'hours',
  judgeAll: inSource(['missing-ca'], 'tls: { ca } or caFile'),
};
