import { fail, type NodeCheck, notApplicable, pass } from '../check.js';
import { config } from '../fix.js';
import { setting } from '../read.js';

export const bkp006: NodeCheck = {
  id: 'BKP-006',
  title: 'The AOF has no timestamps for point-in-time recovery',
  cvss: 'AV:N/AC:H/PR:L/UI:N/S:U/C:N/I:N/A:L',
  why: 'Timestamps in the AOF allow recovery to the second before a FLUSHALL.',
  passes: 'aof-timestamp-enabled yes where there is an AOF',
  maps: 'BKP',
  dataOnly: true,
  engines: { redis: '7.0', valkey: '7.2' },
  judge(node) {
    if (setting(node, 'appendonly') !== 'yes') return notApplicable('there is no AOF');
    return setting(node, 'aof-timestamp-enabled') === 'yes'
      ? pass('yes')
      : fail('aof-timestamp-enabled no', config('aof-timestamp-enabled', 'yes', 'no'));
  },
};
