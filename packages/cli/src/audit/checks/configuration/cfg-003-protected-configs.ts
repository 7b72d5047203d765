import { fail, type NodeCheck, pass } from '../check.js';
import { advise, run } from '../fix.js';
import { setting } from '../read.js';

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
  judge(node) {
    const value = setting(node, 'enable-protected-configs');
    return value === 'no'
      ? pass('no')
      : fail(
          `enable-protected-configs ${value}`,
          run(
            "sed -i 's/^enable-protected-configs .*/enable-protected-configs no/' redis.conf",
            `sed -i 's/^enable-protected-configs .*/enable-protected-configs ${value}/' redis.conf`,
          ),
          advise('and restart: it cannot be changed at run time'),
        );
  },
};
