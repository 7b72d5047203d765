import { need } from '../../facts/fact.js';
import { fail, type NodeCheck, notApplicable, pass } from '../check.js';
import { advise, run } from '../fix.js';
import { setting } from '../read.js';

export const bkp002: NodeCheck = {
  id: 'BKP-002',
  title: 'The last save failed or is too old',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:L/A:H',
  why: 'Data since then is in memory only.',
  passes: 'last save and AOF writes ok; a snapshot within 24 hours where snapshots are all there is',
  maps: 'BKP',
  dataOnly: true,
  judge(node, facts) {
    if (facts.expectations.dataRole === 'cache') return notApplicable('declared a cache');
    const bad = [
      ['rdb_last_bgsave_status', 'the last snapshot failed'],
      ['aof_last_bgrewrite_status', 'the last AOF rewrite failed'],
      ['aof_last_write_status', 'the last AOF write failed'],
    ]
      .filter(([name]) => (need(node.info)[name!] ?? 'ok') !== 'ok')
      .map(([, text]) => text!);
    const onlySnapshots = setting(node, 'appendonly') !== 'yes' && setting(node, 'save') !== '';
    const hours = (Date.parse(facts.observedAt) / 1000 - Number(need(node.info)['rdb_last_save_time'] ?? 0)) / 3600;
    const pending = Number(need(node.info)['rdb_changes_since_last_save'] ?? 0);
    if (onlySnapshots && pending > 0 && hours > 24)
      bad.push(`${pending} changes since the last snapshot ${Math.floor(hours)} hours ago`);
    return bad.length > 0
      ? fail(
          bad.join('; '),
          run('redis-cli BGSAVE', '# none is needed: it writes the snapshot that is due'),
          advise('Look for the reason in the log: usually disk space or overcommit'),
        )
      : pass('ok');
  },
};
