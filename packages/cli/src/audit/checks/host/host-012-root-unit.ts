import type { SystemCheck } from '../check.js';
import { inFiles } from '../files.js';

export const host012: SystemCheck = {
  id: 'HOST-012',
  title: 'A deployment file starts the server with more rights than it needs',
  cvss: 'AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H',
  why: 'A vulnerability in a server that runs as root gives an attacker the machine or the container.',
  passes: 'units, recipes and values start the server as a user of its own',
  maps: 'CTR',
  from: 'production',
  sources: ['CWE-250'],
  judgeAll: inFiles('root-user', 'no file starts a server as root'),
};
