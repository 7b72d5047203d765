import { need } from '../../facts/fact.js';
import { fail, type NodeCheck, pass } from '../check.js';
import { advise } from '../fix.js';

export const host001: NodeCheck = {
  id: 'HOST-001',
  title: 'The server runs as root',
  cvss: 'AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H',
  why: 'A vulnerability in the server then gives an attacker the whole host.',
  passes: 'a user of its own',
  maps: 'CTR',
  from: 'production',
  sources: ['CWE-250', 'CIS Docker 4.1', 'redis-baseline a74'],
  judge(node) {
    const { uid, pid } = need(node.process);
    return uid === 0
      ? fail(
          `process ${pid} belongs to root`,
          advise('Start it from a systemd unit with User=redis, or as a user of its own'),
        )
      : pass(`uid ${uid}`);
  },
};
