import type { NodeCheck } from '../check.js';
import { noExcess } from '../excess.js';

export const acl009: NodeCheck = {
  id: 'ACL-009',
  title: 'A non-admin user can read or change the configuration',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H',
  why: "CONFIG SET dir and dbfilename write files of the attacker's choice; CONFIG GET gives passwords away.",
  passes: 'CONFIG SET, CONFIG REWRITE and MODULE LOAD for administrators only',
  maps: 'AUTHZ',
  sources: ['STIG V-251209', 'CWE-73'],
  judge: noExcess('config', 'only administrators can change the configuration'),
};
