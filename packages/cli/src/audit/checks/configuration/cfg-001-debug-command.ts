import { fail, type NodeCheck, pass } from '../check.js';
import { advise, run } from '../fix.js';
import { setting } from '../read.js';

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
  judge(node) {
    const value = setting(node, 'enable-debug-command');
    return value === 'yes'
      ? fail(
          'enable-debug-command yes',
          run(
            "sed -i 's/^enable-debug-command .*/enable-debug-command no/' redis.conf",
            `sed -i 's/^enable-debug-command .*/enable-debug-command ${value}/' redis.conf`,
          ),
          advise('and restart: it cannot be changed at run time'),
        )
      : pass(value);
  },
};
