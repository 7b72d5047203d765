import { need } from '../../facts/fact.js';
import { fail, type NodeCheck, pass, unknown } from '../check.js';
import { advise, config } from '../fix.js';
import { setting, settingIfAny } from '../read.js';

export const log001: NodeCheck = {
  id: 'LOG-001',
  title: 'The server keeps no log',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:L/A:N',
  why: 'After a break-in there is no record of what happened.',
  passes: 'a log file, syslog, or standard output that something keeps',
  maps: 'LOG',
  sources: ['CWE-778', 'redis-baseline a41'],
  judge(node) {
    const file = setting(node, 'logfile');
    if (file === '/dev/null')
      return fail(
        'logfile is /dev/null',
        config('logfile', '', file),
        advise('logfile is read at the start only: restart'),
      );
    if (file !== '') return pass(file);
    if (settingIfAny(node, 'syslog-enabled') === 'yes') return pass('syslog');
    return node.process.observed && need(node.process).unit
      ? pass('standard output, kept by the journal')
      : unknown('the log goes to standard output; whether somebody keeps it cannot be seen');
  },
};
