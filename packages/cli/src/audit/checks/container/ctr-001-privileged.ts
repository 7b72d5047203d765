import type { SystemCheck } from '../check.js';
import { perServer } from '../containers.js';

export const ctr001: SystemCheck = {
  id: 'CTR-001',
  title: 'The container is privileged',
  cvss: 'AV:L/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H',
  why: 'A process that escapes a privileged container is root on the host.',
  passes: 'privileged is not set',
  maps: 'CTR',
  sources: ['CIS Docker 5.5'],
  judgeAll: perServer(['privileged'], (one) => (one.privileged ? 'privileged: true' : undefined), 'Remove privileged'),
};
