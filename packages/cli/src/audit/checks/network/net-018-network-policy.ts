import type { SystemCheck } from '../check.js';
import { inFiles } from '../files.js';

export const net018: SystemCheck = {
  id: 'NET-018',
  title: 'No NetworkPolicy limits which pods connect',
  cvss: 'AV:A/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:L',
  why: 'Without a policy, or with one that names no source, each pod of the cluster can connect to the server.',
  passes: 'a NetworkPolicy that selects the server and names the pods that may connect',
  maps: 'NET',
  from: 'production',
  sources: ['CWE-923'],
  judgeAll: inFiles('no-network-policy', 'policies name their sources, or no server of the files runs in a cluster'),
};
