import { need } from '../../facts/fact.js';
import { fail, type NodeCheck, notApplicable, pass, redisAndValkey } from '../check.js';
import { config } from '../fix.js';
import { setting } from '../read.js';

export const cfg010: NodeCheck = {
  id: 'CFG-010',
  title: 'Replication uses the default user',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N',
  why: 'The default user then has to stay enabled, with more rights than PSYNC and REPLCONF.',
  passes: 'masteruser names a replication user',
  maps: 'AUTHN',
  dataOnly: true,
  engines: redisAndValkey,
  judge(node) {
    const { primaryHost, replicas } = need(node.replication);
    if (primaryHost === undefined && replicas.length === 0) return notApplicable('nothing is replicated');
    const user = setting(node, 'masteruser');
    return user === '' || user === 'default'
      ? fail('masteruser is not set', config('masteruser', 'replication', user))
      : pass(user);
  },
};
