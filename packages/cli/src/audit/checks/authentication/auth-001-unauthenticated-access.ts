import { isLoopback } from 'redkeep';
import { maybe, need } from '../../facts/fact.js';
import { fail, type NodeCheck, pass } from '../check.js';
import { advise, run } from '../fix.js';

export const auth001: NodeCheck = {
  id: 'AUTH-001',
  title: 'Commands run without credentials',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H',
  why: 'Anyone who can reach the port can read, change and delete all data, and usually run code on the host.',
  passes: 'a fresh connection gets NOAUTH (or an equivalent refusal) for everything',
  maps: 'AUTHN',
  sources: ['CWE-306', 'STIG V-251222', 'nuclei exposed-redis'],
  judge(node) {
    const { accepted, replies } = need(node.anonymous);
    if (accepted.length === 0) return pass(`a stranger gets: ${Object.values(replies)[0] ?? 'no answer'}`);
    const remote = (maybe(node.clients) ?? []).filter((client) => !isLoopback(client.address.replace(/:\d+$/, '')));
    const evidence = `a connection without credentials ran ${accepted.join(', ')}`;
    const later = advise(
      'Then make users and turn the default user off, as AUTH-002 says; redkeep init writes a deployment that has both',
    );
    if (remote.length > 0 || !node.clients.observed)
      return fail(
        evidence,
        advise(
          `Close it with redkeep migrate, which keeps clients connected: CONFIG SET protected-mode yes would shut out ${remote.length > 0 ? `${remote.length} clients of other hosts (${[...new Set(remote.map((client) => client.address.replace(/:\d+$/, '')))].slice(0, 5).join(', ')})` : 'every client of another host'}`,
        ),
        later,
      );
    return fail(
      evidence,
      run('redis-cli CONFIG SET protected-mode yes', 'redis-cli CONFIG SET protected-mode no'),
      later,
    );
  },
};
