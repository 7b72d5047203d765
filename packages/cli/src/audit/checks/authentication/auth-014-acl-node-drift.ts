import { type AclUser, aclFingerprint } from '../../facts/acl-user.js';
import { maybe, need } from '../../facts/fact.js';
import { failEach, notApplicable, type SystemCheck } from '../check.js';
import { run } from '../fix.js';

export const auth014: SystemCheck = {
  id: 'AUTH-014',
  title: 'Users differ between nodes',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:L/A:N',
  why: 'ACL SETUSER is not replicated. After a failover the old rights, or an old password, are back.',
  passes: 'the same users on every node',
  maps: 'INT',
  sources: ['CP-10'],
  judgeAll(facts) {
    const nodes = facts.nodes.filter((node) => maybe(node.engine)?.mode !== 'sentinel');
    if (nodes.length < 2) return notApplicable('one node only');
    const commands = need(nodes[0]!.commands);
    const describe = (users: readonly AclUser[]): string =>
      JSON.stringify(users.map((user) => [user.name, aclFingerprint(user, commands)]).sort());
    const first = describe(need(nodes[0]!.users));
    const different = nodes.slice(1).filter((node) => describe(need(node.users)) !== first);
    return failEach(
      different.map((node) => ({
        about: node.address,
        evidence: `${node.address} differs from ${nodes[0]!.address}`,
        fix: [run('redkeep acl apply', '# change the answers back and run redkeep acl apply again')],
      })),
      `${nodes.length} nodes with the same users`,
    );
  },
};
