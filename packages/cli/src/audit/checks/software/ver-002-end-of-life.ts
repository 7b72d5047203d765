import { releaseLineOf } from '../../../vocabulary/engines.js';
import { supportedLines } from '../../facts/cves.js';
import { need } from '../../facts/fact.js';
import { fail, type NodeCheck, pass, redisAndValkey, unknown } from '../check.js';
import { advise } from '../fix.js';

export const ver002: NodeCheck = {
  id: 'VER-002',
  title: 'The release line is no longer maintained',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N',
  why: 'New vulnerabilities in an unmaintained line are never fixed.',
  passes: 'a line upstream still fixes, or a package the distribution maintains',
  maps: 'VULN',
  sources: ['CWE-1104', 'redis-baseline a8'],
  effort: 'days',
  engines: redisAndValkey,
  judge(node, facts) {
    const engine = need(node.engine);
    const line = releaseLineOf(engine.version);
    const floor = facts.cves.floors[engine.name]?.[line];
    if (floor) return pass(`${engine.name} ${line} is a supported line`);
    if (engine.package)
      return pass(
        `upstream ended ${engine.name} ${line}; ${engine.package.name} ${engine.package.version} is kept by the distribution`,
      );
    if (engine.build === 'unclear')
      return unknown(
        `upstream ended ${engine.name} ${line}; whether a distribution keeps this build cannot be seen from here`,
      );
    return fail(
      `${engine.name} ${line} is no longer fixed upstream`,
      advise(`Move to ${supportedLines(engine.name, facts.cves)}`),
    );
  },
};
