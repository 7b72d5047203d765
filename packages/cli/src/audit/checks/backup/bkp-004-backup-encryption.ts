import { need } from '../../facts/fact.js';
import { failEach, type SystemCheck } from '../check.js';
import { advise } from '../fix.js';

export const bkp004: SystemCheck = {
  id: 'BKP-004',
  title: 'A backup is not encrypted, or its key lies beside it',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N',
  why: "A backup holds the whole data set without the server's access control.",
  passes: 'encrypted and authenticated, the key elsewhere',
  maps: 'FILE',
  from: 'production',
  sources: ['CWE-311'],
  judgeAll(facts) {
    const open = need(facts.operations.backups).filter((backup) => !backup.encrypted || backup.keyBeside);
    return failEach(
      open.map((backup) => ({
        about: backup.takenAt,
        evidence: `${backup.takenAt}: ${backup.encrypted ? 'the key lies beside it' : 'not encrypted'}`,
        fix: [advise('Encrypt while it is taken: redis-cli --rdb - | age -r RECIPIENT, with the key on another host')],
      })),
      'all encrypted',
    );
  },
};
