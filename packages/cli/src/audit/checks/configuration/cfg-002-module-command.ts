import type { NodeCheck } from '../check.js';
import { staysOff } from '../start-setting.js';

export const cfg002: NodeCheck = {
  id: 'CFG-002',
  title: 'Modules can be loaded at run time',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H',
  why: "MODULE LOAD runs native code of the attacker's choice as the server.",
  passes: 'enable-module-command no',
  maps: 'CFG',
  dataOnly: true,
  engines: { redis: '7.0', valkey: '7.2' },
  sources: ['CWE-114', 'STIG V-251208'],
  judge: staysOff('enable-module-command'),
};
