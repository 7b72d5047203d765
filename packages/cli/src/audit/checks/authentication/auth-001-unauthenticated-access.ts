import { need } from '../../facts/fact.js';
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
    return fail(
      `a connection without credentials ran ${accepted.join(', ')}`,
      run('redis-cli CONFIG SET protected-mode yes', 'redis-cli CONFIG SET protected-mode no'),
      advise(
        'Then make users and turn the default user off, as AUTH-002 says; redkeep init writes a deployment that has both',
      ),
    );
  },
};
