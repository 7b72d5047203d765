import type { NodeCheck } from '../check.js';
import { staysOff } from '../start-setting.js';

export const cfg001: NodeCheck = {
  id: 'CFG-001',
  title: 'DEBUG is enabled',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:H',
  why: 'DEBUG crashes, stalls and rewrites the server.',
  passes: 'enable-debug-command no or local',
  maps: 'CFG',
  dataOnly: true,
  engines: { redis: '7.0', valkey: '7.2' },
  sources: ['CWE-489'],
  judge: staysOff('enable-debug-command', (value) => value !== 'yes'),
};
