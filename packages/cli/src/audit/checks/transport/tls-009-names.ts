import { fail, type NodeCheck, pass } from '../check.js';
import { advise, run } from '../fix.js';
import { servedTls } from '../tls.js';

export const tls009: NodeCheck = {
  id: 'TLS-009',
  title: 'The certificate lacks a name that clients use',
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:N',
  why: 'A client that checks names refuses; one that does not accepts any certificate of the same CA.',
  passes: 'every address that clients use is in the subject alternative names',
  maps: 'PKI',
  sources: ['CWE-297'],
  judge(node) {
    const { nameMatches, chain } = servedTls(node);
    const missing = Object.entries(nameMatches)
      .filter(([, matches]) => !matches)
      .map(([name]) => name);
    const names = chain[0]?.names ?? [];
    if (names.length === 0)
      return fail(
        'the certificate has no subject alternative name',
        run('redkeep certs renew --all', '# none: put the old files back from your backup of the pki folder'),
      );
    if (missing.length === 0) return pass(`${Object.keys(nameMatches).join(', ')} covered by ${names.join(', ')}`);
    return fail(
      `${missing.join(', ')} not among ${names.join(', ')}`,
      advise('Add the names to the deployment (redkeep init --tls-name NAME), then redkeep certs renew --all'),
    );
  },
};
