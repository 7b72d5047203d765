import type { SystemCheck } from '../check.js';
import { perServer } from '../containers.js';

export const ctr006: SystemCheck = {
  id: 'CTR-006',
  title: 'The container shares namespaces with the host',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N',
  why: "With the host's network, every port of the server is a port of the host; with the host's PID namespace, it sees the secrets of other processes.",
  passes: 'no host network, PID or IPC namespace',
  maps: 'CTR',
  sources: ['CIS Docker 5.10', 'CIS Docker 5.16', 'CIS Docker 5.17'],
  judgeAll: perServer(
    ['network_mode', 'pid', 'ipc'],
    (one) => (one.hostNamespaces.length > 0 ? `host ${one.hostNamespaces.join(', ')}` : undefined),
    'Use a network of its own',
  ),
};
