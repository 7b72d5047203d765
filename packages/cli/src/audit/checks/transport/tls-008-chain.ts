import { need } from '../../facts/fact.js';
import { fail, type NodeCheck, notApplicable, pass } from '../check.js';
import { advise, run } from '../fix.js';
import { servedTls } from '../tls.js';

export const tls008: NodeCheck = {
  id: 'TLS-008',
  title: 'The certificate does not verify against the given CA',
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:N',
  why: 'Clients either refuse the connection or, worse, are set not to verify, and then connect to anyone.',
  passes: 'the served chain leads to the CA that clients are given',
  maps: 'PKI',
  sources: ['CWE-295', 'STIG V-251225', 'STIG V-251239'],
  effort: 'hours',
  judge(node) {
    const error = need(servedTls(node).chainError);
    if (error === null) return pass('the chain verifies');
    if (/expired/i.test(error)) return notApplicable(`the chain is right but out of date: see TLS-010 and TLS-011`);
    return fail(
      `verification says: ${error}`,
      run('redkeep certs renew', '# none: put the old files back from your backup of the pki folder'),
      advise('or audit with the CA that signed it: --ca FILE'),
    );
  },
};
