import { need } from '../../facts/fact.js';
import { failEach, type NodeCheck } from '../check.js';
import { advise } from '../fix.js';

export const auth009: NodeCheck = {
  id: 'AUTH-009',
  title: 'A password rotation is unfinished',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N',
  why: 'While two passwords are valid, the old one, possibly leaked, still works.',
  passes: 'one password a user',
  maps: 'PWD',
  sources: ['PCI DSS 8.3.9'],
  judge(node) {
    const several = need(node.users).filter((user) => user.enabled && user.passwordHashes.length > 1);
    return failEach(
      several.map((user) => ({
        about: user.name,
        evidence: `${user.name} has ${user.passwordHashes.length} passwords`,
        fix: [advise(`Take the old one away once no client uses it: ACL SETUSER ${user.name} !<its sha256>`)],
      })),
      'one password a user',
    );
  },
};
