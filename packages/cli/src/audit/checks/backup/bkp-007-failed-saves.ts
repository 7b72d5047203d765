import { failEach, type NodeCheck, redisAndValkey } from '../check.js';
import { advise, config } from '../fix.js';
import { setting, settingIfAny } from '../read.js';

export const bkp007: NodeCheck = {
  id: 'BKP-007',
  title: 'Failed saves go unnoticed',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:L/A:N',
  why: 'The server keeps accepting writes that it cannot save, or saves without a checksum.',
  passes: 'stop-writes-on-bgsave-error yes, rdbchecksum yes',
  maps: 'BKP',
  dataOnly: true,
  engines: redisAndValkey,
  judge(node) {
    const stops = setting(node, 'stop-writes-on-bgsave-error');
    const sums = settingIfAny(node, 'rdbchecksum') ?? 'yes';
    return failEach(
      [
        ...(stops === 'yes'
          ? []
          : [
              {
                about: 'stop-writes',
                evidence: 'stop-writes-on-bgsave-error no',
                fix: [config('stop-writes-on-bgsave-error', 'yes', 'no')],
              },
            ]),
        ...(sums === 'yes'
          ? []
          : [
              {
                about: 'rdbchecksum',
                evidence: 'rdbchecksum no',
                fix: [advise('rdbchecksum yes in the configuration, and restart')],
              },
            ]),
      ],
      'both on',
    );
  },
};
