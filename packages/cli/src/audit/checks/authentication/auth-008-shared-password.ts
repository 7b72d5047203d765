import { need } from '../../facts/fact.js';
import { fail, type NodeCheck, pass, redisAndValkey } from '../check.js';
import { newPassword } from '../fix.js';

export const auth008: NodeCheck = {
  id: 'AUTH-008',
  title: 'Users share a password',
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N',
  why: 'Someone who knows one password can use all of these accounts; rotating one leaves the others open.',
  passes: 'every password is used once',
  maps: 'PWD',
  engines: redisAndValkey,
  sources: ['CWE-1391', 'redis-baseline a35'],
  judge(node) {
    const users = need(node.users);
    const shared = users.filter((user) =>
      user.passwordHashes.some((hash) => users.some((other) => other !== user && other.passwordHashes.includes(hash))),
    );
    if (shared.length === 0) return pass(`${users.length} users, all passwords different`);
    return fail(
      `${shared.map((user) => user.name).join(', ')} share a password`,
      ...shared.slice(1).flatMap((user) => newPassword(user.name)),
    );
  },
};
