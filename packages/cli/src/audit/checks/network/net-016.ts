import { type NodeCheck, pass } from '../check.js';

export const net016: NodeCheck = {
  id: 'NET-016',
  title: 'The server uses the default port',
  cvss: null,
  why: 'Another port keeps nobody out; it only keeps logs quieter. Told for completeness, never scored.',
  passes: 'always',
  maps: 'CFG',
  judge(node) {
    return pass(node.port === 6379 ? 'port 6379: fine, a port is no protection' : `port ${node.port}`);
  },
};
