import { need } from '../../facts/fact.js';
import { fail, pass, type SystemCheck } from '../check.js';
import { advise } from '../fix.js';

export const host006: SystemCheck = {
  id: 'HOST-006',
  title: 'Data is not encrypted on disk',
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N',
  why: 'No engine encrypts its files: a lost disk or volume snapshot is the whole data set.',
  passes: "an encrypted volume (LUKS, or the cloud's)",
  maps: 'FILE',
  from: 'production',
  effort: 'days',
  sources: ['CWE-311', 'STIG V-251242', 'CKV_AWS_29'],
  judgeAll(facts) {
    return need(need(facts.host).dataEncrypted)
      ? pass('the volume is encrypted')
      : fail('the data directory lies on an unencrypted volume', advise('Move it to a LUKS or encrypted cloud volume'));
  },
};
