import { need } from '../../facts/fact.js';
import { fail, type NodeCheck, pass, unknown } from '../check.js';
import { advise, run, shellQuote } from '../fix.js';

export const cfg008: NodeCheck = {
  id: 'CFG-008',
  title: 'An unknown server takes part in replication',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N',
  why: 'A rogue primary feeds the server anything; a rogue replica receives everything.',
  passes: 'every peer is known',
  maps: 'INT',
  effort: 'hours',
  judge(node, facts) {
    const { primaryHost, replicas } = need(node.replication);
    const peers = [...(primaryHost ? [primaryHost] : []), ...replicas.map((replica) => replica.replace(/:\d+$/, ''))];
    if (peers.length === 0) return pass('nothing is replicated');
    const vouched = facts.nodes.filter((one) => one.vouched);
    const known = [...facts.expectations.peers, ...vouched.map((one) => one.host)];
    const foreign = peers.filter((peer) => !known.includes(peer));
    if (foreign.length === 0) return pass(peers.join(', '));
    return facts.expectations.peers.length === 0 &&
      facts.nodes.every((one) => one === node || one.foundThrough !== undefined)
      ? unknown(`replicates with ${foreign.join(', ')}: name every node in the audit to say that they belong to it`)
      : fail(
          foreign.join(', '),
          run(
            'redis-cli REPLICAOF NO ONE',
            primaryHost
              ? `redis-cli REPLICAOF ${shellQuote(primaryHost)} PORT`
              : '# none: a replica is turned away on its own side',
          ),
          advise('Treat the host as broken into: keep evidence, isolate it, rebuild it'),
        );
  },
};
