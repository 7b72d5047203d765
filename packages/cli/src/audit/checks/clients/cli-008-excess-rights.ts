import { need } from '../../facts/fact.js';
import { failEach, type NodeCheck } from '../check.js';
import { run } from '../fix.js';
import { enabledUsers } from '../read.js';

export const cli008: NodeCheck = {
  id: 'CLI-008',
  title: 'An application has more rights than it uses',
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:N/A:N',
  why: 'Unused rights only help someone who has stolen the password.',
  passes: 'every user has the commands it runs and no more than 50 others',
  maps: 'CLIENT',
  dataOnly: true,
  sources: ['CWE-272'],
  judge(node, facts) {
    const used = need(facts.operations.commandsUsed);
    const wide = enabledUsers(node).filter(
      (user) =>
        used[user.name] !== undefined &&
        (need(node.permissions).runnable[user.name] ?? 0) > (used[user.name]?.length ?? 0) + 50,
    );
    return failEach(
      wide.map((user) => ({
        about: user.name,
        evidence: `${user.name} runs ${used[user.name]!.length} commands`,
        fix: [run(`redkeep acl learn ${user.name}`, '# nothing: it only proposes')],
      })),
      'rights fit the use',
    );
  },
};
