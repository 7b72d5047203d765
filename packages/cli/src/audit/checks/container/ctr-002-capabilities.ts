import type { SystemCheck } from '../check.js';
import { perServer } from '../containers.js';

export const ctr002: SystemCheck = {
  id: 'CTR-002',
  title: 'The container has kernel capabilities',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N',
  why: 'The server needs none of them; an attacker can use them.',
  passes: 'cap_drop ALL, nothing added',
  maps: 'CTR',
  sources: ['CIS Docker 5.4'],
  judgeAll: perServer(
    ['cap_add', 'cap_drop'],
    (one) =>
      !one.dropsAll || one.addedCapabilities.length > 0
        ? one.dropsAll
          ? `adds ${one.addedCapabilities.join(', ')}`
          : 'capabilities are not dropped'
        : undefined,
    'cap_drop: [ALL]',
  ),
};
