import { need } from '../../facts/fact.js';
import { fail, type NodeCheck, pass, redisAndValkey } from '../check.js';
import { advise } from '../fix.js';
import { isLoopbackBind, setting } from '../read.js';

export const net006: NodeCheck = {
  id: 'NET-006',
  title: 'Clients use the plaintext port',
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:N',
  why: 'These connections send passwords and data unencrypted.',
  passes: 'no client from another host is connected without TLS',
  maps: 'TLS',
  dataOnly: true,
  engines: redisAndValkey,
  sources: ['CWE-319'],
  judge(node) {
    const port = Number(setting(node, 'port'));
    if (port === 0) return pass('there is no plaintext port');
    const clear = need(node.clients).filter(
      (client) => client.localPort === port && !isLoopbackBind(client.address.replace(/:\d+$/, '')),
    );
    if (clear.length === 0) return pass('no client of another host is on the plaintext port');
    return fail(
      `${clear.length} clients on port ${port}: ${[...new Set(clear.map((client) => client.address.replace(/:\d+$/, '')))].slice(0, 5).join(', ')}`,
      advise('Move them to the TLS port, then close this one'),
    );
  },
};
