import { weakPasswords } from '../../facts/common-passwords.js';
import { need } from '../../facts/fact.js';
import { failEach, type NodeCheck, redisAndValkey } from '../check.js';
import { newPassword } from '../fix.js';

export const auth005: NodeCheck = {
  id: 'AUTH-005',
  title: 'A password is common or derived from a name',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N',
  why: 'Redis can check a million guesses per second and never locks a client out.',
  passes: "no hash matches the list of common passwords or a user's own name",
  maps: 'PWD',
  engines: redisAndValkey,
  sources: ['CWE-521', 'nmap redis-brute'],
  judge(node, facts) {
    const users = need(node.users);
    const names = [
      ...users.map(({ name }) => name),
      node.host,
      ...facts.expectations.names,
      ...facts.expectations.peers,
    ];
    const words = names.flatMap((name) => [name, ...name.split(/[^A-Za-z0-9]+/)]).filter((word) => word.length > 1);
    const weak = weakPasswords(new Set(users.flatMap(({ passwordHashes }) => passwordHashes)), [...new Set(words)]);
    return failEach(
      users.flatMap((user) => {
        const why = user.passwordHashes.flatMap((hash) => weak.get(hash) ?? [])[0];
        return why === undefined
          ? []
          : [{ about: user.name, evidence: `the password of ${user.name} ${why}`, fix: newPassword(user.name) }];
      }),
      `${users.length} users compared with common, derived and short passwords, offline`,
    );
  },
};
