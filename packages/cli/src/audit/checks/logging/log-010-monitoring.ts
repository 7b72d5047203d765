import { need } from '../../facts/fact.js';
import { fail, pass, type SystemCheck } from '../check.js';
import { advise } from '../fix.js';
import { daysBetween } from '../read.js';

export const log010: SystemCheck = {
  id: 'LOG-010',
  title: 'The server is not monitored',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:L/A:N',
  why: 'An alert that is not delivered has no effect.',
  passes: 'a monitor was alive within the last hour and has its rules',
  maps: 'LOG',
  from: 'production',
  sources: ['STIG V-251198', 'PCI DSS 10.7.2'],
  judgeAll(facts) {
    const { seenAt, rules } = need(facts.operations.monitoring);
    const hours = daysBetween(seenAt, facts.observedAt) * 24;
    return hours < 1 && rules
      ? pass(`seen at ${seenAt}`)
      : fail(
          hours < 1 ? 'the monitor has no alert rules' : `the monitor was last seen at ${seenAt}`,
          advise('Load the alert rules that redkeep init writes, and check that Prometheus reaches the exporter'),
        );
  },
};
