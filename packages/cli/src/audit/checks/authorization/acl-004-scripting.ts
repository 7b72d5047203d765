import { failEach, type NodeCheck } from '../check.js';
import { acl } from '../fix.js';
import { aclRuleOf, excesses } from '../read.js';

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
    const isGranted = (user: string, label: string) =>
      granted[user]?.some((rule) => rule === '@scripting' || rule === aclRuleOf(label)) === true;
    const found = excesses(node, facts, 'scripting');
    const declared = found.filter(({ user, commands }) => commands.some((label) => isGranted(user.name, label)));
    return failEach(
      found
        .map((excess) => ({
          ...excess,
          commands: excess.commands.filter((label) => !isGranted(excess.user.name, label)),
        }))
        .filter(({ commands }) => commands.length > 0)
        .map(({ user, role, commands }) => ({
          about: user.name,
          evidence: `${user.name} (${role}) can run ${commands.join(', ')}`,
          fix: [acl(user.name, ['-@scripting'], user.written)],
        })),
      declared.length === 0
        ? 'only administrators can run scripts'
        : `only users to whom the deployment grants it by name can run scripts: ${declared.map(({ user }) => user.name).join(', ')}`,
    );
  },
};
