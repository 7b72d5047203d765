import type { SystemCheck } from '../check.js';
import { perServer } from '../containers.js';
import { isPrivate } from '../read.js';

export const ctr007: SystemCheck = {
  id: 'CTR-007',
  title: 'The port is published on every address',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:L/A:L',
  why: 'Docker writes its own packet filter rules: ufw and firewalld do not stop a published port.',
  passes: 'published on 127.0.0.1 or a private address, or not at all',
  maps: 'CTR',
  sources: ['CIS Docker 5.14'],
  judgeAll: perServer(
    ['ports'],
    (one) => {
      const open = one.publishedPorts.filter(({ hostAddress }) => !isPrivate(hostAddress));
      const [first] = open;
      return (
        first && {
          evidence: `publishes ${[...new Set(open.map(({ hostAddress, hostPort }) => `${hostAddress}:${hostPort}`))].join(', ')}`,
          at: first.at,
        }
      );
    },
    'ports: [127.0.0.1:PORT:PORT]',
  ),
};
