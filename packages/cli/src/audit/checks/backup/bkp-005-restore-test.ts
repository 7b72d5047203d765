import { need } from '../../facts/fact.js';
import { fail, pass, type SystemCheck } from '../check.js';
import { advise } from '../fix.js';
import { daysBetween } from '../read.js';

export const bkp005: SystemCheck = {
  id: 'BKP-005',
  title: 'No backup has been restored recently',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L',
  why: 'Only a restore shows that a backup is complete and readable.',
  passes: 'a restore test within 90 days',
  maps: 'BKP',
  from: 'production',
  judgeAll(facts) {
    const at = need(facts.operations.restoreTest);
    return daysBetween(at, facts.observedAt) < 90
      ? pass(at)
      : fail(
          `last restore test on ${at.slice(0, 10)}`,
          advise('Restore the newest backup into a server of its own and compare counts and a sample of keys'),
        );
  },
};
