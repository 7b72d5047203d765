import { fail, type NodeCheck, pass, redisAndValkey } from '../check.js';
import { advise, config } from '../fix.js';
import { setting, settingIfAny } from '../read.js';

export const cfg006: NodeCheck = {
  id: 'CFG-006',
  title: 'The data file is in a folder that attackers write to',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N',
  why: 'A data directory in .ssh, cron or a web root is what break-ins leave behind: the next save writes there.',
  passes: 'a directory of its own',
  maps: 'INT',
  dataOnly: true,
  engines: redisAndValkey,
  sources: ['CWE-73'],
  judge(node) {
    const path = `${setting(node, 'dir')}/${settingIfAny(node, 'dbfilename') ?? ''}`;
    const suspicious =
      /\/\.ssh(\/|$)|\/cron(\.d|tabs)?(\/|$)|\/etc(\/|$)|\/(var\/www|htdocs|public_html|webroot|wwwroot)(\/|$)|^\/root\/?[^/]*$|authorized_keys|\.(php|jsp|so|sh|py)$/;
    const isShared = /^((\/var)?\/tmp|\/dev\/shm)\/?$/.test(setting(node, 'dir'));
    if (isShared)
      return fail(
        `dir is ${setting(node, 'dir')}, which belongs to every user of the machine`,
        advise('dir: a folder of its own, for example /var/lib/redis'),
      );
    if (!suspicious.test(path)) return pass(path);
    return fail(
      path,
      advise('Treat the host as broken into: keep evidence, isolate it, rebuild it; then:'),
      config('dbfilename', 'dump.rdb', settingIfAny(node, 'dbfilename')),
    );
  },
};
