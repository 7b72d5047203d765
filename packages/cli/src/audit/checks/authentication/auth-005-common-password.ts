import { commonPasswordHashes } from '../../facts/common-passwords.js';
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
  judge(node) {
    const users = need(node.users);
    const guesses = commonPasswordHashes(users.map((user) => user.name));
    return failEach(
      users
        .filter((user) => user.passwordHashes.some((hash) => guesses.has(hash)))
        .map((user) => ({
          about: user.name,
          evidence: `the password of ${user.name} is on the list of common passwords`,
          fix: newPassword(user.name),
        })),
      `${users.length} users compared with ${guesses.size} guesses, offline`,
    );
  },
};
