import type { SystemCheck } from '../check.js';
import { inSource } from '../source.js';

export const cli006: SystemCheck = {
  id: 'CLI-006',
  title: 'A credential is in the source code or is logged',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N',
  why: 'Source code is copied and logs are stored; many people can read both.',
  passes: 'credentials come from files, the environment or a secret manager',
  maps: 'CLIENT',
  sources: ['CWE-798', 'CWE-532'],
  effort: 'hours',
  judgeAll: inSource(
    ['credential', 'logged-secret'],
    'Move it out (credentialsProvider) and rotate it: it is in the history',
  ),
};
