import { maybe } from '../../facts/fact.js';
import { fail, type NodeCheck, pass } from '../check.js';
import { config } from '../fix.js';
import { setting, settingIfAny } from '../read.js';

export const cfg011: NodeCheck = {
  id: 'CFG-011',
  title: 'Memory is not limited, or the policy does not fit the data',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L',
  why: "Without maxmemory, one client can fill the host's memory, and the kernel then kills processes, often the server.",
  passes: "maxmemory set below the host's memory; noeviction for data that must stay, an eviction policy for a cache",
  maps: 'AVAIL',
  dataOnly: true,
  sources: ['CWE-770'],
  judge(node, facts) {
    const limit = Number(setting(node, 'maxmemory'));
    const memory = maybe(facts.host)?.memoryBytes;
    if (limit === 0) {
      const proposal = memory ? `${Math.floor((memory * 0.6) / 1_048_576)}mb` : '1gb';
      return fail('maxmemory is 0: no limit', config('maxmemory', proposal, '0'));
    }
    if (memory && node.process.observed && limit > memory)
      return fail(
        `maxmemory is larger than the host's memory`,
        config('maxmemory', `${Math.floor((memory * 0.6) / 1_048_576)}mb`, String(limit)),
      );
    const policy = settingIfAny(node, 'maxmemory-policy') ?? 'noeviction';
    const role = facts.expectations.dataRole;
    if (role === 'store' && policy !== 'noeviction')
      return fail(`a store that evicts: maxmemory-policy ${policy}`, config('maxmemory-policy', 'noeviction', policy));
    if (role === 'cache' && policy === 'noeviction')
      return fail(
        'a cache that cannot evict: maxmemory-policy noeviction',
        config('maxmemory-policy', 'allkeys-lfu', policy),
      );
    return pass(`${limit} bytes, ${policy}`);
  },
};
