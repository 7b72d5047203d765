import { matchCves } from '../../facts/cves.js';
import { need } from '../../facts/fact.js';
import { fail, type NodeCheck, pass } from '../check.js';
import { config } from '../fix.js';
import { setting } from '../read.js';

export const cfg015: NodeCheck = {
  id: 'CFG-015',
  title: "Clients' memory is not limited as a whole",
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:N/A:L',
  why: 'Many clients, each within its limits, still exhaust the memory together.',
  passes: 'maxmemory-clients is set (not on builds with CVE-2026-23479)',
  maps: 'AVAIL',
  dataOnly: true,
  from: 'production',
  engines: { redis: '7.0', valkey: '7.2' },
  sources: ['CVE-2026-23479'],
  judge(node, facts) {
    const flawed = matchCves(need(node.engine), facts.cves).some(
      ({ cve, outcome }) => outcome === 'affected' && cve.id === 'CVE-2026-23479',
    );
    const value = setting(node, 'maxmemory-clients');
    if (value !== '0')
      return flawed
        ? fail(`maxmemory-clients ${value} on a build with CVE-2026-23479`, config('maxmemory-clients', '0', value))
        : pass(value);
    return flawed
      ? pass('off: right for a build with CVE-2026-23479')
      : fail('maxmemory-clients 0', config('maxmemory-clients', '10%', '0'));
  },
};
