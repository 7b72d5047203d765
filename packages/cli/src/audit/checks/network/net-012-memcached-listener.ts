import { dragonfly, fail, type NodeCheck, pass } from '../check.js';
import { run } from '../fix.js';
import { setting } from '../read.js';

export const net012: NodeCheck = {
  id: 'NET-012',
  title: 'A Memcached listener is on',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:N',
  why: 'The Memcached protocol has no users, so it bypasses every ACL rule.',
  passes: 'memcached_port 0',
  maps: 'CFG',
  engines: dragonfly,
  judge(node) {
    const port = setting(node, 'memcached_port');
    return port === '0'
      ? pass('no Memcached listener')
      : fail(
          `memcached_port is ${port}`,
          run('dragonfly --memcached_port=0', '# start Dragonfly with the flags it had'),
        );
  },
};
