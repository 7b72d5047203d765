import type { SystemCheck } from '../check.js';
import { perServer } from '../containers.js';

export const ctr003: SystemCheck = {
  id: 'CTR-003',
  title: 'The root file system is writable',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:L/A:N',
  why: 'An intruder keeps tools there; the server writes to its volume only.',
  passes: 'read_only true, with a volume for the data',
  maps: 'CTR',
  sources: ['CIS Docker 5.13'],
  judgeAll: perServer(
    ['read_only'],
    (one) => (!one.readOnlyRoot ? 'the root file system is writable' : undefined),
    'read_only: true',
  ),
};
