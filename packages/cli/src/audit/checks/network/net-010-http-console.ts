import { need } from '../../facts/fact.js';
import { dragonfly, fail, type NodeCheck, pass } from '../check.js';
import { run } from '../fix.js';

export const net010: NodeCheck = {
  id: 'NET-010',
  title: 'The HTTP console answers on the data port',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N',
  why: 'The console and its metrics describe the server to anyone; metrics never require a password.',
  passes: '--primary_port_http_enabled=false',
  maps: 'NET',
  engines: dragonfly,
  sources: ['CWE-200'],
  judge(node) {
    const { root, metrics } = need(node.http);
    return root || metrics
      ? fail(
          `HTTP answers at ${[root && '/', metrics && '/metrics'].filter(Boolean).join(' and ')}`,
          run('dragonfly --primary_port_http_enabled=false', '# start Dragonfly with the flags it had'),
        )
      : pass('no HTTP on the data port');
  },
};
