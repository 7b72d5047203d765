import { need } from '../../facts/fact.js';
import { fail, type NodeCheck, pass, redisAndValkey } from '../check.js';
import { config } from '../fix.js';
import { setting } from '../read.js';

export const tls018: NodeCheck = {
  id: 'TLS-018',
  title: 'Replication or the cluster bus is not encrypted',
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:N',
  why: 'The whole data set and the replication password cross the network unencrypted. Sentinel uses the same setting.',
  passes: 'tls-replication yes, and tls-cluster yes in a cluster',
  maps: 'TLS',
  dataOnly: true,
  engines: redisAndValkey,
  judge(node) {
    const clustered = need(node.engine).mode === 'cluster';
    const replication = need(node.replication);
    const peers = clustered || replication.replicas.length > 0 || replication.primaryHost !== undefined;
    const names = clustered ? ['tls-replication', 'tls-cluster'] : ['tls-replication'];
    const off = names.filter((name) => setting(node, name) !== 'yes');
    if (off.length === 0) return pass(`${names.join(', ')} yes`);
    if (!peers) return pass('no peers: nothing to encrypt');
    return fail(`${off.join(', ')} no`, ...off.map((name) => config(name, 'yes', 'no')));
  },
};
