import { need } from '../../facts/fact.js';
import { failEach, type NodeCheck } from '../check.js';
import { acl } from '../fix.js';

export const acl019: NodeCheck = {
  id: 'ACL-019',
  title: 'A user skips the check of RESTORE payloads',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:H',
  why: 'skip-sanitize-payload lets crafted values crash or corrupt the server later.',
  passes: 'no user has the flag',
  maps: 'AUTHZ',
  engines: { redis: '6.2', valkey: '7.2' },
  sources: ['CWE-502'],
  judge(node) {
    return failEach(
      need(node.users)
        .filter((user) => user.skipsSanitizing)
        .map((user) => ({
          about: user.name,
          evidence: `${user.name} has skip-sanitize-payload`,
          fix: [acl(user.name, ['sanitize-payload'], ['skip-sanitize-payload'])],
        })),
      'no user has the flag',
    );
  },
};
