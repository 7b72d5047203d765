import { need } from '../../facts/fact.js';
import { failEach, type NodeCheck } from '../check.js';
import { excessOf } from '../excess.js';
import { enabledUsers } from '../read.js';
import { type RuleMistake, usersWith } from '../rule-mistakes.js';

export const acl001: NodeCheck = {
  id: 'ACL-001',
  title: 'A user can run dangerous commands it does not need',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H',
  why: 'With one stolen application password, or one injected command, an attacker can empty, stop or inspect the whole server.',
  passes: 'only administrators can run them; each role only those it exists for',
  maps: 'AUTHZ',
  sources: ['CWE-250', 'STIG V-251188'],
  judge(node, facts) {
    const named = new Set(['broad-categories', 'late-grant'].flatMap((cause) => usersWith(cause as RuleMistake, node)));
    return failEach(
      excessOf('general', node, facts).filter(({ about }) => !named.has(about)),
      `${enabledUsers(node).length} enabled users, every command of the server (${need(node.permissions).decidedBy})`,
    );
  },
};
