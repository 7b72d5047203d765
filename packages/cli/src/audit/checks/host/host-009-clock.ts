import { need } from '../../facts/fact.js';
import { fail, pass, type SystemCheck } from '../check.js';
import { run } from '../fix.js';

export const host009: SystemCheck = {
  id: 'HOST-009',
  title: 'The clock is not synchronized',
  cvss: 'AV:N/AC:H/PR:L/UI:N/S:U/C:N/I:L/A:N',
  why: 'Certificate validity, key expiry and log entries all depend on the clock.',
  passes: 'NTP is synchronized',
  maps: 'LOG',
  from: 'production',
  sources: ['PCI DSS 10.6.1', 'redis-baseline a80'],
  judgeAll(facts) {
    return need(need(facts.host).timeSynchronized)
      ? pass('NTP is synchronized')
      : fail('the clock is not synchronized', run('timedatectl set-ntp true', 'timedatectl set-ntp false'));
  },
};
