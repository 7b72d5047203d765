import type { SystemCheck } from '../check.js';
import { perServer, sensitiveMounts } from '../containers.js';

export const ctr008: SystemCheck = {
  id: 'CTR-008',
  title: 'The container mounts sensitive host paths',
  cvss: 'AV:L/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H',
  why: 'With the Docker socket or a system directory, a broken-into container is root on the host.',
  passes: 'data, configuration and certificates only',
  maps: 'CTR',
  sources: ['CIS Docker 5.6', 'CIS Docker 5.32'],
  judgeAll: perServer(
    ['volumes'],
    (one) => {
      const [first, ...rest] = sensitiveMounts(one);
      return first && { evidence: `mounts ${[first, ...rest].map(({ path }) => path).join(', ')}`, at: first.at };
    },
    'Remove the mount',
  ),
};
