import { versionAtLeast } from '../../../vocabulary/engines.js';
import { need } from '../../facts/fact.js';
import { failEach, type NodeCheck, notApplicable } from '../check.js';
import { acl } from '../fix.js';

export const acl019: NodeCheck = {
  id: 'ACL-019',
  title: 'A user bypasses the validation of RESTORE payloads',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:H',
  why: 'skip-sanitize-payload lets crafted values crash or corrupt the server later.',
  passes: 'no user has the flag',
  maps: 'AUTHZ',
  engines: { redis: '6.2', valkey: '7.2' },
  sources: ['CWE-502'],
  judge(node) {
    const { name, version } = need(node.engine);
    const fixedSince = version.startsWith('8.1.') ? '8.1.10' : '9.0.6';
    if (name === 'valkey' && versionAtLeast(version, fixedSince))
      return notApplicable('the flag has no effect since 8.1.10 and 9.0.6');
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
