import { type NodeCheck, pass } from '../check.js';

export const net016: NodeCheck = {
  id: 'NET-016',
  title: 'The server uses the default port',
  cvss: null,
  why: 'Changing the port adds no protection; it only reduces noise in logs. Reported for completeness, never scored.',
  passes: 'always',
  maps: 'CFG',
  judge(node) {
    return pass(node.port === 6379 ? 'port 6379: changing the port adds no protection' : `port ${node.port}`);
  },
};
