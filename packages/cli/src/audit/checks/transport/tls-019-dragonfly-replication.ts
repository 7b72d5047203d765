import { need } from '../../facts/fact.js';
import { dragonfly, fail, type NodeCheck, notApplicable, pass } from '../check.js';
import { run } from '../fix.js';
import { setting } from '../read.js';

export const tls019: NodeCheck = {
  id: 'TLS-019',
  title: 'Dragonfly replicates without TLS or password',
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:N',
  why: 'The whole data set crosses the network unencrypted.',
  passes: '--tls_replication and --masterauth',
  maps: 'TLS',
  engines: dragonfly,
  judge(node) {
    const { replicas, primaryHost } = need(node.replication);
    if (replicas.length === 0 && primaryHost === undefined) return notApplicable('nothing is replicated');
    return setting(node, 'tls_replication') === 'true'
      ? pass('tls_replication is on')
      : fail(
          'tls_replication is off',
          run('dragonfly --tls_replication=true', '# start Dragonfly with the flags it had'),
        );
  },
};
