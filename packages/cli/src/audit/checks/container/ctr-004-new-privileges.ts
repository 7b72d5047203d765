import type { SystemCheck } from '../check.js';
import { perServer } from '../containers.js';

export const ctr004: SystemCheck = {
  id: 'CTR-004',
  title: 'Processes may gain privileges',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N',
  why: 'A setuid program in the image is a way to root.',
  passes: 'no-new-privileges',
  maps: 'CTR',
  sources: ['CIS Docker 5.26'],
  judgeAll: perServer(
    ['security_opt', 'no_new_privileges'],
    (one) => (!one.noNewPrivileges ? 'no-new-privileges is not set' : undefined),
    'security_opt: [no-new-privileges:true]',
  ),
};
