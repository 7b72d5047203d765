import { need } from '../../facts/fact.js';
import { failEach, type SystemCheck } from '../check.js';
import { acl } from '../fix.js';

export const acl013: SystemCheck = {
  id: 'ACL-013',
  title: 'Unused users',
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:N/A:N',
  why: 'Misuse of a forgotten account goes unnoticed.',
  passes: "every enabled user was seen within the monitor's window",
  maps: 'AUTHZ',
  from: 'production',
  sources: ['PCI DSS 8.2.6'],
  judgeAll(facts) {
    return failEach(
      need(facts.operations.dormant).map((name) => ({
        about: name,
        evidence: `${name} was not seen`,
        fix: [acl(name, ['off'], ['on'])],
      })),
      'every user was seen',
    );
  },
};
