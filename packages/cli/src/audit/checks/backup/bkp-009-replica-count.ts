import { need } from '../../facts/fact.js';
import { fail, type NodeCheck, notApplicable, pass } from '../check.js';
import { config, run } from '../fix.js';
import { setting } from '../read.js';

export const bkp009: NodeCheck = {
  id: 'BKP-009',
  title: 'Writes are accepted without enough replicas',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:L',
  why: 'Data that only the primary has is lost with it.',
  passes: 'at least the declared number of replicas; min-replicas-to-write above zero where there are replicas',
  maps: 'AVAIL',
  dataOnly: true,
  judge(node, facts) {
    const { replicas, primaryHost, linkUp } = need(node.replication);
    if (primaryHost !== undefined)
      return linkUp
        ? pass('the link to the primary is up')
        : fail('the link to the primary is down', run('redis-cli INFO replication', '# nothing: it only reads'));
    const declared = facts.expectations.minReplicas ?? 0;
    if (replicas.length < declared)
      return fail(
        `${replicas.length} of ${declared} replicas`,
        run('redis-cli INFO replication', '# nothing: it only reads'),
      );
    const least = setting(node, 'min-replicas-to-write');
    if (Number(least) > replicas.length)
      return fail(
        `min-replicas-to-write ${least}, and ${replicas.length} replicas are connected: writes are refused`,
        run('redis-cli INFO replication', '# nothing: it only reads'),
      );
    if (replicas.length === 0) return notApplicable('no replicas are declared');
    return least === '0'
      ? fail('min-replicas-to-write 0', config('min-replicas-to-write', '1', '0'))
      : pass(`${replicas.length} replicas, min-replicas-to-write ${least}`);
  },
};
