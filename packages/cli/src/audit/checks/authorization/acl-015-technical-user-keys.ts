import type { RoleName } from '../../../vocabulary/names.js';
import { residueKeys } from '../../../vocabulary/residue-keys.js';
import { failEach, type NodeCheck } from '../check.js';
import { acl } from '../fix.js';
import { enabledUsers, roleOf } from '../read.js';

function isResidue(pattern: string): boolean {
  return (residueKeys as readonly string[]).includes(pattern.replace(/^(%R)?~/i, ''));
}

export const acl015: NodeCheck = {
  id: 'ACL-015',
  title: 'A technical user can access data',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:L/A:N',
  why: 'Monitoring, replication, backup and Sentinel need no key; their passwords lie on many machines.',
  passes: 'no key patterns for them (the names of attack residue excepted)',
  maps: 'AUTHZ',
  sources: ['redis_exporter #821'],
  judge(node, facts) {
    const technical: readonly RoleName[] = ['monitoring', 'auditor', 'backup', 'replication', 'sentinel'];
    return failEach(
      enabledUsers(node)
        .filter(
          (user) =>
            technical.includes(roleOf(user.name, node, facts) ?? 'application') &&
            user.keys.some((key) => !isResidue(key)),
        )
        .map((user) => ({
          about: user.name,
          evidence: `${user.name} (${roleOf(user.name, node, facts)}) reaches ${user.keys.join(' ')}`,
          fix: [acl(user.name, ['resetkeys'], user.keys)],
        })),
      'technical users cannot access data',
    );
  },
};
