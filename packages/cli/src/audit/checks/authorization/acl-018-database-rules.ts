import { type NodeCheck, pass } from '../check.js';
import { enabledUsers } from '../read.js';

export const acl018: NodeCheck = {
  id: 'ACL-018',
  title: 'Users can access every database',
  cvss: null,
  why: 'Valkey 9.1 can bind users to databases (bypasses fixed in 9.1.1). Worth knowing where databases separate tenants.',
  passes: 'db= rules, or one database only',
  maps: 'AUTHZ',
  engines: { valkey: '9.1' },
  judge(node) {
    const limited = enabledUsers(node).filter((user) => user.databases.length > 0).length;
    return pass(
      limited === 0 ? 'not used: key patterns separate the users' : `${limited} users are bound to databases`,
    );
  },
};
