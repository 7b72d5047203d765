import { fail, type NodeCheck, pass } from '../check.js';
import { config } from '../fix.js';
import { setting, settingIfAny } from '../read.js';

export const bkp001: NodeCheck = {
  id: 'BKP-001',
  title: "Persistence does not fit the data's purpose",
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L',
  why: 'A store without AOF or snapshots loses everything with the process.',
  passes: 'appendonly yes, or save points; a declared cache may do without',
  maps: 'BKP',
  dataOnly: true,
  sources: ['redis-baseline a73', 'CKV2_AWS_50'],
  judge(node, facts) {
    const save = setting(node, 'save');
    const aof = setting(node, 'appendonly');
    if (facts.expectations.dataRole === 'cache') return pass('declared a cache');
    if (aof === 'yes') {
      const fsync = settingIfAny(node, 'appendfsync') ?? 'everysec';
      return fsync === 'no'
        ? fail('appendfsync no leaves up to 30 s of writes to luck', config('appendfsync', 'everysec', 'no'))
        : pass(`appendonly yes, appendfsync ${fsync}`);
    }
    if (save !== '') return pass(`snapshots: ${save}`);
    return fail('neither AOF nor snapshots', config('appendonly', 'yes', 'no'));
  },
};
