import { need } from '../../facts/fact.js';
import { fail, pass, type SystemCheck } from '../check.js';
import { advise } from '../fix.js';

export const log007: SystemCheck = {
  id: 'LOG-007',
  title: 'Changes to users and configuration are not recorded',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:L/A:N',
  why: 'No engine logs CONFIG SET or ACL SETUSER: only something that compares states notices.',
  passes: 'a monitor watches for changes',
  maps: 'LOG',
  from: 'production',
  sources: ['redis #10957', 'STIG V-251190', 'PCI DSS 10.2.1.5'],
  judgeAll(facts) {
    return need(facts.operations.monitoring).changes
      ? pass('the monitor watches users and configuration')
      : fail(
          'nothing watches users and configuration',
          advise(
            'Poll ACL LIST and INFO commandstats every minute and alert on changes; the Prometheus rules of redkeep init do',
          ),
        );
  },
};
