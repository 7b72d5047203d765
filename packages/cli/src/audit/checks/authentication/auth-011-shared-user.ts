import { need } from '../../facts/fact.js';
import { failEach, type NodeCheck, redisAndValkey } from '../check.js';
import { advise } from '../fix.js';

export const auth011: NodeCheck = {
  id: 'AUTH-011',
  title: 'Several services share one user',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:L/A:N',
  why: 'Each service has the rights of all others, and the log cannot distinguish them.',
  passes: 'clients of one user have one kind of name',
  maps: 'AUTHN',
  engines: redisAndValkey,
  sources: ['PCI DSS 8.2.2', 'STIG V-251222'],
  judge(node) {
    const clients = need(node.clients).filter((client) => client.name !== '' && client.name !== 'redkeep-audit');
    const kinds = (user: string): string[] => [
      ...new Set(clients.filter((one) => one.user === user).map((one) => kindOf(one.name))),
    ];
    const shared = [...new Set(clients.map((client) => client.user))].filter((user) => kinds(user).length > 1);
    return failEach(
      shared.map((user) => ({
        about: user,
        evidence: `${user} is used by ${kinds(user).slice(0, 5).join(', ')}`,
        fix: [advise('Give each service a user of its own: redkeep init --app NAME=PATTERNS, then redkeep acl apply')],
      })),
      clients.length === 0 ? 'no named client is connected' : 'each user has one kind of client',
    );
  },
};

/** Instances of one service number themselves; a sentinel names its links `sentinel-<id>-cmd` and `-pubsub`. */
function kindOf(name: string): string {
  return name.replace(/^(sentinel)-[0-9a-f]{8}-(cmd|pubsub)$/, '$1').replace(/[-_:.]?\d+$/, '');
}
