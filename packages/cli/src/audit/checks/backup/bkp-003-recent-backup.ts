import { need } from '../../facts/fact.js';
import { fail, notApplicable, pass, type SystemCheck } from '../check.js';
import { advise } from '../fix.js';
import { daysBetween } from '../read.js';

export const bkp003: SystemCheck = {
  id: 'BKP-003',
  title: 'There is no recent backup on another machine',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:L/A:H',
  why: 'Ransomware and a FLUSHALL reach replicas and snapshots alike.',
  passes: 'a backup within 48 hours, kept off this host',
  maps: 'BKP',
  from: 'production',
  effort: 'hours',
  sources: ['AWS-0050', 'PCI DSS 12.10.1'],
  judgeAll(facts) {
    if (facts.expectations.dataRole === 'cache') return notApplicable('declared a cache');
    const recent = need(facts.operations.backups).filter((backup) => daysBetween(backup.takenAt, facts.observedAt) < 2);
    if (recent.length === 0)
      return fail(
        'no backup within 48 hours',
        advise('Take one off this host, encrypted before it touches a disk: redis-cli --rdb - | age -r RECIPIENT'),
      );
    return recent.some((backup) => backup.offHost)
      ? pass(recent[0]!.takenAt)
      : fail('recent backups lie on this host only', advise('Copy them to another host'));
  },
};
