import { fail, type NodeCheck, pass, redisAndValkey } from '../check.js';
import { config } from '../fix.js';
import { setting } from '../read.js';

export const cfg009: NodeCheck = {
  id: 'CFG-009',
  title: 'A replica accepts writes',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:H/A:N',
  why: 'Writes to a replica are lost at the next resynchronization; CVE-2026-23631 needs a writable replica.',
  passes: 'replica-read-only yes',
  maps: 'CFG',
  dataOnly: true,
  engines: redisAndValkey,
  sources: ['CVE-2026-23631'],
  judge(node) {
    return setting(node, 'replica-read-only') === 'yes'
      ? pass('replica-read-only yes')
      : fail('replica-read-only no', config('replica-read-only', 'yes', 'no'));
  },
};
