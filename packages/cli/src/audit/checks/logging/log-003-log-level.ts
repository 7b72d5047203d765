import { fail, type NodeCheck, pass, redisAndValkey } from '../check.js';
import { config } from '../fix.js';
import { setting } from '../read.js';

export const log003: NodeCheck = {
  id: 'LOG-003',
  title: 'The log level omits what an investigation needs',
  cvss: 'AV:N/AC:H/PR:L/UI:N/S:U/C:N/I:L/A:N',
  why: 'At "warning", starts and replication changes are not logged; at "debug", important lines are hard to find.',
  passes: 'notice or verbose',
  maps: 'LOG',
  engines: redisAndValkey,
  judge(node) {
    const level = setting(node, 'loglevel');
    return level === 'notice' || level === 'verbose'
      ? pass(level)
      : fail(`loglevel ${level}`, config('loglevel', 'notice', level));
  },
};
