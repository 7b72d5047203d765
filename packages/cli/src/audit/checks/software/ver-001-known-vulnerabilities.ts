import { releaseLineOf } from '../../../vocabulary/engines.js';
import { describeCve, matchCves } from '../../facts/cves.js';
import { need } from '../../facts/fact.js';
import { fail, type NodeCheck, pass, redisAndValkey, unknown } from '../check.js';
import { advise } from '../fix.js';

export const ver001: NodeCheck = {
  id: 'VER-001',
  title: 'The version has known vulnerabilities',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H',
  why: 'Published flaws come with published exploits; a server is rarely updated as often as its clients.',
  passes: 'no entry of the CVE data concerns this version, or the package carries the fixes',
  maps: 'VULN',
  sources: ['CWE-1104', 'STIG V-251182'],
  effort: 'hours',
  engines: redisAndValkey,
  judge(node, facts) {
    const engine = need(node.engine);
    const matches = matchCves(engine, facts.cves);
    const affected = matches.filter((match) => match.outcome === 'affected');
    const possible = matches.filter((match) => match.outcome === 'possible');
    if (affected.length > 0) {
      return fail(
        `${engine.name} ${engine.version} is affected by ${affected.map(({ cve }) => describeCve(cve)).join('; ')}`,
        advise(
          `Update to ${facts.cves.floors[engine.name]?.[releaseLineOf(engine.version)] ?? 'a supported line'} or later`,
        ),
      );
    }
    if (possible.length > 0) {
      return unknown(
        `${possible.length === 1 ? '1 CVE' : `${possible.length} CVEs`} may affect this version (${possible
          .slice(0, 4)
          .map(({ cve }) => cve.id)
          .join(
            ', ',
          )}${possible.length > 4 ? ', …' : ''}); your distribution may have patched it: compare the package version`,
      );
    }
    return pass(
      `${engine.package ? `${engine.package.name} ${engine.package.version}` : `${engine.name} ${engine.version}`}: none of ${facts.cves.entries.length} entries applies`,
    );
  },
};
