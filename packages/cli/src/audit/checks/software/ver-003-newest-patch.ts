import { releaseLineOf, versionAtLeast } from '../../../vocabulary/engines.js';
import { need } from '../../facts/fact.js';
import { fail, type NodeCheck, notApplicable, pass, redisAndValkey, unknown } from '../check.js';
import { advise } from '../fix.js';

export const ver003: NodeCheck = {
  id: 'VER-003',
  title: 'A newer patch of the same line exists',
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:N/A:N',
  why: 'Not every fix gets a CVE number: Valkey stopped giving them to crashes by logged-in clients in 2026.',
  passes: 'the newest patch the data knows, or a package the distribution keeps',
  maps: 'VULN',
  engines: redisAndValkey,
  judge(node, facts) {
    const engine = need(node.engine);
    const newest = facts.cves.floors[engine.name]?.[releaseLineOf(engine.version)];
    if (newest === undefined) return notApplicable('the line is at its end: see VER-002');
    if (versionAtLeast(engine.version, newest)) return pass(`${engine.version}, at least ${newest}`);
    if (engine.build !== 'vendor')
      return unknown(`${engine.version} is behind ${newest}, but the distribution may have patched it`);
    return fail(`${engine.version}, newest known is ${newest}`, advise(`Update to ${newest}`));
  },
};
