import { fail, type NodeCheck, pass, redisAndValkey } from '../check.js';
import { config } from '../fix.js';
import { setting } from '../read.js';

export const log003: NodeCheck = {
  id: 'LOG-003',
  title: 'The log level hides what an investigation needs',
  cvss: 'AV:N/AC:H/PR:L/UI:N/S:U/C:N/I:L/A:N',
  why: 'At warning, neither starts nor replication changes are told; at debug, the log drowns.',
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
