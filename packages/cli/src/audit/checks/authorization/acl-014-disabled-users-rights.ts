import { need } from '../../facts/fact.js';
import { failEach, type NodeCheck } from '../check.js';
import { acl, run, shellQuote } from '../fix.js';

export const acl014: NodeCheck = {
  id: 'ACL-014',
  title: 'Disabled users keep their rights',
  cvss: 'AV:N/AC:H/PR:L/UI:N/S:U/C:L/I:N/A:N',
  why: 'Enabling the user again, by mistake or by an intruder, gives back all its rights.',
  passes: 'users that are off have no rights',
  maps: 'AUTHZ',
  judge(node) {
    return failEach(
      need(node.users)
        .filter((user) => !user.enabled && user.commands.some((rule) => rule === '+@all'))
        .map((user) => ({
          about: user.name,
          evidence: `${user.name} is off and has ${user.commands.join(' ')}`,
          fix: [
            user.name === 'default'
              ? acl(
                  'default',
                  ['-@all', 'resetkeys', 'resetchannels'],
                  [...user.commands, ...user.keys, ...user.channels],
                )
              : run(
                  `redis-cli ACL DELUSER ${shellQuote(user.name)}`,
                  '# none for its password: keep the line of ACL LIST, and ACL SETUSER it again',
                ),
          ],
        })),
      'no disabled user has rights',
    );
  },
};
