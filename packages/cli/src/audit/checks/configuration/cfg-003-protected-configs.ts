import type { NodeCheck } from '../check.js';
import { staysOff } from '../start-setting.js';

export const cfg003: NodeCheck = {
  id: 'CFG-003',
  title: 'Protected settings can be changed at run time',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H',
  why: 'CONFIG SET dir and dbfilename are how open servers write crontabs and SSH keys.',
  passes: 'enable-protected-configs no',
  maps: 'CFG',
  dataOnly: true,
  engines: { redis: '7.0', valkey: '7.2' },
  sources: ['CWE-73'],
  judge: staysOff('enable-protected-configs'),
};
