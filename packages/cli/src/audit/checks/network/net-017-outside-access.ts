import type { SystemCheck } from '../check.js';
import { inFiles } from '../files.js';

export const net017: SystemCheck = {
  id: 'NET-017',
  title: 'The server is reachable from outside the cluster',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:L/A:L',
  why: 'A LoadBalancer, NodePort, external address or TCP route gives the server an address that networks outside the cluster reach.',
  passes: 'Services of type ClusterIP only, and no route that leads to the server',
  maps: 'NET',
  sources: ['CWE-668'],
  judgeAll: inFiles('outside-access', 'no way from outside the cluster in the files'),
};
