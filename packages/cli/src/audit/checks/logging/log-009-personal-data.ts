import { fail, type NodeCheck, notApplicable, pass } from '../check.js';
import { config } from '../fix.js';
import { settingIfAny } from '../read.js';

export const log009: NodeCheck = {
  id: 'LOG-009',
  title: 'Personal data can reach the log',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N',
  why: 'Key names and values in crash reports and warnings are kept as long as the log.',
  passes: 'hide-user-data-from-log yes',
  maps: 'LOG',
  dataOnly: true,
  engines: { redis: '8.0', valkey: '8.0' },
  sources: ['GDPR 5(1)(c)'],
  judge(node) {
    const value = settingIfAny(node, 'hide-user-data-from-log');
    if (value === undefined) return notApplicable('this version has no such setting');
    return value === 'yes'
      ? pass(value)
      : fail('hide-user-data-from-log no', config('hide-user-data-from-log', 'yes', 'no'));
  },
};
