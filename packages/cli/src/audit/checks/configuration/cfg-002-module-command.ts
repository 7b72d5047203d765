import { fail, type NodeCheck, pass } from '../check.js';
import { advise, run } from '../fix.js';
import { setting } from '../read.js';

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
  judge(node) {
    const value = setting(node, 'enable-module-command');
    return value === 'no'
      ? pass('no')
      : fail(
          `enable-module-command ${value}`,
          run(
            "sed -i 's/^enable-module-command .*/enable-module-command no/' redis.conf",
            `sed -i 's/^enable-module-command .*/enable-module-command ${value}/' redis.conf`,
          ),
          advise('and restart: it cannot be changed at run time'),
        );
  },
};
