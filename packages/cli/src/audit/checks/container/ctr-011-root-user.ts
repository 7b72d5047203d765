import type { SystemCheck } from '../check.js';
import { perServer } from '../containers.js';

export const ctr011: SystemCheck = {
  id: 'CTR-011',
  title: 'The container runs the server as root',
  cvss: 'AV:L/AC:L/PR:L/UI:N/S:U/C:L/I:L/A:L',
  why: 'Root inside a container needs one more mistake (a mount, a kernel flaw) to be root on the host.',
  passes: 'a user other than root; an official image whose own entry point starts the server',
  maps: 'CTR',
  from: 'production',
  sources: ['CIS Docker 4.1', 'CWE-250'],
  judgeAll: perServer(
    ['user', 'entrypoint', 'command'],
    (one) => one.root,
    'user: "999:1000" (Compose), runAsNonRoot: true and runAsUser (Kubernetes)',
  ),
};
