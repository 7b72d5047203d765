import { need } from '../../facts/fact.js';
import { failEach, type SystemCheck } from '../check.js';
import { acl } from '../fix.js';

export const acl013: SystemCheck = {
  id: 'ACL-013',
  title: 'Users that nobody uses',
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:N/A:N',
  why: 'Nobody notices when a forgotten account is used by somebody else.',
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
