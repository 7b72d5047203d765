import { maybe } from '../../facts/fact.js';
import { failEach, type NodeCheck, notApplicable } from '../check.js';
import { config } from '../fix.js';
import { setting, settingIfAny } from '../read.js';

export const log008: NodeCheck = {
  id: 'LOG-008',
  title: 'Slow commands are not recorded',
  cvss: 'AV:N/AC:H/PR:L/UI:N/S:U/C:N/I:N/A:L',
  why: 'An attack on availability looks like slowness first.',
  passes: 'slow log of at least 128 entries from 10 ms or less; latency monitor on',
  maps: 'LOG',
  dataOnly: true,
  judge(node) {
    if (maybe(node.engine)?.mode === 'sentinel') return notApplicable('a sentinel has no slow log');
    if (node.fromFiles) setting(node, 'latency-monitor-threshold');
    const threshold =
      settingIfAny(node, 'slowlog-log-slower-than') ?? settingIfAny(node, 'commandlog-execution-slower-than') ?? '-1';
    const entries =
      settingIfAny(node, 'slowlog-max-len') ?? settingIfAny(node, 'commandlog-slow-execution-max-len') ?? '0';
    const latency = settingIfAny(node, 'latency-monitor-threshold') ?? '0';
    return failEach(
      [
        ...(Number(threshold) < 0 || Number(threshold) > 10_000
          ? [
              {
                about: 'threshold',
                evidence: `slowlog-log-slower-than ${threshold}`,
                fix: [config('slowlog-log-slower-than', '10000', threshold)],
              },
            ]
          : []),
        ...(Number(entries) < 128
          ? [
              {
                about: 'entries',
                evidence: `slowlog-max-len ${entries}`,
                fix: [config('slowlog-max-len', '128', entries)],
              },
            ]
          : []),
        ...(latency === '0'
          ? [
              {
                about: 'latency',
                evidence: 'latency-monitor-threshold 0',
                fix: [config('latency-monitor-threshold', '100', '0')],
              },
            ]
          : []),
      ],
      `from ${threshold} us, ${entries} entries, latency from ${latency} ms`,
    );
  },
};
