import type { SystemCheck } from '../check.js';
import { perServer } from '../containers.js';

export const ctr005: SystemCheck = {
  id: 'CTR-005',
  title: 'The container has no limits',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L',
  why: 'One container can then starve the others and the host.',
  passes: 'limits for memory, CPU and processes',
  maps: 'CTR',
  sources: ['CIS Docker 5.11', 'CIS Docker 5.12', 'CIS Docker 5.29'],
  judgeAll: perServer(
    ['limits'],
    (one) =>
      !one.limits.memory || !one.limits.cpu || !one.limits.pids
        ? `no limit for ${(['memory', 'cpu', 'pids'] as const).filter((name) => !one.limits[name]).join(', ')}`
        : undefined,
    'deploy.resources.limits: memory, cpus, pids',
  ),
};
