import { need } from '../../facts/fact.js';
import { failEach, type NodeCheck } from '../check.js';
import { advise } from '../fix.js';

export const bkp008: NodeCheck = {
  id: 'BKP-008',
  title: 'Keys have no expiry',
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:N/A:N',
  why: 'Personal data may be kept only as long as it is needed.',
  passes: 'every sampled key has an expiry, where personal data is declared',
  maps: 'FILE',
  dataOnly: true,
  from: 'regulated',
  sources: ['GDPR 5(1)(e)'],
  judge(node) {
    const lasting = Object.entries(need(node.keySample)).filter(([, share]) => share > 0);
    return failEach(
      lasting.map(([prefix, share]) => ({
        about: prefix,
        evidence: `${prefix}: ${Math.round(share * 100)} % without expiry`,
        fix: [advise('Give them a TTL; the guard package enforces one')],
      })),
      'every sampled key expires',
    );
  },
};
