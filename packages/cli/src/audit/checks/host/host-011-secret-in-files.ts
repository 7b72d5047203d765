import type { SystemCheck } from '../check.js';
import { inFiles } from '../files.js';

export const host011: SystemCheck = {
  id: 'HOST-011',
  title: 'A secret is written out in a deployment file',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N',
  why: 'Deployment files are in repositories, images and backups, and everyone who can read these has the secret.',
  passes: 'deployment files refer to secrets, and hold none',
  maps: 'PWD',
  sources: ['CWE-312', 'CWE-798'],
  effort: 'hours',
  judgeAll: inFiles('secret-in-clear', 'no secret in the deployment files'),
};
