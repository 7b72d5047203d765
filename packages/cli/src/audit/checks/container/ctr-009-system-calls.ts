import type { SystemCheck } from '../check.js';
import { perServer } from '../containers.js';

export const ctr009: SystemCheck = {
  id: 'CTR-009',
  title: 'System calls are not filtered',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N',
  why: 'The default profile already blocks the calls that escapes use.',
  passes: 'the default seccomp profile, or a stricter one',
  maps: 'CTR',
  sources: ['CIS Docker 5.2', 'CIS Docker 5.22'],
  judgeAll: perServer(
    ['security_opt'],
    (one) => (one.unconfined.length > 0 ? `unconfined: ${one.unconfined.join(', ')}` : undefined),
    'Remove the option that turns the profile off',
  ),
};
