import { aclRuleOf } from '../../../acl/powers.js';
import { need } from '../../facts/fact.js';
import { failEach, type NodeCheck } from '../check.js';
import { excessOf } from '../excess.js';
import { enabledUsers } from '../read.js';

export const acl004: NodeCheck = {
  id: 'ACL-004',
  title: 'A non-admin user can run scripts',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H',
  why: 'Nearly every code-execution flaw of 2024 to 2026 starts with EVAL or FUNCTION; "+@all -@dangerous" and "+@write" leave them open.',
  passes: 'scripting is denied to every role that does not declare it',
  maps: 'AUTHZ',
  sources: ['CWE-94', 'CVE-2025-49844', 'CVE-2024-46981'],
  judge(node, facts) {
    const { granted = {} } = facts.expectations;
    const isGranted = (user: string) => granted[user]?.includes('@scripting') === true;
    const byName = enabledUsers(node).filter(({ name }) =>
      need(node.permissions).powers[name]?.some(
        (one) => one.group === 'scripting' && (isGranted(name) || granted[name]?.includes(aclRuleOf(one.name))),
      ),
    );
    return failEach(
      excessOf('scripting', node, facts, ['-@scripting']).filter(({ about }) => !isGranted(about)),
      byName.length === 0
        ? 'only administrators can run scripts'
        : `only users that the deployment grants it by name can run scripts: ${byName.map(({ name }) => name).join(', ')}`,
    );
  },
};
