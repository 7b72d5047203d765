import { failEach, type NodeCheck } from '../check.js';
import { config } from '../fix.js';
import { setting, settingIfAny } from '../read.js';

export const cfg012: NodeCheck = {
  id: 'CFG-012',
  title: 'Connections are not limited',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:L',
  why: 'Idle and dead connections pile up until nobody else gets in.',
  passes: 'maxclients within the open file limit; timeout between 1 s and 1 h; tcp-keepalive on',
  maps: 'AVAIL',
  dataOnly: true,
  sources: ['STIG V-251183', 'redis-baseline a20'],
  judge(node) {
    const timeout = Number(setting(node, 'timeout'));
    const keepalive = Number(settingIfAny(node, 'tcp-keepalive') ?? 300);
    return failEach(
      [
        ...(timeout === 0 || timeout > 3600
          ? [
              {
                about: 'timeout',
                evidence: `timeout ${timeout}: ${timeout === 0 ? 'idle clients stay for ever' : 'more than an hour'}`,
                fix: [config('timeout', '1800', String(timeout))],
              },
            ]
          : []),
        ...(keepalive === 0
          ? [
              {
                about: 'tcp-keepalive',
                evidence: 'tcp-keepalive 0: dead peers stay for ever',
                fix: [config('tcp-keepalive', '300', '0')],
              },
            ]
          : []),
        ...(Number(setting(node, 'maxclients')) > 100_000
          ? [
              {
                about: 'maxclients',
                evidence: `maxclients ${setting(node, 'maxclients')}`,
                fix: [config('maxclients', '10000', setting(node, 'maxclients'))],
              },
            ]
          : []),
      ],
      `timeout ${timeout}, tcp-keepalive ${keepalive}, maxclients ${setting(node, 'maxclients')}`,
    );
  },
};
